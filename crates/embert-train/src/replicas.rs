//! Data parallelism on one machine: the micro-batches of a step are dealt to several devices, each with a copy of the
//! weights; what they find is added up on the model's own device, which makes the step.

use std::panic::resume_unwind;
use std::thread;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_inference::device_of;

use crate::gradients::ParameterGradients;
use crate::model::Model;

/// What micro-batches add to a loss, `[1]` each, and to its gradients.
pub(crate) struct Found {
    pub(crate) losses: Vec<Tensor<1>>,
    pub(crate) gradients: ParameterGradients,
}

/// What `find` finds for all of `micro_batches`, the first share of them on the model's device, the others on `replicas`.
/// Sums are in the order of the devices.
pub(crate) fn on_all<T: Sync>(
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
        let mut sum = find(model, first);
        for other in others {
            let found = other.join().unwrap_or_else(|panic| resume_unwind(panic));
            sum.losses.extend(found.losses.into_iter().map(|loss| loss.to_device(&device)));
            sum.gradients.add_from(found.gradients, &device);
        }
        sum
    })
}
