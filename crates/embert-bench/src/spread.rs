//! What several measurements of one thing say: their median, the least and the most.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// Of an even number of values, the median is the mean of the two in the middle.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        let (lower, upper) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Self { median: (lower + upper) / 2.0, least: values[0], most: values[values.len() - 1] }
    }

    /// All three as milliseconds.
    pub(crate) fn milliseconds(self) -> String {
        let [median, least, most] = [self.median, self.least, self.most].map(|seconds| 1e3 * seconds);
        format!("{median:.0} ({least:.0}-{most:.0})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 9.0]), Spread { median: 3.0, least: 1.0, most: 9.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0]).median, 3.0);
        assert_eq!(Spread::of([0.25, 0.5, 2.0]).milliseconds(), "500 (250-2000)");
    }
}
