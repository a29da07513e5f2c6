//! Reference implementation of the AdamW update and of the squared norm.

use burn::tensor::Tensor;

use super::step::{AdamWParameter, AdamWStep, Moments, RowsOfStep};
use crate::table_rows::TableRows;

/// The AdamW update; see [`adamw`](crate::adamw).
pub fn adamw(
    values: Tensor<1>,
    gradient: Tensor<1>,
    gradient_scale: Tensor<1>,
    moments: Moments,
    step: &AdamWStep,
) -> (Tensor<1>, Moments) {
    let gradient = gradient * gradient_scale;
    let squares = gradient.clone().square() * (1.0 - step.beta2);
    let mean = moments.mean * step.beta1 + gradient * (1.0 - step.beta1);
    let mean_of_squares = moments.mean_of_squares * step.beta2 + squares;
    let [correction1, correction2] = step.corrections();
    let divisor = mean_of_squares.clone().sqrt() / correction2.sqrt() + step.epsilon;
    let kept = values * step.kept();
    let values = kept - mean.clone() / divisor * (step.learning_rate / correction1);
    (values, Moments { mean, mean_of_squares })
}

/// The AdamW update of some rows of a table; see [`adamw_rows`](crate::adamw_rows). It computes all rows.
pub fn adamw_rows(
    parameter: AdamWParameter,
    gradient_scale: Tensor<1>,
    rows: RowsOfStep<'_>,
) -> (Tensor<1>, Moments) {
    let AdamWParameter { values, gradient, moments, step } = parameter;
    let columns = gradient.dims()[0] / rows.gradient.as_slice().len();
    let table_rows = values.dims()[0] / columns;
    let all = TableRows::new(0..table_rows as u32);
    let gradient = rows.gradient.spread(gradient, &all);
    let [mean, mean_of_squares] =
        [moments.mean, moments.mean_of_squares].map(|moment| rows.moments.spread(moment, &all));
    let moments = Moments { mean, mean_of_squares };
    let (values, moments) = adamw(values, gradient, gradient_scale, moments, &step);
    let of_rows =
        |moment: Tensor<1>| rows.moments.of_table(moment.reshape([table_rows, columns])).flatten(0, 1);
    let [mean, mean_of_squares] = [moments.mean, moments.mean_of_squares].map(of_rows);
    (values, Moments { mean, mean_of_squares })
}

/// The number of elements in one sum. Burn's CPU backend sums longer tensors on several threads, in an order
/// that varies from run to run. Pieces of this size keep two runs with one seed bit-identical.
const ELEMENTS_PER_SUM: usize = 1 << 21;

/// Returns Σ x²; see [`sum_of_squares`](crate::sum_of_squares).
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    let [elements] = x.dims();
    let pieces = (0..elements).step_by(ELEMENTS_PER_SUM).map(|start| {
        let piece = x.clone().narrow(0, start, ELEMENTS_PER_SUM.min(elements - start));
        piece.square().sum()
    });
    Tensor::cat(pieces.collect(), 0).sum() // [pieces] -> [1]
}
