//! An operation with a derivative of its own on Burn's tape.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use crate::cpu::sum::sum;

/// From the gradient of the output, and which inputs need one, to the gradients of the inputs.
type Derivative<const N: usize> =
    dyn Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static;

struct Recorded<const N: usize>(Arc<Derivative<N>>);

impl<const N: usize> Clone for Recorded<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<const N: usize> fmt::Debug for Recorded<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorded<{N}>")
    }
}

#[derive(Debug)]
struct Step;

impl<const N: usize> Backward<Flex, N> for Step {
    type State = Recorded<N>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let output = grads.consume::<Flex>(&ops.node).to_contiguous();
        let needed = ops.parents.each_ref().map(Option::is_some);
        let inputs = (ops.state.0)(output, needed);
        HALF_DONE.with_borrow_mut(|half_done| half_done.remove(&ops.node.id.value));
        for (parent, gradient) in ops.parents.into_iter().zip(inputs) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                let is_leaf = parent.parents.is_empty();
                let gradient = match !is_leaf && is_second(parent.id.value) {
                    true => sum(gradient, grads.consume::<Flex>(&parent)), // what Burn would do on one thread
                    false => gradient,
                };
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

thread_local! {
    /// Intermediate tensors that have a gradient from one operation of ours, and may get another from one that uses them
    /// too. Where one is missing here, Burn adds: the sum is the same.
    static HALF_DONE: RefCell<HashSet<u64>> = RefCell::default();
}

/// More than the intermediate tensors of a deep model.
const MOST_HALF_DONE: usize = 4096;

/// Whether another use of this intermediate tensor has left a gradient.
fn is_second(node: u64) -> bool {
    HALF_DONE.with_borrow_mut(|half_done| {
        if half_done.len() == MOST_HALF_DONE {
            half_done.clear();
        }
        !half_done.insert(node)
    })
}

/// `output` as the result of an operation on `inputs` that has this derivative.
pub(super) fn record<C: CheckpointStrategy, const N: usize>(
    inputs: [NodeGuard; N],
    output: FlexTensor,
    derivative: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static,
) -> FloatTensor<Autodiff<Flex>> {
    match Step.prepare::<C>(inputs).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(Recorded(Arc::new(derivative)), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}
