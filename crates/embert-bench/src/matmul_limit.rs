//! The highest rate of a matrix product on this machine: GFLOP/s of [2048 x 768] x [768 x 3072].

use burn::tensor::{Distribution, Tensor};
use embert_kernels::{Precision, linear};

use crate::{device, measure::time};

const SIZES: [usize; 3] = [2048, 768, 3072];

/// Floating-point operations per second in fp32 and bf16.
pub(crate) struct MatmulLimit {
    fp32: f64,
    bf16: f64,
}

impl MatmulLimit {
    pub(crate) fn measure() -> Self {
        let [fp32, bf16] = [Precision::Fp32, Precision::Bf16].map(best);
        let [rows, inner, columns] = SIZES;
        let (fast, faster) = (fp32 / 1e9, bf16 / 1e9);
        println!(
            "  products [{rows} x {inner}] x [{inner} x {columns}]: fp32 {fast:.0}, bf16 {faster:.0} GFLOP/s"
        );
        Self { fp32, bf16 }
    }

    pub(crate) fn of(&self, precision: Precision) -> f64 {
        match precision {
            Precision::Fp32 | Precision::Tf32 => self.fp32,
            Precision::Bf16 | Precision::Fp16 => self.bf16,
        }
    }
}

fn best(precision: Precision) -> f64 {
    let (device, _) = device::open();
    let [rows, inner, columns] = SIZES;
    let x = Tensor::<2>::random([rows, inner], Distribution::Default, &device);
    let weight = Tensor::<2>::random([inner, columns], Distribution::Default, &device);
    let seconds = time(|| {
        let y = linear(x.clone(), weight.clone(), None, precision); // [rows, columns]
        device.sync().expect("the device works");
        y
    });
    (2 * rows * inner * columns) as f64 / seconds.min
}
