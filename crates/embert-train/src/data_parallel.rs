//! Data parallelism on one machine: each device computes the gradients of its share of the micro-batches with a copy of
//! the weights. The model's own device sums them.

use std::panic::resume_unwind;
use std::thread;

use burn::module::Module;
use burn::tensor::{Device, StreamId, Tensor};
use embert_inference::device_of;

use crate::gradients::ParameterGradients;
use crate::model::Model;

/// The losses of a device's micro-batches, `[1]` each, and the sum of their gradients.
pub(crate) struct ShareGradients {
    pub(crate) losses: Vec<Tensor<1>>,
    pub(crate) gradients: ParameterGradients,
}

/// Runs `compute` on equal shares of `micro_batches`: the first on the model's device, the others on `replicas`.
///
/// Each replica has a thread for this step, which continues the caller's stream. In CubeCL, a new thread is a new stream,
/// and each stream of a GPU has its own memory pool: without the same stream in each step, the pools of all steps
/// together exceed the memory. Streams of different devices share nothing but the id. A CPU has no streams.
pub(crate) fn data_parallel<T: Sync>(
    model: &Model,
    replicas: &[Device],
    micro_batches: &[T],
    compute: impl Fn(&Model, &[T]) -> ShareGradients + Sync,
) -> ShareGradients {
    let mut shares = micro_batches.chunks(micro_batches.len().div_ceil(1 + replicas.len()));
    let first = shares.next().expect("a step has a micro-batch");
    let (device, stream, compute) = (device_of(model).inner(), StreamId::current(), &compute);
    thread::scope(|scope| {
        let start = |(replica, share)| {
            // On this thread, so that copies never run between the operations of the first share.
            let model = model.clone().fork(replica);
            scope.spawn(move || stream.executes(|| compute(&model, share)))
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use embert_model::{AutoConfig, BERT, EncoderConfig};

    #[test]
    fn replicas_continue_the_callers_stream() {
        let config = EncoderConfig {
            vocab_size: 10,
            hidden_size: 4,
            intermediate_size: 4,
            num_hidden_layers: 1,
            num_attention_heads: 1,
            max_position_embeddings: 4,
            ..EncoderConfig::default()
        };
        let device = Device::flex().autodiff();
        let model = Model::new(&AutoConfig::new(&BERT, config), 0, &device);
        let stream = StreamId::current();
        for _step in 0..2 {
            let compute = |model: &Model, share: &[usize]| {
                assert_eq!((StreamId::current(), share.len()), (stream, 1));
                let loss = Tensor::zeros([1], &device_of(model).inner());
                ShareGradients { losses: vec![loss], gradients: ParameterGradients::default() }
            };
            let sum = data_parallel(&model, &[device.clone(), device.clone()], &[0, 1, 2], compute);
            assert_eq!(sum.losses.len(), 3);
        }
    }
}
