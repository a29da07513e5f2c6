//! The type of a column of JSON values: the narrowest type that stores all values exactly.

/// A type of values in parquet and arrow files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonType {
    Boolean,
    Int64,
    UInt64,
    Float64,
    Text,
}

/// A test for the JSON text of a value.
type Test = fn(&str) -> bool;

const TYPES: [(JsonType, Test); 4] = [
    (JsonType::Boolean, |json| json.parse::<bool>().is_ok()),
    (JsonType::Int64, |json| json.parse::<i64>().is_ok()),
    (JsonType::UInt64, |json| json.parse::<u64>().is_ok()),
    (JsonType::Float64, is_exact_float),
];

/// The types that fit all values so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PossibleTypes {
    fits: [bool; TYPES.len()],
    is_empty: bool,
}

impl PossibleTypes {
    pub(crate) fn new() -> Self {
        Self { fits: [true; TYPES.len()], is_empty: true }
    }

    /// Adds the JSON text of a value. Null fits all types.
    pub(crate) fn add(&mut self, json: &str) {
        if json == "null" {
            return;
        }
        self.is_empty = false;
        for (fits, (_, test)) in self.fits.iter_mut().zip(TYPES) {
            *fits = *fits && test(json);
        }
    }

    /// Returns true if all values fit a type. Any value fits text.
    #[cfg(feature = "parquet")]
    pub(crate) fn fits(self, json_type: JsonType) -> bool {
        let mut types = self.fits.iter().zip(TYPES);
        types.find(|(_, (found, _))| *found == json_type).is_none_or(|(fits, _)| *fits)
    }

    /// Returns the first type that fits all values. It is text if there is no value.
    pub(crate) fn first(self) -> JsonType {
        let mut types = self.fits.iter().zip(TYPES);
        let fitting = types.find(|(fits, _)| **fits && !self.is_empty);
        fitting.map_or(JsonType::Text, |(_, (json_type, _))| json_type)
    }
}

/// Returns true for numbers to store as 64-bit floats: with a fraction or an exponent, or integers up to 2^53.
fn is_exact_float(json: &str) -> bool {
    const MAX: u64 = 1 << 53;
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return false;
    }
    match json.parse::<i64>() {
        Ok(integer) => integer.unsigned_abs() <= MAX,
        Err(_) => json.contains(['.', 'e', 'E']) || json == "-0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_type_that_fits_all_values_is_chosen() {
        for (values, expected) in [
            (&["1", "null"][..], JsonType::Int64),
            (&["1", "2.5"], JsonType::Float64),
            (&["-1", "18446744073709551615"], JsonType::Text),
            (&["0", "18446744073709551615"], JsonType::UInt64),
            (&["9007199254740993", "0.5"], JsonType::Text),
            (&["true", "false"], JsonType::Boolean),
            (&["true", "1"], JsonType::Text),
            (&["null"], JsonType::Text),
            (&[], JsonType::Text),
        ] {
            let mut types = PossibleTypes::new();
            values.iter().for_each(|value| types.add(value));
            assert_eq!(types.first(), expected, "{values:?}");
        }
    }
}
