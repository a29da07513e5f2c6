//! GELU on the CPU: y = h·Φ(h), h = x + b; dy/dh = Φ(h) + h·φ(h), with φ = dΦ/dh. Φ(h) = ½(1 + erf(h/√2)), or
//! approximately 1/(1 + e^(−2u)) = ½(1 + tanh u) with u = √(2/π)·(h + 0.044715·h³).

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{DType, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::GeluApproximation;
use crate::autodiff::custom_op;
use crate::cpu::linear::{self, input_gradient, weight_gradients};
use crate::cpu::math::{exp, normal_cdf, normal_pdf};
use crate::cpu::output_buffer::{OutputBuffer, Writer, optional_writers};
use crate::cpu::saved_tensor::{SavedRows, SavedTensor};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec, sum_in_order};
use crate::cpu::vectors::{add_assign, load, store};
use crate::precision::Precision;

/// The number of rows in one task. The order of addition of the bias gradient depends on it.
const ROWS_PER_TASK: usize = 64;

pub(super) fn bias_gelu(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    approximation: GeluApproximation,
) -> Tensor<2> {
    let bias = or_zeros(bias, &x);
    custom_op::<Flex, 2, 2, _>([x.into_dispatch(), bias.into_dispatch()], |[x, bias], tracked| {
        let cpu = Cpu::fp32();
        let saved = tracked.contains(&true).then(|| SavedTensor::Fp32(x.clone()));
        let y = forward(cpu, x, as_slice(&bias), approximation);
        let backward_fn = move |mut g: FlexTensor, _| {
            let Some(x) = &saved else { return [None, None] };
            let db = backward(cpu, x, (as_slice(&bias), approximation), g.storage_mut(), None);
            [Some(g), Some(from_vec(db, bias.shape().dims::<1>()))]
        };
        (y, backward_fn)
    })
}

/// Saves only x. The backward pass computes the activation again.
pub(super) fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    weight: Tensor<2>,
    approximation: GeluApproximation,
    precision: Precision,
) -> Tensor<2> {
    let bias = or_zeros(bias, &x);
    let inputs = [x.into_dispatch(), bias.into_dispatch(), weight.into_dispatch()];
    custom_op::<Flex, 3, 2, _>(inputs, |[x, bias, weight], tracked| {
        let (cpu, shape, weights) = (Cpu::new(precision), x.shape().dims::<2>(), [weight]);
        let saved = tracked.contains(&true).then(|| SavedTensor::new(cpu, x.clone()));
        let activation = forward(cpu, x, as_slice(&bias), approximation);
        let y = linear::forward(cpu, &activation, &weights, &[None]);
        let backward_fn = move |g: FlexTensor, [_, _, weight_needed]: [bool; 3]| {
            let Some(x) = &saved else { return [const { None }; 3] };
            let mut dx = input_gradient(cpu, &g, &weights);
            let mut activation = weight_needed.then(|| OutputBuffer::new(shape[0] * shape[1]));
            let of_x = (as_slice(&bias), approximation);
            let db = backward(cpu, x, of_x, dx.storage_mut(), activation.as_mut());
            let activation = activation.map(|activation| from_vec(activation.into_vec(), shape));
            let dw =
                activation.and_then(|activation| weight_gradients(cpu, &activation, &g, &[true]).remove(0));
            [Some(dx), Some(from_vec(db, [shape[1]])), dw]
        };
        (y, backward_fn)
    })
}

fn or_zeros(bias: Option<Tensor<1>>, x: &Tensor<2>) -> Tensor<1> {
    bias.unwrap_or_else(|| Tensor::zeros([x.dims()[1]], (&x.device(), DType::F32)))
}

/// Returns gelu(x + b). Computes in place if no other tensor shares the memory of x.
fn forward(cpu: Cpu, mut x: FlexTensor, bias: &[f32], approximation: GeluApproximation) -> FlexTensor {
    let task = bias.len() * ROWS_PER_TASK;
    if let Some(h) = x.try_storage_mut() {
        h.par_chunks_mut(task).for_each(|h| cpu.vectorize(ForwardInPlace { h, bias, approximation }));
        return x;
    }
    let mut y = OutputBuffer::new(as_slice(&x).len());
    let tasks = y.writers(task).into_par_iter().zip(as_slice(&x).par_chunks(task));
    tasks.for_each(|(y, x)| cpu.vectorize(Forward { y, x, bias, approximation }));
    from_vec(y.into_vec(), x.shape().dims::<2>())
}

/// Replaces the gradient of gelu(x + b) by the gradient of x, and returns the gradient of b. If `activation`
/// is given, writes gelu(x + b) to it.
fn backward(
    cpu: Cpu,
    x: &SavedTensor,
    (bias, approximation): (&[f32], GeluApproximation),
    gradient: &mut [f32],
    activation: Option<&mut OutputBuffer>,
) -> Vec<f32> {
    let task = bias.len() * ROWS_PER_TASK;
    let activations = optional_writers(activation, gradient.len(), task);
    let chunks = gradient.par_chunks_mut(task).zip(activations).enumerate();
    let parts = chunks.map(|(i, (gradient, activation))| {
        let x = x.range(i * task..i * task + gradient.len());
        cpu.vectorize(Backward { gradient, activation, x, bias, approximation })
    });
    sum_in_order(parts.collect())
}

