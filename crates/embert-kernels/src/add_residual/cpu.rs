//! The residual connection on the CPU: y = residual + mask∘x; dx = mask∘g. The gradient of the residual is g itself.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use crate::autodiff::custom_op;
use crate::cpu::add;
use crate::dropout::DropoutSite;
use crate::dropout::cpu::apply;
use crate::dropout::mask::Mask;
use crate::layout::SequenceLayout;

pub(super) fn add_residual(
    x: Tensor<2>,
    residual: Tensor<2>,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let mask = Mask::of_rows(site, Some(layout), x.dims()[0]);
    let inputs = [x.into_dispatch(), residual.into_dispatch()];
    custom_op::<Flex, 2, 2, _>(inputs, |[x, residual], _| {
        let y = match &mask {
            Some(mask) => add(apply(&x, mask), residual),
            None => add(x, residual),
        };
        let backward_fn = move |g: FlexTensor, [x_needed, _]: [bool; 2]| {
            let dx = x_needed.then(|| mask.as_ref().map_or_else(|| g.clone(), |mask| apply(&g, mask)));
            [dx, Some(g)]
        };
        (y, backward_fn)
    })
}
