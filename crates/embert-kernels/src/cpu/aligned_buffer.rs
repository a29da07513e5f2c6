//! A buffer of 32-bit words that is aligned to cache lines, so that no SIMD load crosses two lines.

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut, zeroed_vec};

/// One cache line: 16 words of 32 bits.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([u32; 16]);

/// A growable buffer of 32-bit words, aligned to 64 bytes.
#[derive(Default)]
pub(crate) struct AlignedBuffer(Vec<CacheLine>);

impl AlignedBuffer {
    /// Returns a buffer of at least `words` zeros. The system provides the zeros when a page is first used.
    pub(crate) fn zeros(words: usize) -> Self {
        Self(zeroed_vec(words.div_ceil(16)))
    }

    /// Returns the number of words in the buffer.
    pub(crate) fn capacity(&self) -> usize {
        self.0.len() * 16
    }

    /// Returns all words.
    pub(crate) fn as_words(&self) -> &[u32] {
        cast_slice(&self.0)
    }

    /// Returns the first `words` words. Allocates a new buffer if this one is too small. The contents are
    /// unspecified.
    pub(crate) fn words_mut(&mut self, words: usize) -> &mut [u32] {
        if self.capacity() < words {
            *self = Self::zeros(words);
        }
        &mut cast_slice_mut(&mut self.0)[..words]
    }

    /// Returns the first `len` words as `f32`.
    pub(crate) fn floats(&self, len: usize) -> &[f32] {
        &cast_slice(&self.0)[..len]
    }

    /// Returns the first `len` words as `f32`. Allocates a new buffer if this one is too small. The contents
    /// are unspecified.
    pub(crate) fn floats_mut(&mut self, len: usize) -> &mut [f32] {
        cast_slice_mut(self.words_mut(len))
    }
}
