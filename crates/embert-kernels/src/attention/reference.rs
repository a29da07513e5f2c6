//! Reference implementation of attention, on sequences that are padded to a rectangle.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::AttentionOptions;
use crate::dropout::DropoutSite;
use crate::dropout::reference::dropout_mask;
use crate::layout::SequenceLayout;
use crate::linear::reference::matmul;
use crate::precision::to_fp32;

/// Multi-head self-attention; see [`attention`](crate::attention).
pub fn attention(
    query_key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let (hidden, dtype) = (query_key_value.dims()[1] / 3, query_key_value.dtype());
    let query_key_value = to_fp32(query_key_value);
    let [query, key, value] =
        [0, 1, 2].map(|block| query_key_value.clone().narrow(1, block * hidden, hidden));
    let batch = PaddedBatch::new(layout, options);
    let [query, key, value] = [query, key, value].map(|x| batch.split(x)); // [batch, heads, rows, d]
    batch.merge(batch.attend(query, key, value, bias)).cast(dtype) // [num_tokens, hidden]
}

/// Multi-head attention of the first tokens; see [`first_token_attention`](crate::first_token_attention).
pub fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let [batch_size, hidden] = query.dims();
    let dtype = query.dtype();
    let [query, key_value] = [query, key_value].map(to_fp32);
    let [key, value] = [0, 1].map(|block| key_value.clone().narrow(1, block * hidden, hidden));
    let batch = PaddedBatch::new(layout, options);
    let query = query.reshape([batch_size, options.num_heads, 1, hidden / options.num_heads]);
    let output = batch.attend(query, batch.split(key), batch.split(value), bias); // [batch, heads, 1, d]
    output.reshape([batch_size, hidden]).cast(dtype)
}

/// The sequences as a rectangle `[batch, rows]`, which batched products need.
pub(crate) struct PaddedBatch<'a> {
    layout: &'a SequenceLayout,
    options: AttentionOptions,
    rows: usize,
}

impl<'a> PaddedBatch<'a> {
    pub(crate) fn new(layout: &'a SequenceLayout, options: AttentionOptions) -> Self {
        Self { layout, options, rows: layout.padded_to.unwrap_or(layout.longest()) }
    }

    /// Returns dropout(softmax(QKᵀ/√d + b))·V, `[batch, heads, queries, d]`. Keys and values are
    /// `[batch, heads, rows, d]`.
    fn attend(
        &self,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
        bias: Option<Tensor<2>>,
    ) -> Tensor<4> {
        let ([_, _, queries, width], precision) = (query.dims(), self.options.precision);
        let scale = 1.0 / (width as f64).sqrt();
        let mut scores = matmul(query.mul_scalar(scale), key.transpose(), precision); // [batch, heads, queries, rows]
        if let Some(bias) = bias {
            scores = scores + self.relative_bias(bias, queries);
        }
        let masked = match self.options.window {
            Some(window) => self.padding_mask(&scores).bool_or(self.window_mask(&scores, window)),
            None => self.padding_mask(&scores),
        };
        let scores = scores.mask_fill(masked, f32::NEG_INFINITY);
        matmul(self.dropout(softmax(scores, 3)), value, precision) // [batch, heads, queries, d]
    }

    /// Returns the bias of each query i and key j: row i − j + longest − 1, and 0 for padding. The output is
    /// `[1, heads, queries, rows]`.
    ///
    /// Each key gets a copy of the biases of all distances. The copies, one after another, are cut into rows that are
    /// shorter by one. So the row of each key is shifted by one more.
    fn relative_bias(&self, bias: Tensor<2>, queries: usize) -> Tensor<4> {
        let ([distances, num_heads], rows) = (bias.dims(), self.rows);
        let zeros = Tensor::<2>::zeros([num_heads, 2 * rows], (&bias.device(), bias.dtype()));
        let before = rows - self.layout.longest();
        let by_head = zeros.slice_assign([0..num_heads, before..before + distances], bias.transpose());
        let copies = by_head.unsqueeze_dim::<3>(1).expand([num_heads, rows, 2 * rows]); // one for each key
        let shifted = copies.reshape([num_heads, 2 * rows * rows]).narrow(1, 0, rows * (2 * rows - 1));
        let by_key = shifted.reshape([num_heads, rows, 2 * rows - 1]).narrow(2, rows - 1, queries);
        by_key.swap_dims(1, 2).unsqueeze()
    }

