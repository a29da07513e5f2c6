//! What a run takes of the CPU's memory at its peak, before it begins: what stays, and the worst moment of a step.

use embert_model::{AutoConfig, Parameter, Part};
use embert_text::evaluation_batches;

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::freezing::Freezing;
use crate::kept_activations::LayerActivations;

/// Bytes of a value: parameters, gradients and activations are fp32, under `bf16` too.
const VALUE: usize = size_of::<f32>();

/// What the allocator holds beside what was asked for: gaps between blocks that came and went. One run takes up to 8 %
/// more than the next.
const GAPS: f64 = 1.08;

/// What a run is made of, as far as its memory goes.
#[derive(Debug, Clone, Copy)]
pub struct MemoryWorkload<'a> {
    /// The shape of the model.
    pub model_config: &'a AutoConfig,
    /// Its parameters, adapters among them: [`embert_model::parameter_shapes`].
    pub parameters: &'a [Parameter],
    /// The tokens of each text to train on.
    pub train_lengths: &'a [usize],
    /// The tokens of each text to evaluate on.
    pub eval_lengths: &'a [usize],
    /// The most tokens of a text.
    pub max_length: usize,
}

/// The settings under which a run fits into `available` bytes: a larger micro-batch is cut into equal parts, as few as
/// will do, and `gradient_accumulation_steps` grows by as much, so that each optimizer step has the rows that it had.
///
/// Where not even one text at a time fits, that is what it gives; the estimate says so.
///
/// # Errors
/// Those of [`estimate_memory`].
pub fn find_batch_size(
    workload: &MemoryWorkload<'_>,
    config: &TrainConfig,
    available: u64,
) -> Result<TrainConfig, TrainError> {
    let batch_size = config.per_device_train_batch_size;
    let mut parts = (1..=batch_size).filter(|parts| batch_size.is_multiple_of(*parts)).peekable();
    while let Some(number) = parts.next() {
        let cut = TrainConfig {
            per_device_train_batch_size: batch_size / number,
            gradient_accumulation_steps: config.gradient_accumulation_steps * number,
            auto_find_batch_size: false,
            ..config.clone()
        };
        if parts.peek().is_none() || estimate_memory(workload, &cut)?.total() <= available {
            return Ok(cut);
        }
    }
    unreachable!("validation refuses an empty batch")
}

/// Bytes at the worst moment of a run on the CPU, by what they are for.
///
/// The texts and their tokens, the program and its threads come on top: what the process holds before the model is
/// loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryEstimate {
    /// The model.
    pub parameters: u64,
    /// AdamW's two moments of the parameters that are trained.
    pub optimizer_state: u64,
    /// The weights of the best evaluation, under `load_best_model_at_end`.
    pub best_model: u64,
    /// Those of the parameters that have one at that moment.
    pub gradients: u64,
    /// What forward keeps for backward, what an operation works with, and weights that are packed for several products.
    pub activations: u64,
}

impl MemoryEstimate {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.parameters + self.optimizer_state + self.best_model + self.gradients + self.activations
    }
}

/// The peak of a run of [`fit`](crate::fit) on the CPU, where batches are packed, with evaluations and saving.
///
/// It counts the micro-batch with the most tokens of all epochs.
///
/// # Errors
/// For patterns of `freeze` and `gradual_unfreezing` that [`fit`](crate::fit) would refuse.
pub fn estimate_memory(
    workload: &MemoryWorkload<'_>,
    config: &TrainConfig,
) -> Result<MemoryEstimate, TrainError> {
    let run = Run::new(workload, config)?;
    let moments = [run.loading, run.saving(), run.evaluation()].into_iter().chain(run.backward());
    Ok(moments.max_by_key(|moment| moment.values()).expect("a run has moments").in_bytes())
}

/// Values of a moment, in the order of [`MemoryEstimate`].
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    parameters: usize,
    optimizer_state: usize,
    best_model: usize,
    gradients: usize,
    activations: usize,
}

