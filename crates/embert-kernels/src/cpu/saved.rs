//! What an operation saves for the backward pass: in bf16 if its products are, half the memory.
//!
//! A factor of such products is rounded to bf16 anyway: saving it so changes no bit of a result. GELU's input is no such
//! factor: its derivative is taken at the rounded number, as under `torch.autocast`, where a product's output is bf16.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::simd::Cpu;
use super::tensors::{floats, tensor};
use super::uninit::Uninit;

/// Numbers that one task takes.
const NUMBERS_PER_TASK: usize = 1 << 16;

/// A matrix that backward reads.
pub(crate) enum Saved {
    /// As it was.
    Fp32(FlexTensor),
    /// The upper halves of its numbers, rounded to nearest, ties to even.
    Bf16 {
        /// `[rows, columns]`
        halves: Vec<u16>,
        shape: [usize; 2],
    },
}

impl Saved {
    pub(crate) fn new(cpu: Cpu, matrix: FlexTensor) -> Self {
        if cpu.rounds_to_bf16() {
            Self::Bf16 { halves: rounded(cpu, floats(&matrix)), shape: matrix.shape().dims() }
        } else {
            Self::Fp32(matrix)
        }
    }

    /// All of it in fp32.
    pub(crate) fn tensor(&self, cpu: Cpu) -> FlexTensor {
        match self {
            Self::Fp32(matrix) => matrix.clone(),
            Self::Bf16 { halves, shape } => {
                let mut numbers = Uninit::new(halves.len());
                let tasks = numbers.writers(NUMBERS_PER_TASK).into_par_iter();
                let tasks = tasks.zip(halves.par_chunks(NUMBERS_PER_TASK));
                tasks.for_each(|(mut numbers, halves)| {
                    cpu.vectors(
                        #[inline(always)]
                        || _ = numbers.extend(widened(halves)),
                    );
                });
                tensor(numbers.finish(), *shape)
            }
        }
    }

    /// Whole rows.
    pub(crate) fn part(&self, numbers: Range<usize>) -> SavedPart<'_> {
        match self {
            Self::Fp32(matrix) => SavedPart::Fp32(&floats(matrix)[numbers]),
            Self::Bf16 { halves, .. } => SavedPart::Bf16(&halves[numbers]),
        }
    }
}

/// Rows of a saved matrix.
#[derive(Clone, Copy)]
pub(crate) enum SavedPart<'a> {
    Fp32(&'a [f32]),
    Bf16(&'a [u16]),
}

impl<'a> SavedPart<'a> {
    /// A row of as many columns as `scratch`, which may come to hold it.
    #[inline(always)]
    pub(crate) fn row<'b>(self, row: usize, scratch: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        let columns = row * scratch.len()..(row + 1) * scratch.len();
        match self {
            Self::Fp32(numbers) => &numbers[columns],
            Self::Bf16(halves) => {
                scratch.iter_mut().zip(widened(&halves[columns])).for_each(|(slot, number)| *slot = number);
                scratch
            }
        }
    }
}

fn rounded(cpu: Cpu, numbers: &[f32]) -> Vec<u16> {
    let mut halves = vec![0; numbers.len()];
    let tasks = halves.par_chunks_mut(NUMBERS_PER_TASK).zip(numbers.par_chunks(NUMBERS_PER_TASK));
    tasks.for_each(|(halves, numbers)| {
        cpu.vectors(
            #[inline(always)]
            || halves.iter_mut().zip(numbers).for_each(|(half, &number)| *half = round(number)),
        );
    });
    halves
}

#[inline(always)]
fn round(number: f32) -> u16 {
    let bits = number.to_bits();
    let to_even = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    (if number.is_nan() { bits | 0x40_0000 } else { to_even } >> 16) as u16
}

/// Numbers from their upper halves.
#[inline(always)]
fn widened(halves: &[u16]) -> impl Iterator<Item = f32> {
    halves.iter().map(|&half| f32::from_bits(u32::from(half) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::maps;
    use crate::precision::Precision;

    /// Ties, numbers near them, and the ends of the range.
    fn hostile() -> Vec<f32> {
        let near_ties = (0..64u32).map(|i| f32::from_bits(0x3f80_7ff0 + i * 0x800));
        let ends = [0.0, -0.0, 1e-40, f32::MIN_POSITIVE, 3.38e38, f32::MAX, f32::INFINITY, f32::NEG_INFINITY];
        near_ties.flat_map(|x| [x, -x, x * 1e-30]).chain(ends).collect()
    }

    #[test]
    fn a_product_of_what_was_saved_has_the_same_bits() {
        let cpu = Cpu::new(Precision::Bf16);
        let numbers = hostile();
        let matrix = tensor(numbers.clone(), [numbers.len(), 1]);
        let saved = Saved::new(cpu, matrix.clone()).tensor(cpu);
        let bits = |x: &FlexTensor| {
            let y = maps::forward(cpu, x, &[tensor(vec![1.0], [1, 1])], &[None]);
            floats(&y).iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&saved), bits(&matrix));
    }

    #[test]
    fn bf16_is_half_of_each_number_and_keeps_what_is_no_number() {
        for cpu in Cpu::all(Precision::Bf16) {
            let numbers =
                [1.0, -1.5, f32::NAN, f32::from_bits(0x7fff_ffff), f32::INFINITY, 1.0 + 1.0 / 256.0];
            let halves = rounded(cpu, &numbers);
            let saved = Saved::Bf16 { halves, shape: [2, 3] };
            let widened = saved.tensor(cpu);
            let widened = floats(&widened);
            assert_eq!([widened[0], widened[1], widened[4], widened[5]], [1.0, -1.5, f32::INFINITY, 1.0]);
            assert!(widened[2].is_nan() && widened[3].is_nan());
            let SavedPart::Bf16(row) = saved.part(3..6) else { panic!("it was saved in bf16") };
            assert_eq!(row.len(), 3);
        }
    }

    #[test]
    fn fp32_stays_as_it_is() {
        let is_fp32 = |precision| {
            let saved = Saved::new(Cpu::new(precision), tensor(vec![0.1], [1, 1]));
            matches!(saved, Saved::Fp32(_))
        };
        assert!(is_fp32(Precision::Fp32));
        assert_eq!(is_fp32(Precision::Bf16), !Precision::Bf16.rounds_on_cpu());
    }
}
