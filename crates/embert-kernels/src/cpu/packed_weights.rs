//! A cache of packed weights, so that several products pack each weight once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::aligned_buffer::AlignedBuffer;
use super::matmul::{ColumnBlock, Kernel, Matrix, PackedB, multiply};

thread_local! {
    static CACHE: RefCell<Option<HashMap<CacheKey, CachedWeights>>> = const { RefCell::new(None) };
}

/// The weights of a product and the format of their panels.
#[derive(PartialEq, Eq, Hash)]
struct CacheKey {
    panel: [usize; 2],
    /// The address, rows, columns and strides of each weight.
    weights: Vec<[usize; 5]>,
    num_blocks: usize,
}

/// Packed weights, with the tensors themselves. Holding the tensors keeps other data away from their
/// addresses, and prevents changes in place.
#[derive(Clone)]
struct CachedWeights {
    packed: Arc<AlignedBuffer>,
    _weights: Vec<FlexTensor>,
}

/// See [`with_constant_weights`](crate::with_constant_weights).
pub(crate) fn with_constant_weights<T>(work: impl FnOnce() -> T) -> T {
    struct ClearCache;
    impl Drop for ClearCache {
        fn drop(&mut self) {
            CACHE.set(None);
        }
    }
    if CACHE.with_borrow(Option::is_some) {
        return work();
    }
    CACHE.set(Some(HashMap::new()));
    let _clear = ClearCache;
    work()
}

/// Multiplies A by each block's B. `weights` are the tensors that B consists of; it is empty if B is not a
/// weight.
pub(crate) fn multiply_by_weights<K: Kernel>(
    kernel: K,
    a: Matrix<'_>,
    blocks: &[ColumnBlock<'_>],
    weights: &[FlexTensor],
    threads: usize,
) {
    let is_bf16 = K::ELEMENTS_PER_WORD > 1;
    let are_shared = || weights.iter().all(|weight| !weight.can_mut()); // a copy made for this product is not cached
    if !is_bf16 || weights.is_empty() || a.rows == 0 || !are_shared() || CACHE.with_borrow(Option::is_none) {
        return multiply(kernel, a, blocks, threads, PackedB::Scratch);
    }
    let key = CacheKey::new::<K>(blocks);
    if let Some(cached) = CACHE.with_borrow(|cached| cached.as_ref()?.get(&key).cloned()) {
        return multiply(kernel, a, blocks, threads, PackedB::Ready(&cached.packed));
    }
    let mut packed = AlignedBuffer::default();
    multiply(kernel, a, blocks, threads, PackedB::Buffer(&mut packed));
    let cached = CachedWeights { packed: Arc::new(packed), _weights: weights.to_vec() };
    CACHE.with_borrow_mut(|all| all.as_mut().map(|all| all.insert(key, cached)));
}

impl CacheKey {
    fn new<K: Kernel>(blocks: &[ColumnBlock<'_>]) -> Self {
        let weights = blocks.iter().flat_map(|block| block.b).map(|b| {
            let address = b.ptr(0, 0) as usize;
            [address, b.rows, b.columns, b.row_stride, b.column_stride]
        });
        Self { panel: [K::NR, K::ELEMENTS_PER_WORD], weights: weights.collect(), num_blocks: blocks.len() }
    }
}
