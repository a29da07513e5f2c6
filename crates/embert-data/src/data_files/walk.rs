//! Finds the files below a folder. A folder is read once, even if links lead to it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::listing::{folders, has_rows, visible_entries};
use crate::error::DataError;

/// A component of a pattern.
pub(super) enum Part {
    /// A name without wildcards. It may be hidden, or `..`.
    Name(String),
    /// A name with wildcards, which do not match hidden names.
    Names(Pattern),
    /// `**`: a folder and all folders below it.
    Folders,
}

/// Returns the files that match the parts below `start`, sorted. A folder that matches all parts stands for the files
/// with rows below it.
pub(super) fn files(start: &Path, parts: &[Part]) -> Result<Vec<PathBuf>, DataError> {
    Ok(Walk::of(start, parts)?.found.into_iter().collect())
}

/// Returns the folders that a search for files visits, without links, each with the number of parts below it.
pub(super) fn folders_of(start: &Path, parts: &[Part]) -> Result<HashSet<(PathBuf, usize)>, DataError> {
    Ok(Walk::of(start, parts)?.seen)
}

struct Walk<'a> {
    start: PathBuf,
    /// The visited folders, each with the number of parts below it.
    seen: HashSet<(PathBuf, usize)>,
    /// Links to folders. They are visited last, so that a folder has its own name.
    links: VecDeque<(PathBuf, &'a [Part])>,
    found: BTreeSet<PathBuf>,
}

impl<'a> Walk<'a> {
    fn of(start: &Path, parts: &'a [Part]) -> Result<Self, DataError> {
        let mut walk = Self {
            start: canonical(start),
            seen: HashSet::new(),
            links: VecDeque::new(),
            found: BTreeSet::new(),
        };
        walk.visit(start, parts)?;
        while let Some((link, parts)) = walk.links.pop_front() {
            walk.visit(&link, parts)?;
        }
        Ok(walk)
    }

    fn visit(&mut self, path: &Path, parts: &'a [Part]) -> Result<(), DataError> {
        match parts {
            [] if !path.is_dir() => drop(self.found.insert(path.to_path_buf())),
            parts if path.is_dir() && self.is_new(path, parts.len()) => self.visit_folder(path, parts)?,
            _ => {}
        }
        Ok(())
    }

    fn visit_folder(&mut self, folder: &Path, parts: &'a [Part]) -> Result<(), DataError> {
        match parts {
            [] => {
                let entries = visible_entries(folder)?.into_iter();
                entries
                    .filter(|path| path.is_dir() || has_rows(path))
                    .try_for_each(|it| self.enter(it, parts))
            }
            [Part::Name(name), rest @ ..] => {
                let path = folder.join(name);
                if path.exists() { self.visit(&path, rest) } else { Ok(()) }
            }
            [Part::Names(pattern), rest @ ..] => {
                let is_match = |name: &OsStr| pattern.matches(&name.to_string_lossy());
                let entries = visible_entries(folder)?.into_iter();
                let mut entries = entries.filter(|path| path.file_name().is_some_and(is_match));
                entries.try_for_each(|path| self.enter(path, rest))
            }
            [Part::Folders, rest @ ..] => {
                self.visit(folder, rest)?;
                folders(folder)?.into_iter().try_for_each(|folder| self.enter(folder, parts))
            }
        }
    }

    /// Visits an entry of a folder: a link to a folder later, and not if the start is in that folder.
    fn enter(&mut self, path: PathBuf, parts: &'a [Part]) -> Result<(), DataError> {
        if !path.is_symlink() || !path.is_dir() {
            return self.visit(&path, parts);
        }
        if !self.start.starts_with(canonical(&path)) {
            self.links.push_back((path, parts));
        }
        Ok(())
    }

    /// Returns true for a folder that was not visited. A visit without parts has read all files below it.
    fn is_new(&mut self, folder: &Path, parts: usize) -> bool {
        let folder = canonical(folder);
        !self.seen.contains(&(folder.clone(), 0)) && self.seen.insert((folder, parts))
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
