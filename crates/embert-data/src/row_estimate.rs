//! The number of rows of a file, estimated without parsing it, for progress bars.

use std::io::Read;
use std::path::Path;

use crate::format::Format;
use crate::input;

/// Returns about how many rows a file has: exactly for parquet, the number of lines for csv, tsv, jsonl and txt. `None` for
/// other formats, or if the file cannot be read.
///
/// A csv file with line breaks in cells has fewer rows than lines.
pub fn estimated_rows(path: &Path) -> Option<u64> {
    match Format::detect(path, None).ok()? {
        #[cfg(feature = "parquet")]
        Format::Parquet => crate::parquet::num_rows(path),
        #[cfg(feature = "parquet")]
        Format::Arrow => None,
        Format::Json => None,
        Format::Delimited(_) => Some(lines(path)?.saturating_sub(1)),
        Format::Jsonl | Format::Text => lines(path),
    }
}

/// Counts line breaks. The last line may end without one.
fn lines(path: &Path) -> Option<u64> {
    let mut bytes = input::open(path).ok()?;
    let (mut buffer, mut lines, mut last) = (vec![0; 1 << 16], 0, b'\n');
    loop {
        match bytes.read(&mut buffer).ok()? {
            0 => return Some(lines + u64::from(last != b'\n')),
            length => {
                lines += buffer[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
                last = buffer[length - 1];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, expected) in [
            ("a.csv", "text\na\nb\n", Some(2)),
            ("b.csv", "text\na\nb", Some(2)),
            ("a.jsonl", "{\"text\": \"a\"}\n", Some(1)),
            ("a.txt", "a\nb\nc", Some(3)),
            ("a.json", "[{\"text\": \"a\"}]", None),
            ("a.xlsx", "PK", None),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            assert_eq!(estimated_rows(&path), expected, "{name}");
        }
        assert_eq!(estimated_rows(&folder.path().join("missing.csv")), None);
    }
}
