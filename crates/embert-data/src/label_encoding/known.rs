//! Known labels: the labels of a model, or the label names that a file stores for its ids.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::label_type::LabelValue;
use crate::dataset::Labels;
use crate::formatting::{listed, quoted};
use crate::note::DataNote;
use crate::number::{is_number_text, parse_integer};

/// Finds the id of a value by name. A value is an index only if the names are not numbers.
pub(super) struct KnownLabels<'a> {
    names: &'a [String],
    /// Ids by number: the name itself, or the integer at its start.
    numbers: HashMap<i128, usize>,
    has_numbers: bool,
    exact: HashMap<&'a str, usize>,
    /// Ids by lower-case name; `None` if two names differ only in case.
    lower_case: HashMap<String, Option<usize>>,
    /// The id of each label name of the file.
    ids_of_file: Option<Vec<Option<usize>>>,
    names_by_index: Option<String>,
    used_as_index: bool,
    /// Values that match a label only if case is ignored, with the id of the label.
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
            ids_of_file: None,
            names_by_index: None,
            used_as_index: false,
            spellings: BTreeMap::new(),
        };
        for (id, name) in names.iter().enumerate() {
            known.lower_case.entry(name.to_lowercase()).and_modify(|id| *id = None).or_insert(Some(id));
        }
        known.ids_of_file = file_names.map(|file_names| known.match_file_names(file_names));
        known
    }

    /// Returns the id of each label name of a file.
    ///
    /// Matches by name. If no name is known and the counts are equal, matches by index.
    fn match_file_names(&mut self, file_names: &[String]) -> Vec<Option<usize>> {
        let ids: Vec<_> = file_names.iter().map(|name| self.by_name(name)).collect();
        if ids.iter().any(Option::is_some) || ids.len() != self.names.len() {
            return ids;
        }
        self.names_by_index = Some(quoted(file_names.iter().map(String::as_str)));
        (0..ids.len()).map(Some).collect()
    }

    /// Returns the id of each label name of the file that was given to [`Self::new`].
    pub(super) fn ids_of_file(&self) -> &[Option<usize>] {
        self.ids_of_file.as_deref().unwrap_or_default()
    }

    pub(super) fn id(&mut self, value: &LabelValue<'_>) -> Option<usize> {
        match value {
            LabelValue::Name(name) => self.by_name(name).or_else(|| self.by_number(parse_integer(name)?)),
            LabelValue::Fraction { written } => self.by_name(written),
            LabelValue::Integer { number, written } => {
                if let Some(ids) = &self.ids_of_file {
                    return *ids.get(usize::try_from(*number).ok()?)?;
                }
                written.and_then(|text| self.by_name(text)).or_else(|| self.by_number(*number))
            }
            LabelValue::Boolean { value, written } => written
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

    /// Looks up a number as a name, then as the number in a name, then as an index.
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

    /// Returns a note for each kind of match that is not by exact name.
    pub(super) fn notes(self, path: &Path) -> Vec<DataNote> {
        let path = path.to_path_buf();
        let mut notes = vec![];
        if !self.spellings.is_empty() {
            let pair = |(found, id): (&String, &usize)| format!("{found:?} is read as {:?}", self.names[*id]);
            let pairs = listed(self.spellings.iter().map(pair));
            notes.push(DataNote::LetterCase { path: path.clone(), pairs });
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

    /// Returns true if the names are `LABEL_0`, `LABEL_1` and so on.
    fn are_numbered(&self) -> bool {
        self.names == Labels::numbered(self.names.len()).names()
    }
}

/// Returns the ids by number.
///
/// If all names start with an integer, as in "1 star" and "2 stars", that integer is the number. Else the number is
/// the name, if it is an integer: "1" or "1.0". A number that two names share is left out.
fn numbers(names: &[String]) -> HashMap<i128, usize> {
    let leading = names.iter().map(|name| leading_integer(name)).collect::<Option<Vec<_>>>();
    let numbers = leading.map_or_else(
        || names.iter().map(|name| parse_integer(name)).collect::<Vec<_>>(),
        |leading| leading.into_iter().map(Some).collect(),
    );
    let ids = numbers.into_iter().zip(0..).filter_map(|(number, id)| Some((number?, id)));
    let mut ids_of = HashMap::new();
    for (number, id) in ids {
        ids_of.entry(number).and_modify(|id| *id = None).or_insert(Some(id));
    }
    ids_of.into_iter().filter_map(|(number, id)| Some((number, id?))).collect()
}

/// Returns the integer at the start of a name, if a word follows it.
fn leading_integer(name: &str) -> Option<i128> {
    let (number, _) = name.split_once(|c: char| c.is_whitespace() || [':', '-', '_'].contains(&c))?;
    number.parse().ok()
}
