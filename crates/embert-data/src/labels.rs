//! From what stands in a label column to ids: by a model's labels, by the file's own, or by sorting.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::error::{DataError, quoted};
use crate::review::{Dataset, Example, Labels};

/// More classes than this mean that the column is something else, such as a row number or the texts.
const MOST_CLASSES: usize = 4096;

/// The rows of one file, before their labels have ids.
pub(crate) struct RawFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<RawRow>,
    /// The names of the label ids, where the file says them.
    pub(crate) names: Option<Vec<String>>,
}

pub(crate) struct RawRow {
    /// Counted from 1, for messages.
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) label: RawLabel,
}

pub(crate) enum RawLabel {
    Id(i64),
    Name(String),
    /// A cell of a format without types: a name, or an id in digits.
    Untyped(String),
}

/// Gives every row its label id: by `known` labels when there are any, else by what the files hold.
pub(crate) fn assign_ids(mut files: Vec<RawFile>, known: Option<&Labels>) -> Result<Dataset, DataError> {
    let names = shared_names(&files)?;
    let labels = match known {
        Some(labels) => labels.clone(),
        None => {
            settle_types(&mut files);
            labels_of(&files, names.as_deref())?
        }
    };
    let mut examples = Vec::with_capacity(files.iter().map(|file| file.rows.len()).sum());
    let lookup = Lookup::new(&labels, names.as_deref());
    for RawFile { path, rows, .. } in files {
        for RawRow { row, text, label } in rows {
            let label = lookup.id(&label).ok_or_else(|| rejected(&path, row, &label, &labels))?;
            examples.push(Example { text, label });
        }
    }
    Ok(Dataset { examples, labels })
}

/// Where labels stand in a data set's numbering.
struct Lookup<'a> {
    by_name: HashMap<&'a str, usize>,
    /// The id for each integer in the files.
    by_id: Vec<usize>,
}

impl<'a> Lookup<'a> {
    /// Integers are translated through the files' own names when `labels` has all of these: a file
    /// may count pos, neg where the model counts neg, pos.
    fn new(labels: &'a Labels, names: Option<&[String]>) -> Self {
        let by_name = (0..).zip(labels.names()).map(|(id, name)| (name.as_str(), id)).collect();
        let translated = names.and_then(|names| names.iter().map(|name| labels.id(name)).collect());
        Self { by_name, by_id: translated.unwrap_or_else(|| (0..labels.len()).collect()) }
    }

    fn id(&self, label: &RawLabel) -> Option<usize> {
        match label {
            RawLabel::Name(name) => self.by_name.get(name.as_str()).copied(),
            RawLabel::Id(id) => self.by_id.get(usize::try_from(*id).ok()?).copied(),
            RawLabel::Untyped(cell) => match self.by_name.get(cell.as_str()) {
                Some(&id) => Some(id),
                None => self.id(&RawLabel::Id(cell.parse().ok()?)),
            },
        }
    }
}

fn rejected(path: &Path, row: usize, label: &RawLabel, labels: &Labels) -> DataError {
    let path = path.to_path_buf();
    let label = match label {
        RawLabel::Id(-1) => return DataError::Unlabelled { path, row },
        RawLabel::Id(id) => id.to_string(),
        RawLabel::Name(name) | RawLabel::Untyped(name) => format!("{name:?}"),
    };
    let known = (0..).zip(labels.names()).take(20).map(|(id, name)| format!("{name:?} ({id})"));
    let known = known.collect::<Vec<_>>().join(", ");
    DataError::UnknownLabel { path, row, label, known }
}

/// The label names that the files agree on, if they name any.
fn shared_names(files: &[RawFile]) -> Result<Option<Vec<String>>, DataError> {
    let mut named = files.iter().filter_map(|file| Some((&file.path, file.names.as_ref()?)));
    let Some((_, expected)) = named.next() else { return Ok(None) };
    match named.find(|(_, names)| *names != expected) {
        None => Ok(Some(expected.clone())),
        Some((path, found)) => Err(DataError::LabelNamesDiffer {
            path: path.clone(),
            found: quoted(found.iter().map(String::as_str)),
            expected: quoted(expected.iter().map(String::as_str)),
        }),
    }
}

/// Cells without a type are integers when all of them are, else names.
fn settle_types(files: &mut [RawFile]) {
    let labels = || files.iter().flat_map(|file| &file.rows).map(|row| &row.label);
    let all_integers = labels().all(|label| match label {
        RawLabel::Untyped(cell) => cell.parse::<i64>().is_ok(),
        RawLabel::Id(_) | RawLabel::Name(_) => true,
    });
    for row in files.iter_mut().flat_map(|file| &mut file.rows) {
        if let RawLabel::Untyped(cell) = &mut row.label {
            row.label = match cell.parse() {
                Ok(id) if all_integers => RawLabel::Id(id),
                _ => RawLabel::Name(std::mem::take(cell)),
            };
        }
    }
}

fn labels_of(files: &[RawFile], names: Option<&[String]>) -> Result<Labels, DataError> {
    let mut found = BTreeSet::new();
    let mut highest = None;
    for file in files {
        for row in &file.rows {
            match &row.label {
                RawLabel::Name(name) | RawLabel::Untyped(name) => {
                    found.insert(name.as_str());
                }
                RawLabel::Id(id) => highest = highest.max(Some(checked_id(&file.path, row.row, *id)?)),
            }
            if highest.is_some() && !found.is_empty() {
                return Err(mixed(&file.path, row));
            }
        }
    }
    let labels = match (names, highest) {
        (Some(names), _) => Labels::new(names.to_vec()),
        (None, Some(highest)) => Ok(Labels::numbered(highest + 1)),
        (None, None) => Labels::new(found.into_iter().map(str::to_owned).collect()),
    }?;
    if labels.len() > MOST_CLASSES {
        let path = files.first().map(|file| file.path.clone()).unwrap_or_default();
        return Err(DataError::TooManyLabels { path, found: labels.len(), limit: MOST_CLASSES });
    }
    Ok(labels)
}

fn checked_id(path: &Path, row: usize, id: i64) -> Result<usize, DataError> {
    let path = path.to_path_buf();
    match usize::try_from(id) {
        Ok(id) if id < MOST_CLASSES => Ok(id),
        Err(_) if id == -1 => Err(DataError::Unlabelled { path, row }),
        _ => Err(DataError::LabelTooLarge { path, row, label: id, limit: MOST_CLASSES }),
    }
}

fn mixed(path: &Path, row: &RawRow) -> DataError {
    let label = match &row.label {
        RawLabel::Id(id) => id.to_string(),
        RawLabel::Name(name) | RawLabel::Untyped(name) => format!("{name:?}"),
    };
    DataError::MixedLabels { path: path.to_path_buf(), row: row.row, label }
}
