//! Custom operations on Burn's autodiff graph: each has its own backward function.

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

/// A backend for which this crate has its own operations.
pub(crate) trait CustomBackend: Backend {
    /// Prepares a tensor for use as an operand.
    fn input(x: FloatTensor<Self>) -> FloatTensor<Self> {
        x
    }

    /// Returns a + b, the gradient of a tensor that two operations use.
    fn add_gradients(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_add(a, b)
    }
}

/// Maps the gradient of the output to the gradients of the inputs. The flags say which inputs need a
/// gradient.
type BackwardFn<B, const N: usize> =
    dyn Fn(FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N] + Send + Sync;

/// Runs an operation on backend `B`. Records it if an input is on the autodiff graph.
///
/// `forward` gets the values of the inputs, and a flag for each input that is tracked. It returns the output
/// and the backward function, which owns what it needs. If no input is tracked, the backward function is
/// dropped.
pub(crate) fn custom_op<B, const N: usize, const D: usize, G>(
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
            custom_op_on_graph::<B, NoCheckpointing, N, G>(inputs, forward)
        }
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Balanced) => {
            custom_op_on_graph::<B, BalancedCheckpointing, N, G>(inputs, forward)
        }
    })
}

/// Runs [`custom_op`] on a graph with checkpointing strategy `C`. An input that is not on the graph is a
/// constant.
fn custom_op_on_graph<B, C, const N: usize, G>(
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
    let (output, backward_fn) = forward(values, tracked);
    let output = match CustomBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(SavedBackwardFn::<B, N>(Arc::new(backward_fn)), output),
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

struct SavedBackwardFn<B: Backend, const N: usize>(Arc<BackwardFn<B, N>>);

impl<B: Backend, const N: usize> Clone for SavedBackwardFn<B, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Backend, const N: usize> fmt::Debug for SavedBackwardFn<B, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SavedBackwardFn<{N}>")
    }
}

#[derive(Debug)]
struct CustomBackward;

impl<B: CustomBackend, const N: usize> Backward<B, N> for CustomBackward {
    type State = SavedBackwardFn<B, N>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let output = B::input(grads.consume::<B>(&ops.node));
        let needed = ops.parents.each_ref().map(Option::is_some);
        let inputs = (ops.state.0)(output, needed);
        PARTIAL_GRADIENTS.with_borrow_mut(|ids| ids.remove(&ops.node.id.value));
        for (parent, gradient) in ops.parents.into_iter().zip(inputs) {
            let (Some(parent), Some(gradient)) = (parent, gradient) else { continue };
            let is_leaf = parent.parents.is_empty();
            let gradient = if !is_leaf && has_partial_gradient(parent.id.value) {
                B::add_gradients(gradient, grads.consume::<B>(&parent))
            } else {
                gradient
            };
            grads.register::<B>(parent.id, gradient);
        }
    }
}

thread_local! {
    /// The ids of intermediate tensors that have a gradient from one operation of this crate. Another use of
    /// the tensor may add a second one. If an id is missing here, Burn adds the gradients, with the same
    /// result.
    static PARTIAL_GRADIENTS: RefCell<HashSet<u64>> = RefCell::default();
}

/// An upper bound that no real model reaches.
const MAX_PARTIAL_GRADIENTS: usize = 4096;

/// Records a gradient for this intermediate tensor. Returns `true` if it already had one.
fn has_partial_gradient(node: u64) -> bool {
    PARTIAL_GRADIENTS.with_borrow_mut(|ids| {
        if ids.len() == MAX_PARTIAL_GRADIENTS {
            ids.clear();
        }
        !ids.insert(node)
    })
}