impl Moment {
    fn values(&self) -> usize {
        self.parameters + self.optimizer_state + self.best_model + self.gradients + self.activations
    }

    fn in_bytes(self) -> MemoryEstimate {
        let bytes = |values: usize| ((values * VALUE) as f64 * GAPS) as u64;
        MemoryEstimate {
            parameters: bytes(self.parameters),
            optimizer_state: bytes(self.optimizer_state),
            best_model: bytes(self.best_model),
            gradients: bytes(self.gradients),
            activations: bytes(self.activations),
        }
    }
}

/// The numbers that moments are made of, in values.
struct Run<'a> {
    config: &'a TrainConfig,
    layers: LayerActivations,
    /// What stays from the first step to the last.
    standing: Moment,
    /// The worst moment of loading.
    loading: Moment,
    largest_saved: usize,
    /// Gradients of the embeddings, of each layer and of the head.
    gradients: Vec<usize>,
    /// Weights of the layers' products.
    layer_weights: usize,
    /// Tokens and sequences of the heaviest micro-batch.
    batch: [usize; 2],
    /// The same of evaluation.
    eval_batch: [usize; 2],
    has_several_micro_batches: bool,
}

impl<'a> Run<'a> {
    fn new(workload: &MemoryWorkload<'_>, config: &'a TrainConfig) -> Result<Self, TrainError> {
        let parameters = trained(workload.parameters, config)?;
        let num_layers = workload.model_config.encoder.num_hidden_layers;
        let count = |is_meant: &dyn Fn(&Parameter) -> bool| {
            parameters.iter().filter(|p| is_meant(p)).map(Parameter::num_elements).sum::<usize>()
        };
        let all_trained = count(&|parameter| parameter.is_trainable);
        let standing = Moment {
            parameters: count(&|_| true),
            optimizer_state: 2 * all_trained,
            best_model: if config.load_best_model_at_end { all_trained } else { 0 },
            ..Moment::default()
        };
        let level = |parameter: &Parameter| match parameter.part {
            Part::Embeddings => 0,
            Part::Layer(number) => number + 1,
            Part::Head => num_layers + 1,
        };
        let gradients = (0..num_layers + 2)
            .map(|at| count(&|parameter| parameter.is_trainable && level(parameter) == at));
        let batch_size = config.per_device_train_batch_size;
        Ok(Self {
            config,
            layers: LayerActivations::new(workload.model_config, &parameters, config.bf16),
            standing,
            loading: loading(&parameters),
            largest_saved: largest_saved(&parameters),
            gradients: gradients.collect(),
            layer_weights: count(&|parameter| {
                matches!(parameter.part, Part::Layer(_)) && parameter.shape.len() == 2
            }),
            batch: heaviest(workload.train_lengths, config),
            eval_batch: heaviest_evaluation(workload, config),
            has_several_micro_batches: config.gradient_accumulation_steps > 1
                && workload.train_lengths.len() > batch_size,
        })
    }

    /// A tensor is written: its values, their transpose and its bytes.
    fn saving(&self) -> Moment {
        Moment { activations: 3 * self.largest_saved, ..self.standing }
    }

    fn evaluation(&self) -> Moment {
        let [tokens, _] = self.eval_batch;
        let packed = if self.config.bf16 { self.layer_weights / 2 } else { 0 };
        Moment { activations: tokens * self.layers.inference() + packed, ..self.standing }
    }

    /// One moment for each layer, when backward is in it, from the top, and one at the end.
    fn backward(&self) -> Vec<Moment> {
        let num_layers = self.layers.len();
        let mut moments = (0..num_layers).map(|layer| self.backward_of(layer)).collect::<Vec<_>>();
        let [tokens, _] = self.batch;
        let activations = tokens * self.layers.embeddings_backward() + self.packed_weights();
        let gradients = self.earlier_gradients() + self.new_gradients(0);
        moments.push(Moment { gradients, activations, ..self.standing });
        moments
    }

