//! O = dropout(softmax(QKᵀ/√d))·V, and its gradients, without a matrix of size length² in memory (Dao et al., 2022).
//!
//! A unit has a query, or in backward a key, in its registers; the cube goes with all its units over the other side in tiles
//! of shared memory, which it reads once for all of them.

mod backward;
mod forward;
mod tile;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::dropout::{Mask, Uploaded};
use super::memory::{unwritten, upload};
use crate::{DropoutSite, SequenceLayout};
use tile::WidthLaunch;

/// Units of a cube, each with a row of its own.
const UNITS: usize = 64;
/// Numbers in a tile: two of them fill the 16 KiB of shared memory that every device has.
const TILE: usize = 2048;
/// The widest head whose rows fit into registers.
const WIDEST: usize = 128;

/// What attention is told beside query, key and value.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    /// The first row, the tokens and the rows of each sequence, `[batch, 3]`.
    sequences: Arc<[u32]>,
    most_rows: usize,
    num_heads: usize,
    mask: Option<Mask>,
}

impl Heads {
    /// `None` for heads that are too wide.
    pub(crate) fn new(
        layout: &SequenceLayout,
        num_heads: usize,
        hidden: usize,
        site: Option<DropoutSite>,
    ) -> Option<Self> {
        let sequences = layout.starts().into_iter().zip(&layout.lengths).zip(layout.rows());
        let sequences =
            sequences.flat_map(|((start, &length), rows)| [start, length, rows].map(|n| n as u32));
        (hidden / num_heads <= WIDEST).then(|| Self {
            sequences: sequences.collect(),
            most_rows: layout.rows().max().unwrap_or(0),
            num_heads,
            mask: Mask::of_heads(site, layout, num_heads),
        })
    }

    pub(crate) fn num_heads(&self) -> usize {
        self.num_heads
    }

    /// A cube for each block of rows of each head of each sequence.
    fn cubes(&self) -> CubeCount {
        let [blocks, batch_size] = [self.most_rows.div_ceil(UNITS), self.sequences.len() / 3];
        CubeCount::Static(blocks as u32, self.num_heads as u32, batch_size as u32)
    }
}

/// Numbers that are loaded at once.
fn lanes(d: usize) -> usize {
    [4, 2, 1].into_iter().find(|&lanes| d.is_multiple_of(lanes)).unwrap_or(1)
}

/// How a head of d columns lies in memory.
fn width(d: usize, num_tokens: usize) -> WidthLaunch {
    WidthLaunch::new(num_tokens, 1.0 / (d as f32).sqrt(), d / lanes(d), (TILE / d).min(UNITS))
}

/// The output, zeros in padding, and log Σ exp of each row of scores, `[num_heads, num_tokens]`.
pub(super) fn forward(qkv: CubeTensor, heads: &Heads) -> (CubeTensor, CubeTensor) {
    let [num_tokens, columns] = qkv.shape().dims();
    let output = unwritten(&qkv, [num_tokens, columns / 3]);
    let log_sums = unwritten(&qkv, [heads.num_heads, num_tokens]);
    let (d, mask) = (columns / 3 / heads.num_heads, Uploaded::new(heads.mask.as_ref(), &qkv));
    if num_tokens > 0 {
        forward::attend::launch(
            &qkv.client.clone(),
            heads.cubes(),
            CubeDim::new_1d(UNITS as u32),
            lanes(d),
            upload(&qkv, &heads.sequences).into_buffer_arg(),
            qkv.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            log_sums.clone().into_buffer_arg(),
            mask.launch(),
            width(d, num_tokens),
        );
    }
    (output, log_sums)
}

/// The gradient of query, key and value, `[num_tokens, 3 · hidden]`.
pub(super) fn backward(
    qkv: CubeTensor,
    output: CubeTensor,
    log_sums: CubeTensor,
    gradient: CubeTensor,
    heads: &Heads,
) -> CubeTensor {
    let shape @ [num_tokens, columns] = qkv.shape().dims();
    let dqkv = unwritten(&qkv, shape);
    let products = unwritten(&qkv, [heads.num_heads, num_tokens]); // Σ dO∘O of each row
    let (d, mask) = (columns / 3 / heads.num_heads, Uploaded::new(heads.mask.as_ref(), &qkv));
    let (client, sequences) = (qkv.client.clone(), upload(&qkv, &heads.sequences));
    if num_tokens == 0 {
        return dqkv;
    }
    backward::query_gradient::launch(
        &client,
        heads.cubes(),
        CubeDim::new_1d(UNITS as u32),
        lanes(d),
        sequences.clone().into_buffer_arg(),
        qkv.clone().into_buffer_arg(),
        output.into_buffer_arg(),
        gradient.clone().into_buffer_arg(),
        log_sums.clone().into_buffer_arg(),
        dqkv.clone().into_buffer_arg(),
        products.clone().into_buffer_arg(),
        mask.launch(),
        width(d, num_tokens),
    );
    for of_value in [false, true] {
        backward::key_or_value_gradient::launch(
            &client,
            heads.cubes(),
            CubeDim::new_1d(UNITS as u32),
            lanes(d),
            sequences.clone().into_buffer_arg(),
            qkv.clone().into_buffer_arg(),
            gradient.clone().into_buffer_arg(),
            log_sums.clone().into_buffer_arg(),
            products.clone().into_buffer_arg(),
            dqkv.clone().into_buffer_arg(),
            mask.launch(),
            width(d, num_tokens),
            of_value,
        );
    }
    dqkv
}
