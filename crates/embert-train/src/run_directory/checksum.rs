//! A JSON object with a checksum: its last line is the SHA-256 of all bytes before it.

use sha2::{Digest, Sha256};

const BEFORE: &str = ",\n  \"sha256\": \"";
const AFTER: &str = "\"\n}\n";

/// Adds the checksum line to a pretty-printed object.
///
/// # Panics
/// If the object is empty or not pretty-printed.
pub(crate) fn append_checksum(object: &str) -> String {
    let body = object.trim_end().strip_suffix("\n}").expect("a pretty-printed object with a key");
    format!("{body}{BEFORE}{}{AFTER}", sha256(body.as_bytes()))
}

/// Returns the object without the checksum line; `None` if any byte changed.
pub(crate) fn verify_checksum(sealed: &[u8]) -> Option<String> {
    let line = BEFORE.len() + 64 + AFTER.len();
    let (body, line) = sealed.split_at_checked(sealed.len().checked_sub(line)?)?;
    let expected = format!("{BEFORE}{}{AFTER}", sha256(body));
    let body = str::from_utf8(body).ok()?;
    (line == expected.as_bytes()).then(|| format!("{body}\n}}"))
}

/// Returns the SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns two hexadecimal digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_bit_is_detected() {
        let sealed = append_checksum("{\n  \"a\": 1\n}");
        assert_eq!(verify_checksum(sealed.as_bytes()).unwrap(), "{\n  \"a\": 1\n}");
        serde_json::from_str::<serde_json::Value>(&sealed).unwrap();
        for end in 0..sealed.len() {
            assert_eq!(verify_checksum(&sealed.as_bytes()[..end]), None, "cut to {end}");
        }
        for (at, bit) in (0..sealed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = sealed.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            assert_eq!(verify_checksum(&flipped), None, "bit {bit} of byte {at}");
        }
    }
}
