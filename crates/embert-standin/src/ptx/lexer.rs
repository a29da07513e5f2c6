//! Splits PTX text into words, strings and punctuation.

use super::PtxError;

/// A piece of PTX text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
    pub(crate) line: u32,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A name, a directive, an opcode or a number.
    Word,
    /// Text in double quotes, without them.
    Text,
    /// One character.
    Mark,
}

/// Splits `source`, without its comments.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token<'_>>, PtxError> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::with_capacity(source.len() / 4);
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'\n' => {
                line += 1;
                at + 1
            }
            byte if byte.is_ascii_whitespace() => at + 1,
            b'/' if bytes[at..].starts_with(b"//") => find(bytes, at, b"\n").unwrap_or(bytes.len()),
            b'/' if bytes[at..].starts_with(b"/*") => {
                let end = find(bytes, at + 2, b"*/").map_or(bytes.len(), |end| end + 2);
                line += bytes[at..end].iter().filter(|byte| **byte == b'\n').count() as u32;
                end
            }
            b'"' => {
                let end = find(bytes, at + 1, b"\"").ok_or(PtxError::Text { line })?;
                tokens.push(Token { kind: TokenKind::Text, text: &source[at + 1..end], line });
                end + 1
            }
            byte if is_word(byte) => {
                let end = word_end(bytes, at);
                tokens.push(Token { kind: TokenKind::Word, text: &source[at..end], line });
                end
            }
            byte if byte.is_ascii() => {
                tokens.push(Token { kind: TokenKind::Mark, text: &source[at..at + 1], line });
                at + 1
            }
            _ => return Err(PtxError::Character { line }),
        };
        at = end;
    }
    Ok(tokens)
}

fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|found| from + found)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'%' | b'.')
}

/// A word also contains `::`, as in `.shared::cta`, but a single `:` ends a label.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() {
        if is_word(bytes[end]) {
            end += 1;
        } else if bytes[end..].starts_with(b"::") {
            end += 2;
        } else {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_tokens_and_lines_are_counted() {
        let found = tokens("// a\nld.shared::cta.b32 /* b\n */ %r1, [x+4];").unwrap();
        let texts: Vec<&str> = found.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["ld.shared::cta.b32", "%r1", ",", "[", "x", "+", "4", "]", ";"]);
        assert_eq!((found[0].line, found[1].line), (2, 3));
    }
}
