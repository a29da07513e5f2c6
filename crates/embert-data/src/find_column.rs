//! Finds a column by its name, in every format alike.

use std::path::Path;

use crate::columns::ColumnRole;
use crate::error::DataError;

/// Returns the index of a column. Names are compared exactly first, then without surrounding whitespace.
///
/// # Errors
///
/// [`DataError::MissingColumn`] and [`DataError::DuplicateColumn`].
pub(crate) fn find_column<'a>(
    path: &Path,
    names: impl Iterator<Item = &'a str> + Clone,
    column: &str,
    role: ColumnRole,
) -> Result<usize, DataError> {
    let exact = |name: &str| name == column;
    let trimmed = |name: &str| name.trim() == column.trim();
    for is_same in [&exact as &dyn Fn(&str) -> bool, &trimmed] {
        let mut found = names.clone().enumerate().filter(|(_, name)| is_same(name));
        match (found.next(), found.next()) {
            (Some((index, _)), None) => return Ok(index),
            (Some(_), Some(_)) => {
                return Err(DataError::DuplicateColumn {
                    path: path.to_path_buf(),
                    column: column.to_owned(),
                });
            }
            (None, _) => {}
        }
    }
    Err(DataError::missing_column(path, column, role, names.map(str::trim)))
}
