//! Encodings of text: their names, byte order marks, and a guess for an error message.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{first_bytes, open};

/// An encoding of text files, by a name that the web or Python uses: `utf-8`, `latin-1`, `cp1252`, `gb18030`.
///
/// As on the web, `latin-1` and `ascii` are windows-1252, which has more characters. `utf-16` is little-endian, unless
/// the file begins with a byte order mark.
///
/// ```
/// use embert_data::TextEncoding;
///
/// let encoding: TextEncoding = "latin-1".parse().unwrap();
/// assert_eq!(encoding.to_string(), "windows-1252");
/// assert!("latin-99".parse::<TextEncoding>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEncoding(&'static Encoding);

impl TextEncoding {
    /// Returns the name in lower case, which [`FromStr`] reads.
    pub fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }

    pub(super) fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }

    pub(super) fn encoding(self) -> &'static Encoding {
        self.0
    }

    /// Returns the encoding of a byte order mark, and the number of its bytes.
    pub(super) fn of_byte_order_mark(start: &[u8]) -> Option<(Self, usize)> {
        Encoding::for_bom(start).map(|(encoding, length)| (Self(encoding), length))
    }

    /// Returns UTF-16 if every second byte of a text is NUL, as in English text, and it has no byte order mark.
    pub(crate) fn utf16_without_mark(start: &[u8]) -> Option<Self> {
        if Self::of_byte_order_mark(start).is_some() {
            return None;
        }
        let nul = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
        let half = start.len() / 2;
        match (nul(0), nul(1)) {
            (0, odd) if half > 1 && 4 * odd > 3 * half => Some(Self(UTF_16LE)),
            (even, 0) if half > 1 && 4 * even > 3 * half => Some(Self(UTF_16BE)),
            _ => None,
        }
    }
}

impl Default for TextEncoding {
    fn default() -> Self {
        Self(UTF_8)
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The error is a message: `unknown encoding "utf-9"; expected a name such as utf-8, windows-1252 or gb18030`.
impl FromStr for TextEncoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let web = web_name(name);
        Encoding::for_label(web.as_bytes()).map(Self).ok_or_else(|| {
            format!(
                "unknown encoding {name:?}; expected a name such as utf-8, utf-16, latin-1, windows-1252, gb18030 or \
                 shift_jis"
            )
        })
    }
}

/// Returns the name of the web for a name of Python.
fn web_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.replace(['_', ' '], "-").as_str() {
        "utf-16-le" => "utf-16le".to_owned(),
        "utf-16-be" => "utf-16be".to_owned(),
        "utf-8-sig" | "u8" => "utf-8".to_owned(),
        "latin-1" | "latin" | "iso-8859-1-1987" | "8859" | "646" => "latin1".to_owned(),
        "cp932" | "ms-kanji" => "shift_jis".to_owned(),
        "cp936" | "ms936" => "gbk".to_owned(),
        "cp949" | "uhc" => "euc-kr".to_owned(),
        "cp950" => "big5".to_owned(),
        "euc-jp" | "eucjp" => "euc-jp".to_owned(),
        "mac-roman" | "macroman" => "macintosh".to_owned(),
        dashed if Encoding::for_label(dashed.as_bytes()).is_some() => dashed.to_owned(),
        _ => name,
    }
}

/// Guesses the encoding of a file that is not UTF-8, from its start and from the bytes that failed.
///
/// Returns `None` if the guess cannot decode these bytes.
pub(crate) fn guess_encoding(path: &Path, failed: &[u8]) -> Option<String> {
    const START: u64 = 1 << 20;
    let mut sample = open(path).and_then(|mut bytes| first_bytes(path, &mut bytes, START)).ok()?;
    sample.push(b'\n');
    sample.extend_from_slice(failed);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&sample, true);
    let guess = match detector.guess(None, Utf8Detection::Deny) {
        latin if is_latin(latin) && has_few_letters(&sample) => WINDOWS_1252,
        guess => guess,
    };
    let (_, had_errors) = guess.decode_without_bom_handling(&sample);
    (!had_errors).then(|| TextEncoding(guess).name())
}

/// Returns true for encodings of the Latin alphabet, which few letters cannot distinguish.
fn is_latin(encoding: &'static Encoding) -> bool {
    matches!(
        encoding.name(),
        "ISO-8859-2" | "ISO-8859-4" | "windows-1250" | "windows-1254" | "windows-1257" | "windows-1258"
    )
}

/// Returns true if a text has fewer than 20 bytes that are not ASCII.
fn has_few_letters(text: &[u8]) -> bool {
    text.iter().filter(|byte| !byte.is_ascii()).count() < 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_web_and_of_python_are_known() {
        for (name, expected) in [
            ("UTF-8", "utf-8"),
            ("utf8", "utf-8"),
            ("utf_8_sig", "utf-8"),
            ("latin-1", "windows-1252"),
            ("latin1", "windows-1252"),
            ("ISO-8859-1", "windows-1252"),
            ("iso8859_15", "iso-8859-15"),
            ("cp1252", "windows-1252"),
            ("cp1251", "windows-1251"),
            ("utf-16", "utf-16le"),
            ("utf_16_be", "utf-16be"),
            ("gb18030", "gb18030"),
            ("gb2312", "gbk"),
            ("shift_jis", "shift_jis"),
            ("cp932", "shift_jis"),
            ("euc_jp", "euc-jp"),
            ("euc_kr", "euc-kr"),
            ("cp949", "euc-kr"),
            ("big5", "big5"),
            ("koi8_r", "koi8-r"),
            ("mac_roman", "macintosh"),
        ] {
            let encoding = name.parse::<TextEncoding>();
            assert_eq!(encoding.map(TextEncoding::name), Ok(expected.to_owned()), "{name}");
            assert!(expected.parse::<TextEncoding>().is_ok());
        }
        assert!("".parse::<TextEncoding>().is_err());
    }

    #[test]
    fn utf16_without_a_mark_has_a_nul_in_every_pair() {
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| "text,label\n".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        let found = |bytes: &[u8]| TextEncoding::utf16_without_mark(bytes).map(TextEncoding::name);
        assert_eq!(found(&utf16(u16::to_le_bytes)), Some("utf-16le".to_owned()));
        assert_eq!(found(&utf16(u16::to_be_bytes)), Some("utf-16be".to_owned()));
        assert_eq!(found(b"text,label\n"), None);
        assert_eq!(found(b"a\0"), None);
        assert_eq!(found(b"a\0b,1\n\0,0\n"), None);
        assert_eq!(found(b""), None);
        assert_eq!(found(b"\xff\xfet\0e\0x\0t\0"), None);
    }
}
