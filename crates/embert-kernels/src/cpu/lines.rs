//! Memory in whole cache lines: no vector of the processor straddles two of them.

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut, zeroed_vec};

/// One cache line, 16 words of 32 bits.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u32; 16]);

/// Words in whole cache lines.
#[derive(Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// At least `words` zeros, which the system makes when they are first touched.
    pub(crate) fn zeros(words: usize) -> Self {
        Self(zeroed_vec(words.div_ceil(16)))
    }

    /// Words that are there.
    pub(crate) fn capacity(&self) -> usize {
        self.0.len() * 16
    }

    /// All words.
    pub(crate) fn as_words(&self) -> &[u32] {
        cast_slice(&self.0)
    }

    /// Returns the first `words`, after making more if there are too few. Their contents are arbitrary.
    pub(crate) fn words(&mut self, words: usize) -> &mut [u32] {
        if self.capacity() < words {
            *self = Self::zeros(words);
        }
        &mut cast_slice_mut(&mut self.0)[..words]
    }

    /// The first `len` as numbers.
    pub(crate) fn floats(&self, len: usize) -> &[f32] {
        &cast_slice(&self.0)[..len]
    }

    /// Returns the first `len` as numbers, after making more if there are too few. Their contents are arbitrary.
    pub(crate) fn floats_mut(&mut self, len: usize) -> &mut [f32] {
        cast_slice_mut(self.words(len))
    }
}
