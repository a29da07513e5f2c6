//! Launches the embedding kernels.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sequences::Sequences;
use super::{backward, forward, sort};
use crate::cube::grid::{grid, lanes};
use crate::cube::memory::{element_type, uninitialized, uninitialized_of, zeros};
use crate::cube::parts;
use crate::cube::planes::PLANE_UNITS;

/// The number of units of a cube of the forward kernel, and the maximum for a cube that adds rows.
const UNITS: usize = 256;
/// The maximum number of partial sums of the token types.
const MAX_PARTS: usize = 512;

/// Returns word[id] + position[p] + token_type[t], `[rows, hidden]`.
pub(super) fn forward(
    ids: CubeTensor,
    [word, position, token_type]: [CubeTensor; 3],
    sequences: &Sequences,
    has_types: bool,
) -> CubeTensor {
    let ([_, hidden], rows) = (word.shape().dims(), sequences.num_rows);
    let y = uninitialized(&word, [rows, hidden]);
    let vectors = hidden / lanes(hidden);
    let dtype = element_type(ids.dtype);
    if rows > 0 {
        forward::embed::launch(
            &word.client.clone(),
            grid((rows * vectors).div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            lanes(hidden),
            ids.into_buffer_arg(),
            word.into_buffer_arg(),
            position.into_buffer_arg(),
            token_type.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            sequences.launch(&y),
            rows,
            vectors,
            has_types,
            dtype,
        );
    }
    y
}

/// Returns the gradient of the word embeddings, `[vocab_size, hidden]`.
pub(super) fn word_gradient(
    gradient: CubeTensor,
    ids: CubeTensor,
    sequences: &Sequences,
    vocab_size: usize,
) -> CubeTensor {
    let [rows, hidden] = gradient.shape().dims();
    let (table, tokens) = (zeros(&gradient, [vocab_size, hidden]), sequences.num_tokens);
    if tokens == 0 {
        return table;
    }
    let client = gradient.client.clone();
    let [sorted_ids, sorted_rows] = [(); 2].map(|()| uninitialized_of(&gradient, [rows], DType::U32));
    let dtype = element_type(ids.dtype);
    sort::sort_by_id::launch(
        &client,
        grid(rows.div_ceil(sort::TOKENS_PER_CUBE)),
        CubeDim::new_1d(sort::UNITS as u32),
        ids.into_buffer_arg(),
        sorted_ids.clone().into_buffer_arg(),
        sorted_rows.clone().into_buffer_arg(),
        sequences.launch(&gradient),
        rows,
        dtype,
    );
    backward::sum_rows_of_ids::launch(
        &client,
        grid(tokens),
        CubeDim::new_1d(backward::UNITS as u32),
        lanes(hidden),
        gradient.into_buffer_arg(),
        sorted_ids.into_buffer_arg(),
        sorted_rows.into_buffer_arg(),
        table.clone().into_buffer_arg(),
        tokens,
        hidden / lanes(hidden),
    );
    table
}

/// Returns the gradient of the position embeddings, `[num_positions, hidden]`.
pub(super) fn position_gradient(
    gradient: CubeTensor,
    sequences: &Sequences,
    num_positions: usize,
) -> CubeTensor {
    let [_, hidden] = gradient.shape().dims();
    let table = uninitialized(&gradient, [num_positions, hidden]);
    backward::sum_rows_of_positions::launch(
        &gradient.client.clone(),
        grid(num_positions),
        row_units(hidden / lanes(hidden)),
        lanes(hidden),
        gradient.into_buffer_arg(),
        table.clone().into_buffer_arg(),
        sequences.launch(&table),
        num_positions,
        hidden / lanes(hidden),
    );
    table
}

/// Returns the gradient of the token type embeddings, `[num_types, hidden]`.
pub(super) fn type_gradient(gradient: CubeTensor, sequences: &Sequences, num_types: usize) -> CubeTensor {
    let [rows, hidden] = gradient.shape().dims();
    let (client, vectors) = (gradient.client.clone(), hidden / lanes(hidden));
    let rows_per_part = rows.div_ceil(MAX_PARTS).max(1);
    let num_parts = rows.div_ceil(rows_per_part).max(1);
    let partial = uninitialized(&gradient, [num_parts, 2, hidden]);
    let table = uninitialized(&gradient, [num_types, hidden]);
    backward::sum_rows_of_types::launch(
        &client,
        CubeCount::Static(num_parts as u32, 1, 1),
        row_units(hidden / lanes(hidden)),
        lanes(hidden),
        gradient.into_buffer_arg(),
        partial.clone().into_buffer_arg(),
        sequences.launch(&table),
        rows,
        rows_per_part,
        vectors,
    );
    backward::sum_types::launch(
        &client,
        CubeCount::Static(vectors.div_ceil(parts::VECTORS_PER_CUBE) as u32, num_types as u32, 1),
        CubeDim::new_1d(parts::UNITS as u32),
        lanes(hidden),
        partial.into_buffer_arg(),
        table.clone().into_buffer_arg(),
        num_parts,
        vectors,
    );
    table
}

/// Returns the units of a cube that adds rows: one for each vector of a row, if there are enough.
fn row_units(vectors: usize) -> CubeDim {
    CubeDim::new_1d(vectors.next_multiple_of(PLANE_UNITS).min(UNITS) as u32)
}
