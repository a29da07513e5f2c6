//! Reference implementation of dropout. The mask keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate) is
//! computed in wrapping 32-bit integers.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::mask::{COLUMN_STEP, MIX, Mask, threshold};
use super::stream::DropoutSite;
use crate::layout::SequenceLayout;

/// Returns x ∘ mask; see [`dropout`](crate::dropout).
pub fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    let [rows, columns] = x.dims();
    let Some(mask) = Mask::of_rows(site, layout, rows) else { return x };
    let mask = dropout_mask(&mask.keys, columns, mask.rate, &x); // [rows, columns]
    x * mask
}

/// Returns the mask, `[rows, columns]`, from the keys of its rows. Its elements are 0 or 1/(1 − rate), on the
/// device of `like`.
pub fn dropout_mask<const D: usize>(keys: &[u32], columns: usize, rate: f64, like: &Tensor<D>) -> Tensor<2> {
    let integers = |values: Vec<u32>, shape| {
        let values = values.into_iter().map(|value| value as i32).collect::<Vec<_>>();
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), (&like.device(), DType::I32))
    };
    let steps = (0..columns as u32).map(|column| column.wrapping_mul(COLUMN_STEP)).collect();
    let steps = integers(steps, [1, columns]).expand([keys.len(), columns]);
    let keys = integers(keys.to_vec(), [keys.len(), 1]).expand([keys.len(), columns]);
    let x = xor_shifted(keys.bitwise_xor(steps), 16).mul_scalar(MIX[0] as i32);
    let x = xor_shifted(x, 15).mul_scalar(MIX[1] as i32);
    let hash = logical_right_shift(xor_shifted(x, 16), 8); // 24 bits, not negative
    let kept = hash.sub_scalar(threshold(rate) as i32 - 1).clamp(0, 1);
    kept.float().cast(like.dtype()).mul_scalar(1.0 / (1.0 - rate))
}

/// Returns x ^ (x >>> bits).
fn xor_shifted(x: Tensor<2, Int>, bits: i32) -> Tensor<2, Int> {
    x.clone().bitwise_xor(logical_right_shift(x, bits))
}

/// Returns x >>> bits. The mask clears the copies of the sign bit, which the arithmetic shift inserts.
fn logical_right_shift(x: Tensor<2, Int>, bits: i32) -> Tensor<2, Int> {
    x.bitwise_right_shift_scalar(bits).bitwise_and_scalar((u32::MAX >> bits) as i32)
}
