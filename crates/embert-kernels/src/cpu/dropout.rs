//! The dropout mask by rows, threaded: keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate).

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Shape, TensorData};
use rayon::prelude::*;

use crate::extension::KernelOps;
use crate::reference::{COLUMN_STEP, MIX, threshold};

/// Rows that one task takes, so that small masks are not split at all.
const ROWS_PER_TASK: usize = 64;

impl KernelOps for Flex {
    fn dropout_mask(keys: FlexTensor, columns: usize, rate: f64) -> FlexTensor {
        let keys = keys.to_contiguous();
        let keys: &[i32] = keys.storage();
        let mut mask = vec![0f32; keys.len() * columns]; // [rows, columns]
        let threshold = threshold(rate);
        let scale = (1.0 / (1.0 - rate)) as f32;
        mask.par_chunks_mut(columns * ROWS_PER_TASK).zip(keys.par_chunks(ROWS_PER_TASK)).for_each(
            |(mask, keys)| {
                for (row, &key) in mask.chunks_exact_mut(columns).zip(keys) {
                    fill_row(row, key as u32, threshold, scale);
                }
            },
        );
        FlexTensor::from_data(TensorData::new(mask, Shape::new([keys.len(), columns])))
    }
}

fn fill_row(row: &mut [f32], key: u32, threshold: u32, scale: f32) {
    for (column, value) in row.iter_mut().enumerate() {
        let kept = lowbias32(key ^ (column as u32).wrapping_mul(COLUMN_STEP)) >> 8 >= threshold;
        *value = if kept { scale } else { 0.0 };
    }
}

fn lowbias32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(MIX[0]);
    let x = (x ^ (x >> 15)).wrapping_mul(MIX[1]);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Int, Tensor};

    use super::*;
    use crate::reference;

    #[test]
    fn mask_is_that_of_the_primitives() {
        let keys = (0..70u32).map(|row| lowbias32(row) as i32).collect::<Vec<_>>();
        for rate in [0.1, 0.5, 0.999] {
            let data = TensorData::new(keys.clone(), [70, 1]);
            let tensor = Tensor::<2, Int>::from_data(data, (&Device::flex(), DType::I32));
            let keys = tensor.try_into_primitive::<Flex>().expect("a tensor of this backend");
            let fast = <Flex as KernelOps>::dropout_mask(keys.clone(), 33, rate).into_data();
            fast.assert_eq(&reference::dropout_mask::<Flex>(keys, 33, rate).into_data(), true);
        }
    }

    #[test]
    fn the_share_of_zeros_is_the_rate_in_rows_and_in_columns() {
        let (rows, columns) = (2000, 300);
        let keys = (0..rows as u32).map(|row| lowbias32(row) as i32).collect::<Vec<_>>();
        let keys = FlexTensor::from_data(TensorData::new(keys, [rows, 1]));
        let mask = <Flex as KernelOps>::dropout_mask(keys, columns, 0.1);
        let mask = mask.storage::<f32>();
        let zeros = |values: &mut dyn Iterator<Item = &f32>, n: usize| {
            values.filter(|&&value| value == 0.0).count() as f64 / n as f64
        };
        assert!((zeros(&mut mask.iter(), mask.len()) - 0.1).abs() < 0.002); // 5 standard deviations
        for column in 0..columns {
            let share = zeros(&mut mask.iter().skip(column).step_by(columns), rows);
            assert!((share - 0.1).abs() < 0.035, "column {column}: {share}"); // 5 standard deviations
        }
        for (row, values) in mask.chunks(columns).enumerate() {
            let share = zeros(&mut values.iter(), columns);
            assert!((share - 0.1).abs() < 0.1, "row {row}: {share}"); // 6 standard deviations
        }
    }
}
