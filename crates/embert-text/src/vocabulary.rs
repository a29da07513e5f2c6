//! Reads and writes `vocab.txt`: one token per line; the id is the number of the line, from 0.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Result, TextError};

/// Parses a `vocab.txt`. The last of duplicate lines counts, as in transformers.
pub(crate) fn parse(bytes: &[u8], origin: &str) -> Result<BTreeMap<String, u32>> {
    let text = text(bytes, origin)?;
    if text.trim().is_empty() {
        return Err(malformed(origin, "the file is empty".to_owned()));
    }
    Ok(text.lines().enumerate().map(|(id, token)| (token.to_owned(), id as u32)).collect())
}

/// Decodes a text file, without its byte order mark.
pub(crate) fn text<'a>(bytes: &'a [u8], origin: &str) -> Result<&'a str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        malformed(origin, format!("line {line} is not UTF-8"))
    })
}

/// Formats tokens as a `vocab.txt`.
///
/// An id without a token, or with a token that contains a line break, gets a placeholder that no text matches. So
/// other tokens keep their ids.
pub(crate) fn to_lines(tokens: &BTreeMap<u32, String>) -> String {
    let num_lines = tokens.last_key_value().map_or(0, |(id, _)| id + 1);
    let mut lines = String::new();
    for id in 0..num_lines {
        match tokens.get(&id).filter(|token| !token.contains(['\n', '\r'])) {
            Some(token) => writeln!(lines, "{token}"),
            None => writeln!(lines, "[no token {id}]"),
        }
        .expect("writing to a String does not fail");
    }
    lines
}

fn malformed(origin: &str, reason: String) -> TextError {
    TextError::Malformed { origin: origin.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_line_numbers_with_any_line_ending() {
        let vocabulary = parse(b"\xef\xbb\xbf[PAD]\r\n\xc2\xa0\r\nthe\r\nthe\n", "vocab.txt").unwrap();
        let expected = [("[PAD]", 0), ("\u{a0}", 1), ("the", 3)];
        assert_eq!(vocabulary, expected.map(|(token, id)| (token.to_owned(), id)).into());
    }

    #[test]
    fn invalid_utf8_is_an_error_with_the_line() {
        let error = parse(b"[PAD]\n[UNK]\n\xff\xfe\n", "a/vocab.txt").unwrap_err().to_string();
        assert_eq!(error, "a/vocab.txt: not a usable tokenizer: line 3 is not UTF-8");
        assert!(parse(b"\n", "vocab.txt").unwrap_err().to_string().contains("empty"));
    }

    #[test]
    fn placeholders_keep_the_ids_of_other_tokens() {
        let tokens = [(0, "[PAD]"), (2, "a\nb"), (3, "the")].map(|(id, token)| (id, token.to_owned()));
        assert_eq!(to_lines(&tokens.into()), "[PAD]\n[no token 1]\n[no token 2]\nthe\n");
    }
}
