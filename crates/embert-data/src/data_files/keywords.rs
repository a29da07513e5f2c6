//! The words for splits in the names of files and folders, as in `datasets`: `train`, `valid`, `dev`, `eval` and so on.

use std::path::{Path, PathBuf};

/// The splits, each with its words.
const SPLITS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// Returns the splits of files by their words. Without any, all files are `train`.
pub(super) fn by_names(root: &Path, files: &[PathBuf]) -> Vec<(String, Vec<PathBuf>)> {
    let splits = by_words(root, files);
    if splits.is_empty() && !files.is_empty() { vec![("train".to_owned(), files.to_vec())] } else { splits }
}

/// Returns the splits of files by the words in the names of their folders, else in their own names.
///
/// A file belongs to each split whose word is in its name.
pub(super) fn by_words(root: &Path, files: &[PathBuf]) -> Vec<(String, Vec<PathBuf>)> {
    let matching = |is_match: &dyn Fn(&Path, &str) -> bool| {
        let of_split = |words: &[&str]| {
            let relative = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).to_path_buf();
            let belongs = |path: &&PathBuf| words.iter().any(|word| is_match(&relative(path), word));
            files.iter().filter(belongs).cloned().collect::<Vec<_>>()
        };
        let splits = SPLITS.map(|(split, words)| (split.to_owned(), of_split(words)));
        splits.into_iter().filter(|(_, files)| !files.is_empty()).collect::<Vec<_>>()
    };
    let folders = matching(&is_in_folder);
    if folders.is_empty() { matching(&is_in_name) } else { folders }
}

/// Returns the split that a word stands for: `validation` for `dev`.
pub(super) fn split_of_word(word: &str) -> Option<&'static str> {
    SPLITS.iter().find(|(_, words)| words.contains(&word)).map(|(split, _)| *split)
}

/// Sorts splits: train, validation and test first, then the others by name.
pub(super) fn sort(splits: &mut [String]) {
    let rank = |split: &str| SPLITS.iter().position(|(name, _)| *name == split).unwrap_or(SPLITS.len());
    splits.sort_by(|a, b| (rank(a), a).cmp(&(rank(b), b)));
}

fn is_in_folder(path: &Path, word: &str) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let mut names = folders.filter_map(|folder| folder.as_os_str().to_str());
    names.any(|name| ends_of_word(name, word).any(|after| after.is_none_or(is_separator)))
}

fn is_in_name(path: &Path, word: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ends_of_word(name, word).any(|after| after.is_some_and(is_separator))
}

/// Returns the characters after each occurrence of a word at the start of a name, or after a separator.
fn ends_of_word(name: &str, word: &str) -> impl Iterator<Item = Option<char>> {
    let starts = name.match_indices(word).map(|(at, _)| at);
    let starts = starts.filter(|at| name[..*at].chars().next_back().is_none_or(is_separator));
    starts.map(|at| name[at + word.len()..].chars().next())
}

fn is_separator(character: char) -> bool {
    matches!(character, '-' | '.' | '_' | ' ' | '0'..='9')
}