struct ForwardInPlace<'a> {
    h: &'a mut [f32],
    bias: &'a [f32],
    approximation: GeluApproximation,
}

impl WithSimd for ForwardInPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.h.chunks_exact_mut(self.bias.len()) {
            for offset in (0..row.len()).step_by(S::F32_LANES) {
                let y = activation(simd, row, self.bias, self.approximation, offset);
                store(simd, row, offset, y);
            }
        }
    }
}

struct Forward<'a> {
    y: Writer<'a>,
    x: &'a [f32],
    bias: &'a [f32],
    approximation: GeluApproximation,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for x in self.x.chunks_exact(self.bias.len()) {
            self.y.row(simd, x.len(), |offset| activation(simd, x, self.bias, self.approximation, offset));
        }
    }
}

/// Returns gelu(x + b) from column `offset` on.
#[inline(always)]
fn activation<S: Simd>(
    simd: S,
    x: &[f32],
    bias: &[f32],
    approximation: GeluApproximation,
    offset: usize,
) -> S::f32s {
    let h = simd.add_f32s(load(simd, x, offset), load(simd, bias, offset));
    let cdf = match approximation {
        GeluApproximation::None => normal_cdf(simd, h),
        GeluApproximation::Tanh => tanh_cdf(simd, h),
    };
    simd.mul_f32s(h, cdf)
}

/// The factors of u = √(2/π)·(h + 0.044715·h³).
const OF_H: f32 = 0.797_884_6;
const OF_CUBE: f32 = OF_H * 0.044_715;

/// Returns Φ(h) ≈ 1/(1 + e^(−2u)).
#[inline(always)]
fn tanh_cdf<S: Simd>(simd: S, h: S::f32s) -> S::f32s {
    let factor = simd.mul_add_e_f32s(
        simd.mul_f32s(h, h),
        simd.splat_f32s(-2.0 * OF_CUBE),
        simd.splat_f32s(-2.0 * OF_H),
    );
    let e = exp(simd, simd.mul_f32s(h, factor));
    simd.div_f32s(simd.splat_f32s(1.0), simd.add_f32s(simd.splat_f32s(1.0), e))
}

/// Returns Φ(h) and φ(h) = dΦ/dh, which is 2·Φ·(1 − Φ)·du/dh in the approximation.
#[inline(always)]
fn cdf_and_pdf<S: Simd>(simd: S, h: S::f32s, approximation: GeluApproximation) -> (S::f32s, S::f32s) {
    match approximation {
        GeluApproximation::None => (normal_cdf(simd, h), normal_pdf(simd, h)),
        GeluApproximation::Tanh => {
            let cdf = tanh_cdf(simd, h);
            let variance = simd.mul_f32s(cdf, simd.sub_f32s(simd.splat_f32s(1.0), cdf));
            let slope = simd.mul_add_e_f32s(
                simd.mul_f32s(h, h),
                simd.splat_f32s(6.0 * OF_CUBE),
                simd.splat_f32s(2.0 * OF_H),
            );
            (cdf, simd.mul_f32s(variance, slope))
        }
    }
}

struct Backward<'a> {
    gradient: &'a mut [f32],
    activation: Option<Writer<'a>>,
    x: SavedRows<'a>,
    bias: &'a [f32],
    approximation: GeluApproximation,
}

impl WithSimd for Backward<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let (columns, approximation) = (self.bias.len(), self.approximation);
        let mut sums = vec![0.0; columns];
        let mut scratch = vec![0.0; columns];
        for (row, gradient) in self.gradient.chunks_exact_mut(columns).enumerate() {
            let x = self.x.row(row, &mut scratch);
            match &mut self.activation {
                Some(y) => {
                    y.row(simd, columns, |offset| {
                        backward_vector(simd, x, (self.bias, approximation), gradient, &mut sums, offset)
                    });
                }
                None => (0..columns).step_by(S::F32_LANES).for_each(|offset| {
                    backward_vector(simd, x, (self.bias, approximation), gradient, &mut sums, offset);
                }),
            }
        }
        sums
    }
}

/// Replaces dy by dx from column `offset` on, adds dx to the sums over the rows, and returns gelu(x + b).
#[inline(always)]
fn backward_vector<S: Simd>(
    simd: S,
    x: &[f32],
    (bias, approximation): (&[f32], GeluApproximation),
    gradient: &mut [f32],
    sums: &mut [f32],
    offset: usize,
) -> S::f32s {
    let h = simd.add_f32s(load(simd, x, offset), load(simd, bias, offset));
    let (cdf, pdf) = cdf_and_pdf(simd, h, approximation);
    let slope = simd.mul_add_e_f32s(h, pdf, cdf);
    let dx = simd.mul_f32s(load(simd, gradient, offset), slope);
    store(simd, gradient, offset, dx);
    add_assign(simd, sums, offset, dx);
    simd.mul_f32s(h, cdf)
}
