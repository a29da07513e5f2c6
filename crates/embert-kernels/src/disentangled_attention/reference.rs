//! Reference implementation of disentangled attention, on sequences that are padded to a rectangle.

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::{RelativePositions, RelativeProjections};
use crate::attention::AttentionOptions;
use crate::attention::reference::PaddedBatch;
use crate::layout::SequenceLayout;
use crate::linear::reference::matmul;
use crate::precision::{Precision, to_fp32};

/// Disentangled self-attention; see [`disentangled_attention`](crate::disentangled_attention).
pub fn disentangled_attention(
    query_key_value: Tensor<2>,
    relative: RelativeProjections,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let AttentionOptions { num_heads, precision, .. } = options;
    let (hidden, dtype) = (query_key_value.dims()[1] / 3, query_key_value.dtype());
    let scale = relative.scale(hidden / num_heads);
    let query_key_value = to_fp32(query_key_value);
    let batch = PaddedBatch::new(layout, options);
    let [query, key, value] = [0, 1, 2].map(|block| {
        batch.split(query_key_value.clone().narrow(1, block * hidden, hidden)) // [batch, heads, rows, d]
    });
    // Scaled before the product, as in transformers, so that it does not overflow in fp16.
    let scaled_key = key.clone().transpose().mul_scalar(scale);
    let mut scores = matmul(query.clone(), scaled_key, precision); // [batch, heads, rows, rows]
    if let Some(projection) = relative.key {
        let rows = relative_rows(relative.positions, &scores, |i, j| i - j);
        scores = scores + relative_scores(query, projection, rows, precision).mul_scalar(scale);
    }
    if let Some(projection) = relative.query {
        let rows = relative_rows(relative.positions, &scores, |j, i| i - j);
        scores = scores + relative_scores(key, projection, rows, precision).transpose().mul_scalar(scale);
    }
    let masked = batch.padding_mask(&scores);
    let probabilities = softmax(scores.mask_fill(masked, f32::NEG_INFINITY), 3);
    let context = matmul(batch.dropout(probabilities), value, precision); // [batch, heads, rows, d]
    batch.merge(context).cast(dtype) // [num_tokens, hidden]
}

/// Returns contentₐ·projectionₘ with m = `rows[a, b]`, `[batch, heads, rows, rows]`. The content is
/// `[batch, heads, rows, d]`, and the projection `[2 · span, hidden]`.
fn relative_scores(
    content: Tensor<4>,
    projection: Tensor<2>,
    rows: Tensor<4, Int>,
    precision: Precision,
) -> Tensor<4> {
    let [batch_size, num_heads, length, width] = content.dims();
    let [positions, _] = projection.dims();
    let projection = to_fp32(projection).reshape([positions, num_heads, width]).swap_dims(0, 1);
    // One product for the batch: with a copy of the projection for each sequence, its gradient was wrong on WGPU.
    let content = content.swap_dims(0, 1).reshape([num_heads, batch_size * length, width]);
    let scores = matmul(content, projection.transpose(), precision); // [heads, batch · rows, 2 · span]
    scores.reshape([num_heads, batch_size, length, positions]).swap_dims(0, 1).gather(3, rows)
}

/// Returns the row of the relative embeddings at (a, b), with the shape of the scores.
fn relative_rows(
    positions: RelativePositions,
    scores: &Tensor<4>,
    distance: impl Fn(isize, isize) -> isize,
) -> Tensor<4, Int> {
    let length = scores.dims()[3] as isize;
    let row = |a| (0..length).map(move |b| (a, b));
    let rows = (0..length).flat_map(row).map(|(a, b)| positions.row(distance(a, b)) as i32);
    let rows = TensorData::new(rows.collect::<Vec<_>>(), [1, 1, length as usize, length as usize]);
    Tensor::<4, Int>::from_data(rows, &scores.device()).expand(scores.dims())
}
