//! Data parallelism on one machine: each device computes the gradients of its share of the micro-batches with a copy of
//! the weights; the model's own device sums them and makes the step.

use std::panic::resume_unwind;
use std::thread;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_inference::device_of;

use crate::gradients::ParameterGradients;
use crate::model::Model;

/// The losses of micro-batches, `[1]` each, and the sum of their gradients.
pub(crate) struct Found {
    pub(crate) losses: Vec<Tensor<1>>,
    pub(crate) gradients: ParameterGradients,
}

/// Runs `find` on all of `micro_batches`: the first share on the model's device, the others on `replicas`.
pub(crate) fn data_parallel<T: Sync>(
    model: &Model,
    replicas: &[Device],
    micro_batches: &[T],
    find: impl Fn(&Model, &[T]) -> Found + Sync,
) -> Found {
    let mut shares = micro_batches.chunks(micro_batches.len().div_ceil(1 + replicas.len()));
    let first = shares.next().expect("a step has a micro-batch");
    let (device, find) = (device_of(model).inner(), &find);
    thread::scope(|scope| {
        let start = |(replica, share)| scope.spawn(move || find(&model.clone().fork(replica), share));
        let others = replicas.iter().zip(shares).map(start).collect::<Vec<_>>();
        let first = find(model, first);
        let others =
            others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        sum_in_rank_order(first, others, &device)
    })
}

/// The exchange of gradients. Sums in the order of the ranks, so that two runs with one seed give the same bytes.
fn sum_in_rank_order(first: Found, others: impl Iterator<Item = Found>, device: &Device) -> Found {
    others.fold(first, |mut sum, found| {
        sum.losses.extend(found.losses.into_iter().map(|loss| loss.to_device(device)));
        sum.gradients.add_from(found.gradients, device);
        sum
    })
}
