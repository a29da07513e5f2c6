//! Label maps: names for the values of a label column, such as `1=negative,2=neutral`.

use std::collections::HashMap;
use std::str::FromStr;

use crate::dataset::Labels;
use crate::error::DataError;
use crate::number::parse_integer;

/// Names for the values of a label column. Several values may have the same name.
///
/// The labels are the names, in the numeric order of the values if all values are integers, else in the order of the
/// map. A name of several values has the place of its first value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    /// The values, in the order of the labels.
    values: Vec<String>,
    /// The distinct names, in the order of the labels.
    names: Vec<String>,
    /// The place in `names` of each value, each integer and each name.
    by_value: HashMap<String, usize>,
    by_integer: HashMap<i128, usize>,
    by_name: HashMap<String, usize>,
}

impl LabelMap {
    /// Returns a map of these values to names.
    ///
    /// # Errors
    ///
    /// [`DataError::LabelMap`] if there are no pairs, a name is empty, or a value occurs twice. `source` is the file or
    /// the option of the map, for the message.
    pub fn new(source: &str, mut pairs: Vec<(String, String)>) -> Result<Self, DataError> {
        let invalid = |reason| DataError::LabelMap { map: source.to_owned(), reason };
        if pairs.is_empty() {
            return Err(invalid("no pairs of a value and a name".to_owned()));
        }
        if pairs.iter().all(|(value, _)| parse_integer(value).is_some()) {
            pairs.sort_by_key(|(value, _)| parse_integer(value));
        }
        let mut map = Self {
            values: vec![],
            names: vec![],
            by_value: HashMap::new(),
            by_integer: HashMap::new(),
            by_name: HashMap::new(),
        };
        pairs.iter().try_for_each(|(value, name)| map.add(value.trim(), name.trim())).map_err(invalid)?;
        Ok(map)
    }

    /// Adds a value. The error says what is wrong.
    fn add(&mut self, value: &str, name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err(format!("the value {value:?} has no name"));
        }
        let next = self.names.len();
        let place = *self.by_name.entry(name.to_owned()).or_insert(next);
        if place == next {
            self.names.push(name.to_owned());
        }
        let integer = parse_integer(value);
        let is_known = self.by_value.insert(value.to_owned(), place).is_some();
        if is_known || integer.is_some_and(|integer| self.by_integer.insert(integer, place).is_some()) {
            return Err(format!("the value {value:?} occurs twice"));
        }
        self.values.push(value.to_owned());
        Ok(())
    }

    /// Returns the labels: the names without duplicates, in order.
    pub fn labels(&self) -> Labels {
        Labels::of_distinct(self.names.clone())
    }

    /// Returns the name of a value. Integers are equal to numbers without a fraction: 1 and 1.0.
    ///
    /// A value that is one of the names keeps its name.
    pub fn name(&self, value: &str) -> Option<&str> {
        let value = value.trim();
        let by_integer = || self.by_integer.get(&parse_integer(value)?);
        let place = self.by_value.get(value).or_else(by_integer).or_else(|| self.by_name.get(value))?;
        Some(&self.names[*place])
    }

    /// Returns true if the map has this value on its left side.
    pub(crate) fn has_value(&self, value: &str) -> bool {
        self.by_value.contains_key(value.trim())
    }

    /// Returns the values, in the order of the labels.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }
}

/// Parses `1=negative,2=neutral`. A value or a name with `=` or `,` needs a file.
impl FromStr for LabelMap {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = |pair: &str| match pair.split_once('=') {
            Some((value, name)) if !name.contains('=') => Ok((value.to_owned(), name.to_owned())),
            _ => Err(DataError::LabelMap {
                map: text.to_owned(),
                reason: format!("{:?} is not value=name", pair.trim()),
            }),
        };
        let parts = text.split(',').filter(|part| !part.trim().is_empty());
        Self::new(text, parts.map(pair).collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(map: &str) -> Vec<String> {
        map.parse::<LabelMap>().unwrap().labels().names().to_vec()
    }

    #[test]
    fn labels_follow_the_numbers_or_else_the_map() {
        for (map, expected) in [
            ("1=negative,2=neutral,3=positive", &["negative", "neutral", "positive"][..]),
            ("10=ten,9=nine,-1=minus", &["minus", "nine", "ten"]),
            ("pos=good,neg=bad", &["good", "bad"]),
            ("1=bad, 2=bad, 3 = good,", &["bad", "good"]),
            ("3=good,2=bad,1=bad", &["bad", "good"]),
            ("true=yes,false=no", &["yes", "no"]),
            ("=none,x=some", &["none", "some"]),
        ] {
            assert_eq!(labels(map), expected, "{map}");
        }
    }

    #[test]
    fn values_match_by_text_or_by_integer_and_names_keep_their_name() {
        let map: LabelMap = "1=low,2=high,x=high".parse().unwrap();
        for (value, expected) in [
            ("1", Some("low")),
            ("1.0", Some("low")),
            (" 2 ", Some("high")),
            ("x", Some("high")),
            ("low", Some("low")),
            ("X", None),
            ("3", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(map.name(value), expected, "{value:?}");
        }
    }

    #[test]
    fn invalid_maps_are_errors() {
        for (map, expected) in [
            ("", "label map \"\": no pairs of a value and a name"),
            (" , ", "label map \" , \": no pairs of a value and a name"),
            ("1", "label map \"1\": \"1\" is not value=name"),
            ("1=a=b", "label map \"1=a=b\": \"1=a=b\" is not value=name"),
            ("1=", "label map \"1=\": the value \"1\" has no name"),
            ("1=a,1=b", "label map \"1=a,1=b\": the value \"1\" occurs twice"),
            ("1=a,1.0=b", "label map \"1=a,1.0=b\": the value \"1.0\" occurs twice"),
        ] {
            assert_eq!(map.parse::<LabelMap>().unwrap_err().to_string(), expected);
        }
    }
}
