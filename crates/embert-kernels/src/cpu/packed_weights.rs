//! Weights that several products use are packed once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::lines::Lines;
use super::matmul::{Kernel, Matrix, Packed, Part, multiply};

thread_local! {
    static KEPT: RefCell<Option<HashMap<Key, Kept>>> = const { RefCell::new(None) };
}

/// The weights of a product, and how they are packed.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    panel: [usize; 2],
    /// Address, rows, columns and strides.
    weights: Vec<[usize; 5]>,
    num_parts: usize,
}

/// Weights packed, with the tensors themselves: as long as they are here, nothing else stands at their addresses and
/// nobody changes them in place.
#[derive(Clone)]
struct Kept {
    packed: Arc<Lines>,
    _weights: Vec<FlexTensor>,
}

/// See [`with_constant_weights`](crate::with_constant_weights).
pub(crate) fn with_constant_weights<T>(work: impl FnOnce() -> T) -> T {
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            KEPT.set(None);
        }
    }
    if KEPT.with_borrow(Option::is_some) {
        return work();
    }
    KEPT.set(Some(HashMap::new()));
    let _forget = Forget;
    work()
}

/// A times the parts' B, which are these weights; none for B that is no weight, and so is not used again.
pub(crate) fn multiply_by_weights<K: Kernel>(
    kernel: K,
    a: Matrix<'_>,
    parts: &[Part<'_>],
    weights: &[FlexTensor],
    threads: usize,
) {
    let is_bf16 = K::PER_WORD > 1;
    let are_shared = || weights.iter().all(|weight| !weight.can_mut()); // a copy made for this product is not kept
    if !is_bf16 || weights.is_empty() || a.rows == 0 || !are_shared() || KEPT.with_borrow(Option::is_none) {
        return multiply(kernel, a, parts, threads, Packed::Scratch);
    }
    let key = Key::new::<K>(parts);
    if let Some(kept) = KEPT.with_borrow(|kept| kept.as_ref()?.get(&key).cloned()) {
        return multiply(kernel, a, parts, threads, Packed::There(&kept.packed));
    }
    let mut packed = Lines::default();
    multiply(kernel, a, parts, threads, Packed::New(&mut packed));
    let kept = Kept { packed: Arc::new(packed), _weights: weights.to_vec() };
    KEPT.with_borrow_mut(|all| all.as_mut().map(|all| all.insert(key, kept)));
}

impl Key {
    fn new<K: Kernel>(parts: &[Part<'_>]) -> Self {
        let weights = parts.iter().flat_map(|part| part.b).map(|b| {
            let address = b.at(0, 0) as usize;
            [address, b.rows, b.columns, b.row_stride, b.column_stride]
        });
        Self { panel: [K::NR, K::PER_WORD], weights: weights.collect(), num_parts: parts.len() }
    }
}
