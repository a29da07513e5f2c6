//! Checks the compiled rules of a SentencePiece normalizer, because the tokenizers crate panics on malformed rules.
//!
//! The format is a length in bytes, a double-array trie of that length, and the replacements, each with a NUL at its end.
//! The trie maps texts to offsets of replacements.

/// Maximum size in bytes. The rules of nmt_nfkc_cf have 400,000.
const MAX_SIZE: usize = 1 << 21;
/// Maximum number of bytes of a replacement. U+FDFA has the longest of Unicode, 33.
const MAX_REPLACEMENT: usize = 256;

/// Returns an error if looking up any text fails or gives a huge replacement.
pub(crate) fn check(charsmap: &[u8]) -> Result<(), String> {
    if charsmap.len() > MAX_SIZE {
        return Err(format!("it has {} bytes, more than {MAX_SIZE}", charsmap.len()));
    }
    let (size, rest) = charsmap.split_first_chunk::<4>().ok_or("it is truncated")?;
    let size = u32::from_le_bytes(*size) as usize / 4 * 4;
    let (trie, replacements) = rest.split_at_checked(size).ok_or("it is truncated")?;
    let units =
        trie.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]])).collect();
    let replacements = std::str::from_utf8(replacements).map_err(|_| "the replacements are not UTF-8")?;
    Trie { units }.check(replacements)
}

/// Decodes the standard alphabet with padding; `None` for other characters.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut num_bits) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        num_bits += 6;
        if num_bits >= 8 {
            num_bits -= 8;
            bytes.push((bits >> num_bits) as u8);
        }
    }
    Some(bytes)
}

/// A double-array trie (darts-clone). A state is the position of a unit; its child for a byte is at state XOR byte.
struct Trie {
    units: Vec<u32>,
}

impl Trie {
    /// Visits all states that a text can reach.
    fn check(&self, replacements: &str) -> Result<(), String> {
        let root = self.units.first().ok_or("its trie is empty")?;
        let mut visited = vec![false; self.units.len()];
        let mut states = vec![offset(*root)];
        while let Some(state) = states.pop() {
            // The units of all children of a state are in one block of 256.
            if state | 0xff >= self.units.len() {
                return Err("its trie leaves the array".to_owned());
            }
            if std::mem::replace(&mut visited[state], true) {
                continue;
            }
            for byte in 1..=255 {
                let child = state ^ byte;
                let unit = self.units[child];
                if unit & (1 << 31 | 0xff) != byte as u32 {
                    continue;
                }
                let next = child ^ offset(unit);
                if unit >> 8 & 1 == 1 {
                    let value = *self.units.get(next).ok_or("its trie leaves the array")? & !(1 << 31);
                    check_replacement(value as usize, replacements)?;
                }
                states.push(next);
            }
        }
        Ok(())
    }
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

fn check_replacement(start: usize, replacements: &str) -> Result<(), String> {
    let rest = replacements.get(start..).ok_or_else(|| format!("it has no replacement at {start}"))?;
    match rest.as_bytes().iter().take(MAX_REPLACEMENT + 1).position(|byte| *byte == 0).unwrap_or(rest.len()) {
        0..=MAX_REPLACEMENT => Ok(()),
        _ => Err(format!("the replacement at {start} has more than {MAX_REPLACEMENT} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trie that maps "a" to the offset in its third argument. State 0 is in block 1.
    fn charsmap(label: u32, value: u32, replacements: &[u8]) -> Vec<u8> {
        let mut units = vec![0_u32; 512];
        units[0] = 256 << 10;
        units[256 ^ 0x61] = label | 1 << 8 | (0x61 << 10);
        units[256] = value | 1 << 31;
        let trie = units.iter().flat_map(|unit| unit.to_le_bytes());
        2048_u32.to_le_bytes().into_iter().chain(trie).chain(replacements.iter().copied()).collect()
    }

    #[test]
    fn valid_rules_pass_and_the_crate_replaces_by_them() {
        let valid = charsmap(0x61, 2, b"x\0yz\0");
        assert_eq!(check(&valid), Ok(()));
        let precompiled = tokenizers::normalizers::Precompiled::from(&valid).unwrap();
        assert_eq!(precompiled.normalize_string("ab"), "yzb");
    }

    /// `base64.b64encode(bytes)` of Python returns these texts.
    #[test]
    fn base64_is_decoded() {
        let cases: [(&str, &[u8]); 5] =
            [("", b""), ("AA==", b"\0"), ("/+8=", b"\xff\xef"), ("YWJj", b"abc"), ("Pj4+Pw==", b">>>?")];
        for (text, bytes) in cases {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!(decode_base64("a-b_"), None);
    }

    #[test]
    fn malformed_rules_are_errors() {
        let cases = [
            (vec![], "truncated"),
            (charsmap(0x61, 0, b"")[..1000].to_vec(), "truncated"),
            (0_u32.to_le_bytes().to_vec(), "empty"),
            (charsmap(0x61, 9, b"x\0"), "no replacement at 9"),
            (charsmap(0x61, 1, "é\0".as_bytes()), "no replacement at 1"),
            (charsmap(0x61, 0, &[b'x'; 300]), "more than 256"),
            (charsmap(0x61, 0, b"\xff"), "not UTF-8"),
            ([&2048_u32.to_le_bytes()[..], &[0xff; 2048]].concat(), "leaves the array"),
            (vec![0; MAX_SIZE + 1], "more than 2097152"),
        ];
        for (charsmap, expected) in cases {
            let error = check(&charsmap).unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }
}
