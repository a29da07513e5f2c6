//! The dropout mask in primitives: keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate), in 32-bit integers that wrap.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{FloatDType, IntDType, Shape};

/// What the columns of a mask are spread by before they meet the row's key: 2³² / φ, odd.
pub(crate) const COLUMN_STEP: u32 = 0x9e37_79b9;
/// The multipliers of `lowbias32`, a 32-bit mixer found by search (Chris Wellons, hash-prospector).
pub(crate) const MIX: [u32; 2] = [0x7feb_352d, 0x846c_a68b];

/// Hash values below this are dropped, out of 2²⁴.
pub(crate) fn threshold(rate: f64) -> u32 {
    (rate * f64::from(1 << 24)).round() as u32
}

/// The mask `[rows, columns]` for row keys `[rows, 1]`.
pub(crate) fn dropout_mask<B: Backend>(keys: IntTensor<B>, columns: usize, rate: f64) -> FloatTensor<B> {
    let [rows, _] = keys.shape().dims();
    let shape = Shape::new([rows, columns]);
    let steps = B::int_arange(0..columns as i64, &keys.device(), IntDType::I32);
    let steps = B::int_mul_scalar(steps, (COLUMN_STEP as i32).into()); // [columns]
    let steps = B::int_expand(B::int_reshape(steps, Shape::new([1, columns])), shape.clone());
    let x = B::bitwise_xor(B::int_expand(keys, shape), steps); // [rows, columns]
    let x = B::int_mul_scalar(xor_shifted::<B>(x, 16), (MIX[0] as i32).into());
    let x = B::int_mul_scalar(xor_shifted::<B>(x, 15), (MIX[1] as i32).into());
    let hash = logical_right_shift::<B>(xor_shifted::<B>(x, 16), 8); // 24 bits, not negative
    let kept = B::int_sub_scalar(hash, (threshold(rate) as i32 - 1).into());
    let kept = B::int_clamp(kept, 0i32.into(), 1i32.into());
    B::float_mul_scalar(B::int_into_float(kept, FloatDType::F32), (1.0 / (1.0 - rate)).into())
}

/// x ^ (x >>> bits).
fn xor_shifted<B: Backend>(x: IntTensor<B>, bits: i32) -> IntTensor<B> {
    B::bitwise_xor(x.clone(), logical_right_shift::<B>(x, bits))
}

/// x >>> bits: the sign's copies, which an arithmetic shift brings in, are cut off.
fn logical_right_shift<B: Backend>(x: IntTensor<B>, bits: i32) -> IntTensor<B> {
    let mask = (u32::MAX >> bits) as i32;
    B::bitwise_and_scalar(B::bitwise_right_shift_scalar(x, bits.into()), mask.into())
}
