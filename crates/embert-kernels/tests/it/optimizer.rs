//! AdamW and the squared norm on the CPU.

use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::{AdamWParameter, AdamWStep, Moments, RowsOfStep, TableRows};

use crate::compare::values;

fn step(t: i32, weight_decay: f64) -> AdamWStep {
    AdamWStep { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay, step: t }
}

#[test]
fn adamw_matches_the_reference() {
    let device = Device::flex();
    let vector = |salt, dtype| {
        let data = TensorData::new(values(70_000, salt), [70_000]).convert_dtype(dtype);
        Tensor::<1>::from_data(data, (&device, dtype))
    };
    let steps = |dtype| {
        let zeros = vector(1, dtype).zeros_like();
        let scale = Tensor::<1>::full([1], 0.3, (&device, dtype));
        let start = (vector(0, dtype), Moments { mean: zeros.clone(), mean_of_squares: zeros });
        let (values, moments) = (1..=5).fold(start, |(values, moments), t| {
            embert_kernels::adamw(values, vector(t as usize, dtype), scale.clone(), moments, &step(t, 0.01))
        });
        [values, moments.mean, moments.mean_of_squares]
            .map(|tensor| tensor.into_data().iter::<f64>().collect::<Vec<_>>())
    };
    let (got, expected) = (steps(DType::F32), steps(DType::F64));
    for (got, expected) in got.iter().zip(&expected) {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-6 * expected.abs().max(0.01), "{got} is not {expected}");
        }
    }
}

/// Some rows have a gradient in the first step, others in the second, and the last step has all that have moments.
#[test]
fn adamw_of_rows_is_adamw_of_the_table_with_zeros() {
    const TABLE_ROWS: u32 = 700; // more than one task
    for (dtype, columns) in [(DType::F32, 20), (DType::F32, 1), (DType::F64, 3)] {
        let vector = |salt, rows: usize| {
            let data = TensorData::new(values(rows * columns, salt), [rows * columns]).convert_dtype(dtype);
            Tensor::<1>::from_data(data, (&Device::flex(), dtype))
        };
        let all = TableRows::new(0..TABLE_ROWS);
        let steps =
            [vec![699, 3, 0, 3, 256], vec![255, 256, 511], vec![3], (0..TABLE_ROWS).step_by(7).collect()];
        let zeros = |rows| vector(0, rows).zeros_like();
        let moments = |rows| Moments { mean: zeros(rows), mean_of_squares: zeros(rows) };
        let mut rows = TableRows::new(steps[0].iter().copied());
        let mut some = (vector(1, TABLE_ROWS as usize), moments(rows.as_slice().len()));
        let mut complete = (vector(1, TABLE_ROWS as usize), moments(TABLE_ROWS as usize));
        for (t, read) in steps.into_iter().enumerate() {
            let step = step(t as i32 + 1, if t == 2 { 0.0 } else { 0.01 });
            let scale = Tensor::<1>::full([1], 0.3, (&Device::flex(), dtype));
            let read = TableRows::new(read);
            let gradient = vector(2 + t, read.as_slice().len());
            let dense = read.spread(gradient.clone(), &all);
            complete = embert_kernels::adamw(complete.0, dense, scale.clone(), complete.1, &step);
            let more = rows.union(&read);
            let (values, Moments { mean, mean_of_squares }) = some;
            let [mean, mean_of_squares] = [mean, mean_of_squares].map(|moment| rows.spread(moment, &more));
            rows = more;
            let parameter =
                AdamWParameter { values, gradient, moments: Moments { mean, mean_of_squares }, step };
            let of_step = RowsOfStep { gradient: &read, moments: &rows };
            some = embert_kernels::adamw_rows(parameter, scale, of_step);
        }
        let bits = |x: Tensor<1>| x.into_data().iter::<f64>().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(some.0), bits(complete.0), "{dtype:?}, {columns} columns");
        for (some, complete) in
            [(some.1.mean, complete.1.mean), (some.1.mean_of_squares, complete.1.mean_of_squares)]
        {
            assert_eq!(bits(rows.spread(some, &all)), bits(complete), "{dtype:?}, {columns} columns");
        }
    }
}

#[test]
fn sum_of_squares_matches_a_direct_sum() {
    for len in [1, 100_003] {
        let data = TensorData::new(values(len, 5), [len]);
        let expected = data.iter::<f64>().map(|value| value * value).sum::<f64>();
        let x = Tensor::<1>::from_data(data.convert_dtype(DType::F32), &Device::flex());
        let found = embert_kernels::sum_of_squares(x).into_scalar::<f64>();
        assert!((found / expected - 1.0).abs() < 1e-6);
    }
}
