//! Parts of a hub's address: user and password, origin, whether it is this machine.

/// Splits the user and password, as in `https://user:password@host`, from an address.
pub(crate) fn without_userinfo(url: &str) -> (String, Option<String>) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |slash| host + slash);
    match url[host..end].rfind('@') {
        Some(at) => {
            let at = host + at;
            (format!("{}{}", &url[..host], &url[at + 1..]), Some(url[host..at].to_owned()))
        }
        None => (url.to_owned(), None),
    }
}

/// Returns true if the address is one of this machine, to which no proxy leads.
pub(crate) fn is_this_machine(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    host.starts_with("127.") || host.starts_with("[::1]") || host.split(':').next() == Some("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_a_proxy() {
        assert!(is_this_machine("http://127.0.0.1:8765") && is_this_machine("http://localhost:1/x"));
        assert!(!is_this_machine("https://huggingface.co") && !is_this_machine("http://localhost.org"));
    }

    #[test]
    fn a_name_and_password_are_taken_out_of_an_address() {
        let check = |url: &str, bare: &str, userinfo: Option<&str>| {
            assert_eq!(without_userinfo(url), (bare.to_owned(), userinfo.map(str::to_owned)), "{url}");
        };
        check("https://user:token@host:1/prefix", "https://host:1/prefix", Some("user:token"));
        check("user:to@ken@host", "host", Some("user:to@ken"));
        check("https://host/a@b", "https://host/a@b", None);
    }
}