    /// Returns the mask of the keys that are padding, `[batch, heads, queries, rows]`.
    pub(crate) fn padding_mask(&self, scores: &Tensor<4>) -> Tensor<4, Bool> {
        let rows = self.rows;
        let masked = self.layout.lengths.iter().flat_map(|&length| (0..rows).map(move |row| row >= length));
        let masked = TensorData::new(masked.collect::<Vec<_>>(), [self.layout.batch_size(), 1, 1, rows]);
        Tensor::<4, Bool>::from_data(masked, &scores.device()).expand(scores.dims())
    }

    /// Returns the mask of the keys outside of the window of a query, `[batch, heads, queries, rows]`. Queries that are
    /// padding have no window, because a softmax needs a key that is not masked.
    fn window_mask(&self, scores: &Tensor<4>, window: usize) -> Tensor<4, Bool> {
        let ([batch_size, _, queries, rows], device) = (scores.dims(), scores.device());
        let positions = |count| Tensor::<1, Int>::arange(0..count as i64, &device);
        let query = positions(queries).reshape([1, 1, queries, 1]);
        let key = positions(rows).reshape([1, 1, 1, rows]);
        let distance = query.clone().expand([1, 1, queries, rows]) - key.expand([1, 1, queries, rows]);
        let outside = distance.abs().greater_elem(window.min(rows) as i64);
        let lengths = self.layout.lengths.iter().map(|&length| length as i64).collect::<Vec<_>>();
        let lengths = Tensor::<1, Int>::from_data(lengths.as_slice(), &device).reshape([batch_size, 1, 1, 1]);
        let query = query.expand([batch_size, 1, queries, 1]);
        let is_token = query.lower(lengths.expand([batch_size, 1, queries, 1]));
        outside.expand(scores.dims()).bool_and(is_token.expand(scores.dims()))
    }

    /// Reshapes `[num_tokens, hidden]` to `[batch, heads, rows, d]`.
    pub(crate) fn split(&self, x: Tensor<2>) -> Tensor<4> {
        let [_, hidden] = x.dims();
        let x = match self.layout.padded_to {
            Some(_) => x,
            None => {
                let indices = self.token_of_row(&x);
                x.select(0, indices)
            }
        };
        let num_heads = self.options.num_heads;
        x.reshape([self.layout.batch_size(), self.rows, num_heads, hidden / num_heads]).swap_dims(1, 2)
    }

    /// Reshapes `[batch, heads, rows, d]` to `[num_tokens, hidden]`.
    pub(crate) fn merge(&self, x: Tensor<4>) -> Tensor<2> {
        let [batch_size, num_heads, rows, d] = x.dims();
        let x = x.swap_dims(1, 2).reshape([batch_size * rows, num_heads * d]);
        match self.layout.padded_to {
            Some(_) => x,
            None => {
                let indices = self.row_of_token(&x);
                x.select(0, indices)
            }
        }
    }

    pub(crate) fn dropout(&self, probabilities: Tensor<4>) -> Tensor<4> {
        let Some(site) = DropoutSite::dropping(self.options.dropout) else { return probabilities };
        let shape @ [batch_size, num_heads, queries, rows] = probabilities.dims();
        let keys = site.attention_rows(batch_size, num_heads, queries);
        let mask = dropout_mask(&keys, rows, site.rate, &probabilities); // [batch * heads * queries, rows]
        probabilities * mask.reshape(shape)
    }

    /// Returns the token of each row of the rectangle. Rows after the end of a sequence repeat its first
    /// token; they are masked as keys.
    fn token_of_row(&self, like: &Tensor<2>) -> Tensor<1, Int> {
        let sequences = self.layout.starts().into_iter().zip(&self.layout.lengths);
        let rows = self.rows;
        let tokens = sequences.flat_map(|(start, &length)| {
            (0..rows).map(move |row| start + if row < length { row } else { 0 })
        });
        indices(tokens, like)
    }

    fn row_of_token(&self, like: &Tensor<2>) -> Tensor<1, Int> {
        let rows = self.rows;
        let sequences = self.layout.lengths.iter().enumerate();
        indices(
            sequences.flat_map(|(sequence, &length)| (0..length).map(move |row| sequence * rows + row)),
            like,
        )
    }
}

fn indices(values: impl Iterator<Item = usize>, like: &Tensor<2>) -> Tensor<1, Int> {
    let values = values.map(|value| value as i32).collect::<Vec<_>>();
    Tensor::from_data(values.as_slice(), &like.device())
}
