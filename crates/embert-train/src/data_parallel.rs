//! Data parallelism on one machine: each device computes the gradients of its share of the micro-batches with a copy of
//! the weights. The model's own device sums them.

use std::panic::resume_unwind;
use std::thread;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_inference::device_of;

use crate::gradients::ParameterGradients;
use crate::model::Model;

/// The losses of a device's micro-batches, `[1]` each, and the sum of their gradients.
pub(crate) struct ShareGradients {
    pub(crate) losses: Vec<Tensor<1>>,
    pub(crate) gradients: ParameterGradients,
}

/// Runs `compute` on equal shares of `micro_batches`: the first on the model's device, the others on `replicas`.
pub(crate) fn data_parallel<T: Sync>(
    model: &Model,
    replicas: &[Device],
    micro_batches: &[T],
    compute: impl Fn(&Model, &[T]) -> ShareGradients + Sync,
) -> ShareGradients {
    let mut shares = micro_batches.chunks(micro_batches.len().div_ceil(1 + replicas.len()));
    let first = shares.next().expect("a step has a micro-batch");
    let (device, compute) = (device_of(model).inner(), &compute);
    thread::scope(|scope| {
        let start = |(replica, share)| scope.spawn(move || compute(&model.clone().fork(replica), share));
        let others = replicas.iter().zip(shares).map(start).collect::<Vec<_>>();
        let first = compute(model, first);
        let others =
            others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        sum_in_rank_order(first, others, &device)
    })
}

/// Sums in the order of the ranks, so that two runs with one seed are bit-identical.
fn sum_in_rank_order(
    first: ShareGradients,
    others: impl Iterator<Item = ShareGradients>,
    device: &Device,
) -> ShareGradients {
    others.fold(first, |mut sum, share| {
        sum.losses.extend(share.losses.into_iter().map(|loss| loss.to_device(device)));
        sum.gradients.add_from(share.gradients, device);
        sum
    })
}
