//! Training steps like those of `embert_train::fit`: gradients with dropout, clipping, AdamW.

use burn::module::Module;
use burn::tensor::Device;
use embert_kernels::DropoutStream;
use embert_model::{
    AutoModelForSequenceClassification, ForwardContext, LoraConfig, ModuleNames, add_adapter,
};
use embert_text::{EncodedTexts, Padding};
use embert_train::{
    AdamW, BackwardOptions, LabelledBatch, LabelledTexts, Objective, StepGradients, Targets, TrainConfig,
    step_gradients,
};

use crate::{
    device,
    texts::{targets, texts},
    workload::{SEED, Task, Workload},
};

/// The scale of the loss in fp16, also in peer.py: small enough that the first steps do not overflow.
const LOSS_SCALE: f64 = 1024.0;

/// A model with random weights, and its training state.
pub(crate) struct Trainer {
    model: Option<AutoModelForSequenceClassification>,
    config: TrainConfig,
    optimizer: AdamW,
    objective: Objective,
    texts: EncodedTexts,
    targets: Targets,
    device: Device,
    replicas: Vec<Device>,
    padding: Padding,
    step: u64,
}

impl Trainer {
    pub(crate) fn new(workload: &Workload) -> Self {
        let (devices, padding) = device::open_all(workload);
        let model = workload.model(&devices[0]);
        let model = if workload.task == Task::Lora { adapted(model) } else { model };
        let config =
            TrainConfig { bf16: workload.bf16, fp16: workload.fp16, seed: SEED, ..TrainConfig::default() };
        let (targets, num_labels) = (targets(workload), model.num_labels());
        Self {
            model: Some(model.train()),
            optimizer: AdamW::new(config.adamw()),
            objective: config.objective(&targets, num_labels).expect("the default class weights are valid"),
            config,
            texts: texts(workload),
            targets,
            device: devices[0].clone(),
            replicas: devices[1..].iter().map(|device| device.clone().autodiff()).collect(),
            padding,
            step: 0,
        }
    }

    /// Makes one step on these rows. Returns the loss and the norm of the gradients.
    pub(crate) fn step(&mut self, rows: &[usize]) -> [f64; 2] {
        let gradients = self.gradients(rows);
        self.update(gradients)
    }

    pub(crate) fn gradients(&self, rows: &[usize]) -> StepGradients {
        let texts = LabelledTexts { texts: &self.texts, targets: &self.targets };
        let shares = rows.chunks(rows.len().div_ceil(1 + self.replicas.len()));
        let window: Vec<LabelledBatch> = shares.map(|rows| texts.batch(rows, self.padding)).collect();
        let dropout = DropoutStream { seed: SEED, step: self.step, first_sequence: 0 };
        let pass = ForwardContext { precision: self.config.precision(), dropout: Some(dropout) };
        let model = self.model.as_ref().expect("there between steps");
        let loss_scale = if self.config.fp16 { LOSS_SCALE } else { 1.0 };
        let backward = BackwardOptions { loss_scale, replicas: &self.replicas, ..BackwardOptions::default() };
        step_gradients(model, &window, &self.objective, pass, backward)
    }

    /// Updates the weights. Returns the loss and the norm of the gradients.
    pub(crate) fn update(&mut self, gradients: StepGradients) -> [f64; 2] {
        let loss_and_norm = gradients.loss_and_norm();
        let scale = gradients.scale(self.config.max_grad_norm);
        let model = self.model.take().expect("there between steps");
        let rate = self.config.learning_rate;
        self.model = Some(self.optimizer.step(model, gradients.gradients, scale, rate));
        let loss_and_norm = loss_and_norm.into_data(); // waits for the step
        self.device.sync().expect("the device works");
        self.step += 1;
        let mut numbers = loss_and_norm.iter::<f64>();
        [(); 2].map(|()| numbers.next().expect("a loss and a norm"))
    }
}

/// The adapter settings of `peer.py`.
pub(crate) fn adapter() -> LoraConfig {
    let targets = ["query", "key"].map(String::from).to_vec();
    LoraConfig {
        r: 4,
        lora_alpha: 32.0,
        lora_dropout: 0.01,
        target_modules: Some(ModuleNames::Names(targets)),
        ..LoraConfig::default()
    }
}

pub(crate) fn adapted(model: AutoModelForSequenceClassification) -> AutoModelForSequenceClassification {
    add_adapter(model, &adapter(), SEED).expect("a BERT has queries and keys")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn trained_tensors(task: Task) -> usize {
        let config = json!({
            "model_type": "bert",
            "vocab_size": 50,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
        });
        let config = from_value(config).expect("a BERT");
        let lengths = vec![5, 9];
        let workload = Workload {
            task,
            config,
            bf16: false,
            fp16: false,
            batch_size: 2,
            max_length: 9,
            lengths,
            warm_up: 0,
            steps: 1,
            on_gpu: false,
            devices: 1,
        };
        let mut trainer = Trainer::new(&workload);
        assert!(trainer.step(&[0, 1]).iter().all(|number| number.is_finite()));
        trainer.gradients(&[0, 1]).gradients.values().count()
    }

    #[test]
    fn lora_trains_two_adapters_per_layer_and_the_classifier() {
        assert_eq!(trained_tensors(Task::Lora), 2 * 2 * 2 + 2);
        assert_eq!(trained_tensors(Task::Full), 3 + 2 + 2 * 16 + 2 + 2);
    }
}
