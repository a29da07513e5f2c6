//! The state of AdamW: the moments of each parameter, and its number of steps.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use embert_kernels::{Moments, TableRows};

use crate::gradients::Gradient;

/// The state of AdamW, by parameter path.
#[derive(Debug, Clone, Default)]
pub struct OptimizerState {
    pub(crate) parameters: BTreeMap<String, ParameterState>,
}

/// The moments of a parameter, and its number of steps.
#[derive(Debug, Clone)]
pub(crate) struct ParameterState {
    pub(crate) step: i32,
    /// The rows of a table that have moments: those with a gradient so far. `None` if the moments are complete.
    pub(crate) rows: Option<TableRows>,
    pub(crate) moments: Moments,
}

impl ParameterState {
    /// Returns the state before the first gradient.
    pub(crate) fn before(gradient: &Gradient) -> Self {
        let zeros = gradient.values.zeros_like();
        let moments = Moments { mean: zeros.clone(), mean_of_squares: zeros };
        Self { step: 0, rows: gradient.rows.clone(), moments }
    }

    /// Returns the state with moments for all rows that `gradient` has, which is that of a parameter of `elements`
    /// values.
    ///
    /// A run on a GPU has complete gradients, and a checkpoint of a run on a CPU may have moments of some rows.
    pub(crate) fn fit(self, gradient: &Gradient, elements: usize) -> Self {
        let all = |values: &Tensor<1>, rows: &TableRows| {
            let columns = values.dims()[0] / rows.as_slice().len();
            TableRows::new(0..(elements / columns) as u32)
        };
        let (before, after) = match (&self.rows, &gradient.rows) {
            (None, None) => return self,
            (Some(before), Some(with_gradient)) => (before.clone(), before.union(with_gradient)),
            (Some(before), None) => (before.clone(), all(&self.moments.mean, before)),
            (None, Some(with_gradient)) => {
                let all = all(&gradient.values, with_gradient);
                (all.clone(), all)
            }
        };
        let Moments { mean, mean_of_squares } = self.moments;
        let [mean, mean_of_squares] = [mean, mean_of_squares].map(|moment| before.spread(moment, &after));
        let rows = gradient.rows.as_ref().map(|_| after);
        Self { step: self.step, rows, moments: Moments { mean, mean_of_squares } }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// A state or a gradient with the values 1, 2, 3, ... in these rows of a table of four rows and one column.
    fn values(rows: Option<&[u32]>) -> (Option<TableRows>, Tensor<1>) {
        let rows = rows.map(|rows| TableRows::new(rows.iter().copied()));
        let count = rows.as_ref().map_or(4, |rows| rows.as_slice().len());
        let values = (1..=count).map(|value| value as f32).collect::<Vec<_>>();
        (rows, Tensor::from_floats(&values[..], &Device::flex()))
    }

    #[test]
    fn a_state_fits_gradients_of_more_fewer_and_all_rows() {
        let cases = [
            (None, None, None, vec![1.0, 2.0, 3.0, 4.0]),
            (Some(&[0, 3][..]), Some(&[0, 2][..]), Some(&[0, 2, 3][..]), vec![1.0, 0.0, 2.0]),
            (Some(&[0, 3]), Some(&[3]), Some(&[0, 3]), vec![1.0, 2.0]),
            (Some(&[0, 3]), None, None, vec![1.0, 0.0, 0.0, 2.0]),
            (None, Some(&[2]), Some(&[0, 1, 2, 3]), vec![1.0, 2.0, 3.0, 4.0]),
        ];
        for (before, gradient, after, expected) in cases {
            let (rows, mean) = values(before);
            let state =
                ParameterState { step: 5, rows, moments: Moments { mean_of_squares: mean.clone(), mean } };
            let (rows, gradient) = values(gradient);
            let ParameterState { step, rows, moments } = state.fit(&Gradient { values: gradient, rows }, 4);
            assert_eq!((step, rows.as_ref().map(TableRows::as_slice)), (5, after));
            for moment in [moments.mean, moments.mean_of_squares] {
                assert_eq!(moment.into_data().try_to_vec::<f32>().unwrap(), expected);
            }
        }
    }
}
