//! Matrices that an operation saves for the backward pass: in bf16 if its products are bf16, at half the
//! memory.
//!
//! A bf16 product rounds its operands anyway, so saving an operand in bf16 changes no bit of a result. The
//! input of GELU is not an operand of a product. Its derivative is taken at the rounded value.
//! `torch.autocast` does the same, because there the output of a product is bf16.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::output_buffer::OutputBuffer;
use super::simd::Cpu;
use super::tensors::{as_slice, from_vec};

/// The number of elements in one task.
const ELEMENTS_PER_TASK: usize = 1 << 16;

/// A matrix that is saved for the backward pass.
pub(crate) enum SavedTensor {
    /// The fp32 matrix itself.
    Fp32(FlexTensor),
    /// The matrix rounded to bf16: to nearest, ties to even.
    Bf16 {
        /// The bits of the bf16 elements, `[rows, columns]`.
        halves: Vec<u16>,
        shape: [usize; 2],
    },
}

impl SavedTensor {
    pub(crate) fn new(cpu: Cpu, matrix: FlexTensor) -> Self {
        if cpu.rounds_to_bf16() {
            Self::Bf16 { halves: rounded(cpu, as_slice(&matrix)), shape: matrix.shape().dims() }
        } else {
            Self::Fp32(matrix)
        }
    }

    /// Returns the complete matrix in fp32.
    pub(crate) fn to_fp32(&self, cpu: Cpu) -> FlexTensor {
        match self {
            Self::Fp32(matrix) => matrix.clone(),
            Self::Bf16 { halves, shape } => {
                let mut elements = OutputBuffer::new(halves.len());
                let tasks = elements.writers(ELEMENTS_PER_TASK).into_par_iter();
                let tasks = tasks.zip(halves.par_chunks(ELEMENTS_PER_TASK));
                tasks.for_each(|(mut elements, halves)| {
                    cpu.vectorize(
                        #[inline(always)]
                        || _ = elements.extend(widened(halves)),
                    );
                });
                from_vec(elements.into_vec(), *shape)
            }
        }
    }

    /// Returns a range of elements, which must contain complete rows.
    pub(crate) fn range(&self, elements: Range<usize>) -> SavedRows<'_> {
        match self {
            Self::Fp32(matrix) => SavedRows::Fp32(&as_slice(matrix)[elements]),
            Self::Bf16 { halves, .. } => SavedRows::Bf16(&halves[elements]),
        }
    }
}

/// Consecutive rows of a saved matrix.
#[derive(Clone, Copy)]
pub(crate) enum SavedRows<'a> {
    Fp32(&'a [f32]),
    Bf16(&'a [u16]),
}

impl<'a> SavedRows<'a> {
    /// Returns row `row` in fp32. The number of columns is `scratch.len()`. A bf16 row is converted into
    /// `scratch`.
    #[inline(always)]
    pub(crate) fn row<'b>(self, row: usize, scratch: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        let columns = row * scratch.len()..(row + 1) * scratch.len();
        match self {
            Self::Fp32(elements) => &elements[columns],
            Self::Bf16(halves) => {
                scratch.iter_mut().zip(widened(&halves[columns])).for_each(|(slot, element)| *slot = element);
                scratch
            }
        }
    }
}

fn rounded(cpu: Cpu, elements: &[f32]) -> Vec<u16> {
    let mut halves = vec![0; elements.len()];
    let tasks = halves.par_chunks_mut(ELEMENTS_PER_TASK).zip(elements.par_chunks(ELEMENTS_PER_TASK));
    tasks.for_each(|(halves, elements)| {
        cpu.vectorize(
            #[inline(always)]
            || halves.iter_mut().zip(elements).for_each(|(half, &element)| *half = round(element)),
        );
    });
    halves
}

#[inline(always)]
fn round(element: f32) -> u16 {
    let bits = element.to_bits();
    let to_even = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    (if element.is_nan() { bits | 0x40_0000 } else { to_even } >> 16) as u16
}

/// Converts bf16 bits to fp32.
#[inline(always)]
fn widened(halves: &[u16]) -> impl Iterator<Item = f32> {
    halves.iter().map(|&half| f32::from_bits(u32::from(half) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::linear;
    use crate::precision::Precision;

    /// Returns values at ties, near ties, and at the ends of the range.
    fn edge_cases() -> Vec<f32> {
        let near_ties = (0..64u32).map(|i| f32::from_bits(0x3f80_7ff0 + i * 0x800));
        let ends = [0.0, -0.0, 1e-40, f32::MIN_POSITIVE, 3.38e38, f32::MAX, f32::INFINITY, f32::NEG_INFINITY];
        near_ties.flat_map(|x| [x, -x, x * 1e-30]).chain(ends).collect()
    }

    #[test]
    fn saving_an_operand_in_bf16_changes_no_bit_of_the_product() {
        let cpu = Cpu::new(Precision::Bf16);
        let elements = edge_cases();
        let matrix = from_vec(elements.clone(), [elements.len(), 1]);
        let saved = SavedTensor::new(cpu, matrix.clone()).to_fp32(cpu);
        let bits = |x: &FlexTensor| {
            let y = linear::forward(cpu, x, &[from_vec(vec![1.0], [1, 1])], &[None]);
            as_slice(&y).iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&saved), bits(&matrix));
    }

    #[test]
    fn bf16_rounds_each_element_and_preserves_nan() {
        for cpu in Cpu::all(Precision::Bf16) {
            let elements =
                [1.0, -1.5, f32::NAN, f32::from_bits(0x7fff_ffff), f32::INFINITY, 1.0 + 1.0 / 256.0];
            let halves = rounded(cpu, &elements);
            let saved = SavedTensor::Bf16 { halves, shape: [2, 3] };
            let widened = saved.to_fp32(cpu);
            let widened = as_slice(&widened);
            assert_eq!([widened[0], widened[1], widened[4], widened[5]], [1.0, -1.5, f32::INFINITY, 1.0]);
            assert!(widened[2].is_nan() && widened[3].is_nan());
            let SavedRows::Bf16(row) = saved.range(3..6) else { panic!("saved in bf16") };
            assert_eq!(row.len(), 3);
        }
    }

    #[test]
    fn fp32_is_saved_without_rounding() {
        let is_fp32 = |precision| {
            let saved = SavedTensor::new(Cpu::new(precision), from_vec(vec![0.1], [1, 1]));
            matches!(saved, SavedTensor::Fp32(_))
        };
        assert!(is_fp32(Precision::Fp32));
        assert_eq!(is_fp32(Precision::Bf16), !Precision::Bf16.rounds_on_cpu());
    }
}
