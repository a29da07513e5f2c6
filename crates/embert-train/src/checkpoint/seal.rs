//! A JSON object whose last line is the SHA-256 of all bytes before it, so that no damage goes unseen.

use sha2::{Digest, Sha256};

const BEFORE: &str = ",\n  \"sha256\": \"";
const AFTER: &str = "\"\n}\n";

/// Adds the last line to an object that was written over several lines.
pub(crate) fn seal(object: &str) -> String {
    let body = object.trim_end().strip_suffix("\n}").expect("an object with something in it");
    format!("{body}{BEFORE}{}{AFTER}", sha256(body.as_bytes()))
}

/// The object again, without that line; `None` if a byte of it is not what was sealed.
pub(crate) fn unseal(sealed: &[u8]) -> Option<String> {
    let line = BEFORE.len() + 64 + AFTER.len();
    let (body, line) = sealed.split_at_checked(sealed.len().checked_sub(line)?)?;
    let expected = format!("{BEFORE}{}{AFTER}", sha256(body));
    let body = str::from_utf8(body).ok()?;
    (line == expected.as_bytes()).then(|| format!("{body}\n}}"))
}

/// The hash in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_nothing_else_does() {
        let sealed = seal("{\n  \"a\": 1\n}");
        assert_eq!(unseal(sealed.as_bytes()).unwrap(), "{\n  \"a\": 1\n}");
        serde_json::from_str::<serde_json::Value>(&sealed).unwrap();
        for end in 0..sealed.len() {
            assert_eq!(unseal(&sealed.as_bytes()[..end]), None, "cut to {end}");
        }
        for (at, bit) in (0..sealed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = sealed.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            assert_eq!(unseal(&flipped), None, "bit {bit} of byte {at}");
        }
    }
}
