//! Operations with their own backward pass on Burn's autodiff graph.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, BackendTensor, DispatchAutodiffContext, DispatchKindConversion,
    DispatchTensor, GradientCheckpointingStrategy,
};
use burn::tensor::Tensor;

/// A backend for which this crate has operations of its own.
pub(crate) trait CustomBackend: Backend {
    /// Returns the tensor as operations take it.
    fn input(x: FloatTensor<Self>) -> FloatTensor<Self> {
        x
    }

    /// a + b: the gradients of two uses of one tensor.
    fn add_gradients(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_add(a, b)
    }
}

/// From the gradient of the output, and which inputs need one, to the gradients of the inputs.
type Derivative<B, const N: usize> =
    dyn Fn(FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N] + Send + Sync;

/// Runs an operation of backend `B`, and records it if an input is on the autodiff graph.
///
/// `forward` is given the inputs' values and which of them are tracked. It returns the output and its derivative, which
/// keeps what it needs; nobody calls it if no input is tracked.
pub(crate) fn operation<B, const N: usize, const D: usize, G>(
    inputs: [DispatchTensor; N],
    forward: impl FnOnce([FloatTensor<B>; N], [bool; N]) -> (FloatTensor<B>, G),
) -> Tensor<D>
where
    B: CustomBackend,
    G: Fn(FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N] + Send + Sync + 'static,
    DispatchTensor: DispatchKindConversion<B>
        + DispatchKindConversion<Autodiff<B>>
        + DispatchKindConversion<Autodiff<B, BalancedCheckpointing>>,
{
    let contexts = inputs.iter().map(|input| input.autodiff);
    let context = contexts.fold(DispatchAutodiffContext::Disabled, DispatchAutodiffContext::merge);
    Tensor::from_dispatch(match context {
        DispatchAutodiffContext::Disabled => {
            let values = inputs.map(|input| B::input(primitive::<B>(input)));
            let (output, _) = forward(values, [false; N]);
            <DispatchTensor as DispatchKindConversion<B>>::from_backend(BackendTensor::Float(output))
        }
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Disabled) => {
            recorded::<B, NoCheckpointing, N, G>(inputs, forward)
        }
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Balanced) => {
            recorded::<B, BalancedCheckpointing, N, G>(inputs, forward)
        }
    })
}

/// [`operation`] on a graph with this strategy. An input that is not on the graph is a constant.
fn recorded<B, C, const N: usize, G>(
    inputs: [DispatchTensor; N],
    forward: impl FnOnce([FloatTensor<B>; N], [bool; N]) -> (FloatTensor<B>, G),
) -> DispatchTensor
where
    B: CustomBackend,
    C: CheckpointStrategy,
    G: Fn(FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N] + Send + Sync + 'static,
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B, C>>,
{
    let inputs = inputs.map(|input| match input.autodiff {
        DispatchAutodiffContext::Disabled => Autodiff::<B, C>::from_inner(primitive::<B>(input)),
        DispatchAutodiffContext::Enabled(_) => primitive::<Autodiff<B, C>>(input),
    });
    let tracked = inputs.each_ref().map(|input| input.is_tracked());
    let nodes = inputs.each_ref().map(|input| input.node());
    let values = inputs.map(|input| B::input(input.into_primitive()));
    let (output, derivative) = forward(values, tracked);
    let output = match Step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(Recorded::<B, N>(Arc::new(derivative)), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    <DispatchTensor as DispatchKindConversion<Autodiff<B, C>>>::from_backend(BackendTensor::Float(output))
}

fn primitive<B: Backend>(tensor: DispatchTensor) -> FloatTensor<B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    let tensor = <DispatchTensor as DispatchKindConversion<B>>::try_into_backend(tensor);
    tensor.expect("all inputs are on one device").float()
}

struct Recorded<B: Backend, const N: usize>(Arc<Derivative<B, N>>);

impl<B: Backend, const N: usize> Clone for Recorded<B, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Backend, const N: usize> fmt::Debug for Recorded<B, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorded<{N}>")
    }
}

#[derive(Debug)]
struct Step;

impl<B: CustomBackend, const N: usize> Backward<B, N> for Step {
    type State = Recorded<B, N>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let output = B::input(grads.consume::<B>(&ops.node));
        let needed = ops.parents.each_ref().map(Option::is_some);
        let inputs = (ops.state.0)(output, needed);
        HALF_DONE.with_borrow_mut(|half_done| half_done.remove(&ops.node.id.value));
        for (parent, gradient) in ops.parents.into_iter().zip(inputs) {
            let (Some(parent), Some(gradient)) = (parent, gradient) else { continue };
            let is_leaf = parent.parents.is_empty();
            let gradient = if !is_leaf && is_second(parent.id.value) {
                B::add_gradients(gradient, grads.consume::<B>(&parent))
            } else {
                gradient
            };
            grads.register::<B>(parent.id, gradient);
        }
    }
}

thread_local! {
    /// Intermediate tensors that have a gradient from one operation of this crate, and may get a second one. Burn adds
    /// gradients of tensors that are missing here, with the same result.
    static HALF_DONE: RefCell<HashSet<u64>> = RefCell::default();
}

/// More than the intermediate tensors of a deep model.
const MOST_HALF_DONE: usize = 4096;

/// Returns whether another use of this intermediate tensor has left a gradient.
fn is_second(node: u64) -> bool {
    HALF_DONE.with_borrow_mut(|half_done| {
        if half_done.len() == MOST_HALF_DONE {
            half_done.clear();
        }
        !half_done.insert(node)
    })
}
