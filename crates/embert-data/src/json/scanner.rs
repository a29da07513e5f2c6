//! Finds the values of a JSON text while it is read, without parsing them.

use std::io::{self, BufRead};

/// A JSON text that is read value by value.
pub(super) struct Scanner<R> {
    bytes: R,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(bytes: R) -> Self {
        Self { bytes }
    }

    pub(super) fn into_inner(self) -> R {
        self.bytes
    }

    /// Returns the next byte that is not whitespace, and leaves it; `None` at the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        self.skip_whitespace()?;
        Ok(self.bytes.fill_buf()?.first().copied())
    }

    /// Skips whitespace, and returns the number of skipped line ends.
    pub(super) fn skip_whitespace(&mut self) -> io::Result<usize> {
        let mut lines = 0;
        loop {
            let buffer = self.bytes.fill_buf()?;
            let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            lines += buffer[..blank].iter().filter(|byte| **byte == b'\n').count();
            let is_end = blank < buffer.len() || buffer.is_empty();
            self.bytes.consume(blank);
            if is_end {
                return Ok(lines);
            }
        }
    }

    /// Skips the next byte that is not whitespace if it is `expected`. Returns true if it is.
    pub(super) fn skip(&mut self, expected: u8) -> io::Result<bool> {
        let found = self.peek()? == Some(expected);
        self.bytes.consume(usize::from(found));
        Ok(found)
    }

    /// Replaces `value` by the text of the next value. The text ends early if the file does.
    ///
    /// An object or an array ends with the bracket that closes its first one, a text with its quote, and another value
    /// before a comma, a bracket or whitespace.
    pub(super) fn read_value(&mut self, value: &mut Vec<u8>) -> io::Result<()> {
        value.clear();
        self.visit_value(|part| value.extend_from_slice(part))
    }

    /// Skips the next value.
    pub(super) fn skip_value(&mut self) -> io::Result<()> {
        self.visit_value(|_| {})
    }

    fn visit_value(&mut self, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
        let mut state = State::default();
        self.skip_whitespace()?;
        loop {
            let buffer = self.bytes.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| state.is_end(*byte));
            let length = end.map_or(buffer.len(), |at| at + usize::from(state.includes_end));
            visit(&buffer[..length]);
            self.bytes.consume(length);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// The position within a value.
#[derive(Default)]
struct State {
    is_started: bool,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// True if the byte that ends the value belongs to it.
    includes_end: bool,
}

impl State {
    /// Adds a byte. Returns true if the value ends at it.
    fn is_end(&mut self, byte: u8) -> bool {
        let is_first = !std::mem::replace(&mut self.is_started, true);
        self.includes_end = true;
        if self.in_text {
            let is_quote = byte == b'"' && !self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            self.in_text = !is_quote;
            return is_quote && self.depth == 0;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            b',' | b'}' | b']' | b':' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => {
                self.includes_end = is_first; // a byte that starts no value is one, so that each call advances
                return true;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn values_are_found_at_any_size_of_the_buffer() {
        let text = " {\"a\\\"}\": [1, {}]} \n 1.5e3, \"x\\\\\" ] [[\"]\"]]: true";
        for capacity in 1..20 {
            let mut scanner = Scanner::new(BufReader::with_capacity(capacity, text.as_bytes()));
            let mut value = Vec::new();
            let mut found = Vec::new();
            while scanner.peek().unwrap().is_some() {
                scanner.read_value(&mut value).unwrap();
                found.push(String::from_utf8(value.clone()).unwrap());
            }
            let expected =
                ["{\"a\\\"}\": [1, {}]}", "1.5e3", ",", "\"x\\\\\"", "]", "[[\"]\"]]", ":", "true"];
            assert_eq!(found, expected, "{capacity}");
        }
    }

    #[test]
    fn a_value_ends_with_the_file() {
        let mut scanner = Scanner::new(&b"{\"a\": [1"[..]);
        let mut value = Vec::new();
        scanner.read_value(&mut value).unwrap();
        assert_eq!(value, b"{\"a\": [1");
        assert!(!scanner.skip(b',').unwrap());
        assert_eq!(scanner.peek().unwrap(), None);
    }
}