    fn backward_of(&self, layer: usize) -> Moment {
        let [tokens, sequences] = self.batch;
        let kept = |layer| self.layers.kept(layer, tokens, sequences);
        let kept = match self.config.gradient_checkpointing {
            true => kept(layer) + (layer + 1) * self.layers.layer_input(tokens),
            false => self.layers.kept_by_embeddings(tokens) + (0..=layer).map(kept).sum::<usize>(),
        };
        let at_work = self.layers.at_work(layer, tokens, sequences, self.config.bf16);
        Moment {
            gradients: self.earlier_gradients() + self.new_gradients(layer + 1),
            activations: kept + at_work + self.packed_weights(),
            ..self.standing
        }
    }

    /// Those of the micro-batches before, to which this one's are added.
    fn earlier_gradients(&self) -> usize {
        if self.has_several_micro_batches { self.gradients.iter().sum() } else { 0 }
    }

    /// Those that this micro-batch has made when backward is at this level; where layers run again they are added to the
    /// others one layer at a time.
    fn new_gradients(&self, level: usize) -> usize {
        match self.config.gradient_checkpointing && self.has_several_micro_batches {
            true => self.gradients[level],
            false => self.gradients[level..].iter().sum(),
        }
    }

    /// Weights in bf16, once for forward and once for backward, where several products use them.
    fn packed_weights(&self) -> usize {
        let are_kept = self.has_several_micro_batches && !self.config.gradient_checkpointing;
        if self.config.bf16 && are_kept { self.layer_weights } else { 0 }
    }
}

/// The parameters with what trains in the run's last epoch, when most does.
fn trained(parameters: &[Parameter], config: &TrainConfig) -> Result<Vec<Parameter>, TrainError> {
    let freezing = Freezing::of(&config.freeze, &config.gradual_unfreezing, parameters.to_vec())?;
    let trains = |parameter: &Parameter| freezing.trains(&parameter.name, u64::MAX);
    Ok(parameters.iter().map(|p| Parameter { is_trainable: trains(p), ..p.clone() }).collect())
}

/// Parameters are read one after another: the bytes of one, its values and their transpose beside those before it.
fn loading(parameters: &[Parameter]) -> Moment {
    let mut read = 0;
    let moments = parameters.iter().map(|parameter| {
        read += parameter.num_elements();
        Moment { parameters: read, activations: 2 * parameter.num_elements(), ..Moment::default() }
    });
    moments.max_by_key(Moment::values).unwrap_or_default()
}

/// Beside an adapter only what is trained is saved.
fn largest_saved(parameters: &[Parameter]) -> usize {
    let has_adapter = parameters.iter().any(Parameter::is_adapter);
    let saved = parameters.iter().filter(|parameter| !has_adapter || parameter.is_trainable);
    saved.map(Parameter::num_elements).max().unwrap_or(0)
}

/// Tokens and sequences of the micro-batch with the most tokens in the whole run.
fn heaviest(lengths: &[usize], config: &TrainConfig) -> [usize; 2] {
    let epochs = config.total_steps(lengths.len()).div_ceil(config.steps_per_epoch(lengths.len()).max(1));
    let windows = (0..epochs as u64).flat_map(|epoch| config.windows(lengths, epoch));
    let heaviest_of = |window: Vec<usize>| {
        let micro_batches = window.chunks(config.per_device_train_batch_size);
        micro_batches.map(|rows| [rows.iter().map(|&row| lengths[row]).sum(), rows.len()]).max()
    };
    windows.filter_map(heaviest_of).max().unwrap_or_default()
}

fn heaviest_evaluation(workload: &MemoryWorkload<'_>, config: &TrainConfig) -> [usize; 2] {
    let lengths = workload.eval_lengths;
    let budget = config.evaluation_batching(workload.max_length, embert_text::Padding::Packed).budget;
    let batches = evaluation_batches(lengths, budget).into_iter();
    let sizes = batches.map(|rows| [rows.iter().map(|&row| lengths[row]).sum(), rows.len()]);
    sizes.max().unwrap_or_default()
}
