//! The operands of one tensor-core product, C ← A·B + C with A 16 × 16, B 16 × 8 and C 16 × 8, in the registers of a
//! plane of 32 units.
//!
//! Unit 4g + t has, as pairs of neighbours:
//! - of A: row g, columns 2t and 2t + 8; row g + 8, the same columns; in the order (g, 2t), (g + 8, 2t), (g, 2t + 8),
//!   (g + 8, 2t + 8)
//! - of B: column g, rows 2t and 2t + 8
//! - of C: columns 2t of row g, and of row g + 8
//!
//! In bf16 and fp16, that is one instruction. In TF32, it is two of 16 × 8 × 8.

use cubecl::cmma::MmaDefinition;
use cubecl::prelude::*;

/// Computes C ← A·B + C with the operand A number `step` and the sum number `number`.
#[cube]
pub(super) fn multiply_add<T: Float, N: Size>(
    operands: &Array<Vector<T, N>>,   // [steps, 4]
    b: &Array<Vector<T, N>>,          // [2]
    sums: &mut Array<Vector<f32, N>>, // [sums, 2]
    #[comptime] step: usize,
    #[comptime] number: usize,
) {
    let mut a = Array::<Vector<T, N>>::new(4usize);
    #[unroll]
    for i in 0..4usize {
        a[i] = operands[step * 4 + i];
    }
    let mut c = Array::<Vector<f32, N>>::new(2usize);
    c[0] = sums[number * 2];
    c[1] = sums[number * 2 + 1];
    let c = if T::size_bits().comptime() == 16 {
        MmaDefinition::<T, T, f32>::new(16usize, 8usize, 16usize).execute(&a, b, &c)
    } else {
        let c = multiply_add_eight(&a, b, &c, 0usize);
        multiply_add_eight(&a, b, &c, 1usize)
    };
    sums[number * 2] = c[0];
    sums[number * 2 + 1] = c[1];
}

/// Computes C ← A·B + C in TF32 with eight of the sixteen columns of A and rows of B.
///
/// The instruction takes columns t and t + 4 of unit 4g + t. It gets columns 2t and 2t + 1: the same sum in another order.
#[cube]
fn multiply_add_eight<T: Float, N: Size>(
    operands: &Array<Vector<T, N>>, // [4]
    b: &Array<Vector<T, N>>,        // [2]
    c: &Array<Vector<f32, N>>,      // [2]
    #[comptime] half: usize,
) -> Array<Vector<f32, N>> {
    let mut a = Array::<Vector<T, Const<1>>>::new(4usize); // (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)
    let mut columns = Array::<Vector<T, Const<1>>>::new(2usize);
    #[unroll]
    for side in 0..2usize {
        a[2 * side] = Vector::new(operands[2 * half].extract(side));
        a[2 * side + 1] = Vector::new(operands[2 * half + 1].extract(side));
        columns[side] = Vector::new(b[half].extract(side));
    }
    MmaDefinition::<T, T, f32>::new(16usize, 8usize, 8usize).execute(&a, &columns, c)
}

/// Returns `count` sums C that are 0, `[count, 2]`.
#[cube]
pub(super) fn zero_sums<N: Size>(#[comptime] count: usize) -> Array<Vector<f32, N>> {
    let mut sums = Array::<Vector<f32, N>>::new(comptime!(2 * count));
    #[unroll]
    for i in 0..comptime!(2 * count) {
        sums[i] = Vector::new(0.0f32);
    }
    sums
}

/// Returns sums as operands A, rounded: two neighbouring sums are one operand, `[count / 2, 4]`.
#[cube]
pub(super) fn as_operands<T: Float, N: Size>(
    sums: &Array<Vector<f32, N>>, // [count, 2]
    #[comptime] count: usize,
) -> Array<Vector<T, N>> {
    let mut operands = Array::<Vector<T, N>>::new(comptime!(2 * count));
    #[unroll]
    for i in 0..comptime!(2 * count) {
        operands[i] = Vector::cast_from(sums[i]);
    }
    operands
}

/// Returns the pair (x, y).
#[cube]
pub(super) fn pair<N: Size>(x: f32, y: f32) -> Vector<f32, N> {
    let mut pair = Vector::<f32, N>::empty();
    pair.insert(0usize, x);
    pair.insert(1usize, y);
    pair
}

/// Returns the sum over the four units that share a row of C.
#[cube]
pub(super) fn sum_of_row(x: f32) -> f32 {
    let x = x + plane_shuffle_xor(x, 1u32);
    x + plane_shuffle_xor(x, 2u32)
}

/// Returns the maximum over the four units that share a row of C.
#[cube]
pub(super) fn max_of_row(x: f32) -> f32 {
    let x = max(x, plane_shuffle_xor(x, 1u32));
    max(x, plane_shuffle_xor(x, 2u32))
}
