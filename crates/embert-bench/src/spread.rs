//! Median, minimum and maximum of several measurements.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// Returns median, minimum and maximum. The median of an even number of values is the mean of the middle two.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        let (lower, upper) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Self { median: (lower + upper) / 2.0, min: values[0], max: values[values.len() - 1] }
    }

    /// Formats seconds as milliseconds: `median (min-max)`.
    pub(crate) fn milliseconds(self) -> String {
        let [median, min, max] = [self.median, self.min, self.max].map(|seconds| 1e3 * seconds);
        format!("{median:.0} ({min:.0}-{max:.0})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(Spread::of([3.0, 1.0, 9.0]), Spread { median: 3.0, min: 1.0, max: 9.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0]).median, 3.0);
        assert_eq!(Spread::of([0.25, 0.5, 2.0]).milliseconds(), "500 (250-2000)");
    }
}
