//! Numbers that are written as text: integers, and numbers with a fraction.

/// A number that is written as text.
pub(crate) enum Number {
    Integer(i128),
    /// A number with a fraction, or an integer that is too large.
    Fraction(f64),
}

/// Parses a text as a number. `None` for words such as `inf`.
pub(crate) fn parse_number(text: &str) -> Option<Number> {
    if let Ok(number) = text.parse() {
        return Some(Number::Integer(number));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    Some(exact_integer(float).map_or(Number::Fraction(float), Number::Integer))
}

/// Parses a text as a number without a fraction.
pub(crate) fn parse_integer(text: &str) -> Option<i128> {
    match parse_number(text.trim())? {
        Number::Integer(number) => Some(number),
        _ => None,
    }
}

/// Returns true if a name is a number.
pub(crate) fn is_number_text(name: &str) -> bool {
    parse_number(name).is_some()
}

/// Converts a number without a fraction to an integer. `None` above 2^53, where floats skip integers.
pub(crate) fn exact_integer(number: f64) -> Option<i128> {
    const MAX: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= MAX).then_some(number as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_only_if_written_as_numbers() {
        for (cell, expected) in [
            ("1", Some(Some(1))),
            ("-1", Some(Some(-1))),
            ("+2", Some(Some(2))),
            ("1.0", Some(Some(1))),
            ("1e0", Some(Some(1))),
            ("1.", Some(Some(1))),
            ("-0.0", Some(Some(0))),
            ("1e3", Some(Some(1000))),
            ("1.5", Some(None)),
            (".5", Some(None)),
            ("1e300", Some(None)),
            ("99999999999999999999999999", Some(Some(99_999_999_999_999_999_999_999_999))),
            ("inf", None),
            ("nan", None),
            ("1_000", None),
            ("1,5", None),
            ("e", None),
            ("", None),
            ("-", None),
        ] {
            let found = parse_number(cell).map(|number| match number {
                Number::Integer(number) => Some(number),
                Number::Fraction(_) => None,
            });
            assert_eq!(found, expected, "{cell:?}");
        }
    }
}
