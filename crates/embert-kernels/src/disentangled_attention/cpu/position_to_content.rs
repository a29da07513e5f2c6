//! p2c of a sequence: R = K·PQᵀ, `[keys, positions]`, and score (j, i) has element (j, m) with the position m of i − j.

use super::batch::{Offsets, Positions, QueryTile};
use super::projection_gradients::{add_rows, product_len};
use crate::attention::cpu::packed_operand::{PackedOperand, multiply};
use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::{Kernel, Matrix};

/// p2c for one head of a sequence. The memory is reused.
#[derive(Default)]
pub(super) struct PositionToContent {
    left: PackedOperand,
    right: PackedOperand,
    /// R, `[keys, positions]`.
    relative: AlignedBuffer,
    /// dR, `[keys, positions]`.
    drelative: AlignedBuffer,
    dprojection: AlignedBuffer,
}

impl PositionToContent {
    /// Begins with the rows of PQ, `[positions, width]`, and the keys, `[keys, width]`, for one head of a sequence.
    pub(super) fn begin<K: Kernel>(&mut self, kernel: K, projection: Matrix<'_>, keys: Matrix<'_>) {
        self.left.pack_left(kernel, keys);
        self.right.pack_right(kernel, projection);
        let relative = self.relative.floats_mut(product_len::<K>(keys.rows, projection.rows));
        multiply(kernel, self.left.all(), self.right.all(), false, relative);
    }

    /// Begins the backward pass.
    pub(super) fn begin_backward<K: Kernel>(&mut self, kernel: K, projection: Matrix<'_>, keys: Matrix<'_>) {
        self.begin(kernel, projection, keys);
        self.drelative.floats_mut(product_len::<K>(keys.rows, projection.rows)).fill(0.0);
    }

    /// Adds p2c to a tile of scores, `[keys, queries]`.
    pub(super) fn add_scores<K: Kernel>(&self, positions: &Positions, tile: QueryTile, scores: &mut [f32]) {
        let stride = positions.count.next_multiple_of(K::NR);
        let relative = self.relative.floats(scores.len() / K::NR * stride);
        let rows = scores.chunks_exact_mut(K::NR).zip(relative.chunks_exact(stride));
        for (key, (scores, relative)) in rows.enumerate() {
            match positions.of(tile.first, tile.count, key) {
                Offsets::From(first) => {
                    let relative = &relative[first..][..tile.count];
                    scores.iter_mut().zip(relative).for_each(|(score, r)| *score += r);
                }
                Offsets::Each(positions) => {
                    scores.iter_mut().zip(positions).for_each(|(score, &m)| *score += relative[m]);
                }
            }
        }
    }

    /// Adds a tile of dS, `[keys, queries]`, to dR.
    pub(super) fn add_gradients<K: Kernel>(
        &mut self,
        positions: &Positions,
        tile: QueryTile,
        dscores: &[f32],
    ) {
        let stride = positions.count.next_multiple_of(K::NR);
        let drelative = self.drelative.floats_mut(dscores.len() / K::NR * stride);
        let rows = dscores.chunks_exact(K::NR).zip(drelative.chunks_exact_mut(stride));
        for (key, (dscores, drelative)) in rows.enumerate() {
            match positions.of(tile.first, tile.count, key) {
                Offsets::From(first) => {
                    let drelative = &mut drelative[first..][..tile.count];
                    drelative.iter_mut().zip(dscores).for_each(|(dr, ds)| *dr += ds);
                }
                Offsets::Each(positions) => {
                    dscores.iter().zip(positions).for_each(|(ds, &m)| drelative[m] += ds);
                }
            }
        }
    }

    /// Computes dK += dR·PQ, `[keys, width]`.
    pub(super) fn add_key_gradient<K: Kernel>(
        &mut self,
        kernel: K,
        projection: Matrix<'_>,
        keys: Matrix<'_>,
        dk: &mut [f32],
    ) {
        let drelative = gradient::<K>(&self.drelative, keys.rows, projection.rows);
        self.left.pack_left(kernel, drelative);
        self.right.pack_right(kernel, projection.t());
        multiply(kernel, self.left.all(), self.right.all(), true, dk);
    }

    /// Computes dPQ += dRᵀ·K, `[2 · span, width]`.
    pub(super) fn add_projection_gradient<K: Kernel>(
        &mut self,
        kernel: K,
        positions: &Positions,
        keys: Matrix<'_>,
        dprojection: &mut [f32],
    ) {
        let drelative = gradient::<K>(&self.drelative, keys.rows, positions.count);
        self.left.pack_left(kernel, drelative.t());
        self.right.pack_right(kernel, keys.t());
        let product = self.dprojection.floats_mut(product_len::<K>(positions.count, keys.columns));
        multiply(kernel, self.left.all(), self.right.all(), false, product); // [positions, width]
        add_rows::<K>(dprojection, keys.columns, positions.first, positions.count, &self.dprojection);
    }
}

/// Returns a view of dR.
fn gradient<K: Kernel>(drelative: &AlignedBuffer, keys: usize, positions: usize) -> Matrix<'_> {
    let stride = positions.next_multiple_of(K::NR);
    Matrix::strided(drelative.floats(keys * stride), keys, positions, stride)
}
