//! Labels that are known before reading: those of a model, or the names that a file gives its label ids.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::value::{Value, integer, is_number_text};
use crate::note::DataNote;
use crate::review::Labels;
use crate::wording::{listed, quoted};

/// Finds the id of each value: by name first, by index only if the names are not numbers.
pub(super) struct KnownLabels<'a> {
    names: &'a [String],
    /// The names that are numbers, by their value. If there are any, no integer is an index.
    numbers: HashMap<i128, usize>,
    has_numbers: bool,
    exact: HashMap<&'a str, usize>,
    /// Names in lower case; None if two names differ only in case.
    lower_case: HashMap<String, Option<usize>>,
    /// The id for each index of the file's own names.
    of_file: Option<Vec<Option<usize>>>,
    names_by_index: Option<String>,
    used_as_index: bool,
    /// Spellings that differ from the label in case, with the label's id.
    spellings: BTreeMap<String, usize>,
}

impl<'a> KnownLabels<'a> {
    pub(super) fn new(labels: &'a Labels, file_names: Option<&[String]>) -> Self {
        let names = labels.names();
        let mut known = Self {
            names,
            numbers: numbers(names),
            has_numbers: names.iter().any(|name| is_number_text(name)),
            exact: (0..).zip(names).map(|(id, name)| (name.as_str(), id)).collect(),
            lower_case: HashMap::new(),
            of_file: None,
            names_by_index: None,
            used_as_index: false,
            spellings: BTreeMap::new(),
        };
        for (id, name) in names.iter().enumerate() {
            known.lower_case.entry(name.to_lowercase()).and_modify(|id| *id = None).or_insert(Some(id));
        }
        known.of_file = file_names.map(|file_names| known.ids_of_file(file_names));
        known
    }

    /// The id of each of the file's names: by name, or by index if none is known and there are as many.
    fn ids_of_file(&mut self, file_names: &[String]) -> Vec<Option<usize>> {
        let ids: Vec<_> = file_names.iter().map(|name| self.by_name(name)).collect();
        if ids.iter().any(Option::is_some) || ids.len() != self.names.len() {
            return ids;
        }
        self.names_by_index = Some(quoted(file_names.iter().map(String::as_str)));
        (0..ids.len()).map(Some).collect()
    }

    pub(super) fn id(&mut self, value: &Value<'_>) -> Option<usize> {
        match value {
            Value::Name(name) => self.by_name(name).or_else(|| self.by_number(integer(name)?)),
            Value::Fraction { written } => self.by_name(written),
            Value::Integer { number, written } => {
                if let Some(of_file) = &self.of_file {
                    return *of_file.get(usize::try_from(*number).ok()?)?;
                }
                written.and_then(|text| self.by_name(text)).or_else(|| self.by_number(*number))
            }
            Value::Boolean { value, written } => written
                .and_then(|text| self.by_name(text))
                .or_else(|| self.by_name(&value.to_string()))
                .or_else(|| self.by_number((*value).into())),
        }
    }

    fn by_name(&mut self, name: &str) -> Option<usize> {
        if let Some(id) = self.exact.get(name) {
            return Some(*id);
        }
        let id = self.lower_case.get(&name.to_lowercase()).copied().flatten()?;
        self.spellings.insert(name.to_owned(), id);
        Some(id)
    }

    /// The text of a number is a name first.
    fn by_number(&mut self, number: i128) -> Option<usize> {
        if let Some(id) = self.by_name(&number.to_string()) {
            return Some(id);
        }
        if self.has_numbers || !self.numbers.is_empty() {
            return self.numbers.get(&number).copied();
        }
        let index = usize::try_from(number).ok().filter(|&index| index < self.names.len())?;
        self.used_as_index = true;
        Some(index)
    }

    /// What was not matched exactly by name.
    pub(super) fn notes(self, path: &Path) -> Vec<DataNote> {
        let path = path.to_path_buf();
        let mut notes = vec![];
        if !self.spellings.is_empty() {
            let pair = |(found, id): (&String, &usize)| format!("{found:?} is read as {:?}", self.names[*id]);
            let pairs = listed(self.spellings.iter().map(pair));
            notes.push(DataNote::Spelling { path: path.clone(), pairs });
        }
        if self.used_as_index && !self.are_numbered() {
            let pairs = listed(self.names.iter().enumerate().map(|(id, name)| format!("{id} = {name}")));
            notes.push(DataNote::Indices { path: path.clone(), pairs });
        }
        if let Some(found) = self.names_by_index {
            let known = quoted(self.names.iter().map(String::as_str));
            notes.push(DataNote::NamesByIndex { path, found, known });
        }
        notes
    }

    /// The names are `LABEL_0`, `LABEL_1` and so on: indices in all but name.
    fn are_numbered(&self) -> bool {
        self.names == Labels::numbered(self.names.len()).names()
    }
}

/// The id of each name that is a whole number, as "1.0" is, or that begins with one if all names do: "1 star", "2 stars".
fn numbers(names: &[String]) -> HashMap<i128, usize> {
    let leading = names.iter().map(|name| leading_integer(name)).collect::<Option<Vec<_>>>();
    let numbers = leading.map_or_else(
        || names.iter().map(|name| integer(name)).collect::<Vec<_>>(),
        |leading| leading.into_iter().map(Some).collect(),
    );
    let ids = numbers.into_iter().zip(0..).filter_map(|(number, id)| Some((number?, id)));
    let mut ids_of = HashMap::new();
    for (number, id) in ids {
        ids_of.entry(number).and_modify(|id| *id = None).or_insert(Some(id));
    }
    ids_of.into_iter().filter_map(|(number, id)| Some((number, id?))).collect()
}

/// The integer that a name begins with, if a word follows.
fn leading_integer(name: &str) -> Option<i128> {
    let (number, _) = name.split_once(|c: char| c.is_whitespace() || [':', '-', '_'].contains(&c))?;
    number.parse().ok()
}
