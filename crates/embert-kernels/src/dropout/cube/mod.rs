//! Dropout on GPUs: y = x ∘ mask in one kernel. The backward pass is the same kernel.

mod generator;
mod kernel;
mod sequence_mask;

use burn::backend::Cube;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Tensor;

use super::stream::DropoutSite;
use crate::autodiff::custom_op;
use crate::layout::SequenceLayout;

use kernel::DropoutKernel;

pub(crate) use generator::{DeviceMask, MaskGenerator};
pub(crate) use sequence_mask::SequenceMask;

/// Returns x ∘ mask.
pub(super) fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    let Some(mask) = SequenceMask::new(site, layout, x.dims()[0]) else { return x };
    custom_op::<Cube, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let y = Cube::apply_mask(x, mask.clone());
        (y, move |g: FloatTensor<Cube>, _| [Some(Cube::apply_mask(g, mask.clone()))])
    })
}
