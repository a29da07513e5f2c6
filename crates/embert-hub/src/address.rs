//! Parsing of the Hub address: user and password, local addresses.

/// Splits user and password from an address such as `https://user:password@host`.
pub(crate) fn without_userinfo(url: &str) -> (String, Option<String>) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |slash| host + slash);
    match url[host..end].rfind('@') {
        Some(at) => {
            let separator = host + at;
            (format!("{}{}", &url[..host], &url[separator + 1..]), Some(url[host..separator].to_owned()))
        }
        None => (url.to_owned(), None),
    }
}

/// Returns true if the host is this machine. No proxy is used for it.
pub(crate) fn is_this_machine(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    host.starts_with("127.") || host.starts_with("[::1]") || host.split(':').next() == Some("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_recognized() {
        assert!(is_this_machine("http://127.0.0.1:8765") && is_this_machine("http://localhost:1/x"));
        assert!(!is_this_machine("https://huggingface.co") && !is_this_machine("http://localhost.org"));
    }

    #[test]
    fn user_and_password_are_split_from_the_address() {
        let check = |url: &str, bare: &str, userinfo: Option<&str>| {
            assert_eq!(without_userinfo(url), (bare.to_owned(), userinfo.map(str::to_owned)), "{url}");
        };
        check("https://user:token@host:1/prefix", "https://host:1/prefix", Some("user:token"));
        check("user:to@ken@host", "host", Some("user:to@ken"));
        check("https://host/a@b", "https://host/a@b", None);
    }
}
