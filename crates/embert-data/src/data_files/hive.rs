//! Hive folders: `year=2024/month=1/part-0.parquet` has the columns `year` and `month`.

use std::path::{Path, PathBuf};

use super::DataFile;

/// The folder of rows without a value, as Hive and Spark name it.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Returns the files with their partitions, if the folders of all files below `root` have the same keys.
pub(super) fn with_partitions(root: &Path, files: Vec<PathBuf>) -> Vec<DataFile> {
    let all = files.iter().map(|path| partitions(root, path)).collect::<Vec<_>>();
    let keys =
        |partitions: &[(String, String)]| partitions.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let agree = all.windows(2).all(|pair| keys(&pair[0]) == keys(&pair[1]));
    let file = |(path, partitions)| DataFile { path, partitions: if agree { partitions } else { vec![] } };
    files.into_iter().zip(all).map(file).collect()
}

fn partitions(root: &Path, file: &Path) -> Vec<(String, String)> {
    let folders = file.strip_prefix(root).ok().and_then(Path::parent);
    let folders = folders.into_iter().flat_map(Path::components);
    let partition = |folder: &str| {
        let (key, value) = folder.split_once('=')?;
        let value = if value == NULL { String::new() } else { decoded(value) };
        (!key.is_empty()).then(|| (decoded(key), value))
    };
    folders.filter_map(|folder| partition(folder.as_os_str().to_str()?)).collect()
}

/// Decodes `%20` and so on. Returns the text unchanged if it has no valid escapes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|hex| {
            let hex =
                std::str::from_utf8(hex).ok().filter(|hex| hex.bytes().all(|it| it.is_ascii_hexdigit()))?;
            u8::from_str_radix(hex, 16).ok()
        });
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_an_equals_sign_are_columns() {
        let of = |files: &[&str]| {
            let files = files.iter().map(|file| Path::new("root=x").join(file)).collect();
            let files = with_partitions(Path::new("root=x"), files);
            files.into_iter().map(|file| file.partitions).collect::<Vec<_>>()
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            of(&["y=1/m=a%20b/p.csv", "y=__HIVE_DEFAULT_PARTITION__/m=%C3%A9/p.csv"]),
            [vec![pair("y", "1"), pair("m", "a b")], vec![pair("y", ""), pair("m", "é")]]
        );
        assert_eq!(of(&["y=1/p.csv", "p.csv"]), [vec![], vec![]]);
        assert_eq!(of(&["y=100%/p.csv"]), [vec![pair("y", "100%")]]);
        assert_eq!(of(&["p=1.csv"]), [vec![]]);
    }
}
