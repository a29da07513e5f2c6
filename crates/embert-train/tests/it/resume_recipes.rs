//! The training settings of the runs that are resumed.

use embert_model::{InitLoraWeights, LoraConfig, ModuleNames, ProblemType};
use embert_train::{
    BestModelMetric, ClassWeights, IntervalStrategy, Loss, LrSchedulerKwarg, LrSchedulerType, Steps,
    TrainConfig, TrainSamplingStrategy,
};

use crate::resume::Recipe;

pub(crate) fn steps() -> TrainConfig {
    TrainConfig {
        num_train_epochs: 3.0,
        learning_rate: 1e-2,
        weight_decay: 0.1,
        warmup_steps: 2.into(),
        logging_steps: 2.into(),
        eval_strategy: IntervalStrategy::Epoch,
        save_strategy: IntervalStrategy::Steps,
        save_steps: 1.into(),
        per_device_train_batch_size: 5,
        ..TrainConfig::default()
    }
}

pub(crate) fn lora() -> Recipe {
    let target_modules = Some(ModuleNames::Names(["query", "value"].map(String::from).to_vec()));
    let lora = LoraConfig { r: 2, lora_dropout: 0.2, target_modules, ..LoraConfig::default() };
    Recipe { config: steps(), lora: Some(lora), problem_type: ProblemType::default() }
}

/// Returns a run whose adapters change the base weights, with DoRA.
fn pissa() -> Recipe {
    let Recipe { config, lora, problem_type } = lora();
    let init_lora_weights = InitLoraWeights::Pissa;
    let lora = lora.map(|lora| LoraConfig { use_dora: true, use_rslora: true, init_lora_weights, ..lora });
    Recipe { config: TrainConfig { gradient_checkpointing: true, ..config }, lora, problem_type }
}

/// Returns a run that trains all weights for single-label classification.
pub(crate) fn full(config: TrainConfig) -> Recipe {
    Recipe { config, lora: None, problem_type: ProblemType::default() }
}

fn accumulation() -> TrainConfig {
    TrainConfig {
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 3, // 20 examples: the fourth window is ragged
        train_sampling_strategy: TrainSamplingStrategy::GroupByLength,
        logging_steps: 3.into(),
        ..steps()
    }
}

/// With this learning rate, evaluations soon stop improving, so that the end depends on earlier evaluations.
fn early_stopping() -> TrainConfig {
    TrainConfig {
        num_train_epochs: 9.0,
        learning_rate: 0.1,
        lr_scheduler_type: LrSchedulerType::Constant,
        warmup_steps: 0.into(),
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(2.into()),
        load_best_model_at_end: true,
        metric_for_best_model: Some(BestModelMetric::Loss),
        early_stopping_patience: Some(3),
        save_total_limit: None,
        ..steps()
    }
}

fn parts() -> TrainConfig {
    TrainConfig {
        gradual_unfreezing: ["1:bert.encoder.layer.1", "2:bert"].map(|text| text.parse().unwrap()).to_vec(),
        layer_wise_lr_decay: 0.8,
        class_weights: ClassWeights::Balanced,
        label_smoothing_factor: 0.1,
        gradient_checkpointing: true,
        ..steps()
    }
}

fn schedule() -> TrainConfig {
    let kwargs = [("num_decay_steps", 4.into()), ("decay_type", "1-sqrt".into())];
    TrainConfig {
        lr_scheduler_type: LrSchedulerType::WarmupStableDecay,
        lr_scheduler_kwargs: kwargs
            .map(|(name, value): (&str, LrSchedulerKwarg)| (name.to_owned(), value))
            .into(),
        warmup_steps: Steps::Share(0.2),
        logging_steps: Steps::Share(0.3),
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(Steps::Share(0.4)),
        per_device_train_batch_size: 3,
        gradient_accumulation_steps: 4, // 20 examples: two rows are dropped, and the second window is ragged
        dataloader_drop_last: true,
        ..steps()
    }
}

pub(crate) fn recipes() -> Vec<(&'static str, Recipe)> {
    let multi_label = TrainConfig { pos_weight: ClassWeights::Balanced, loss: Loss::Focal, ..steps() };
    vec![
        ("full", full(steps())),
        ("accumulation", full(accumulation())),
        ("lora", lora()),
        ("pissa", pissa()),
        ("bf16", full(TrainConfig { bf16: true, ..steps() })),
        ("fp16", full(TrainConfig { fp16: true, ..steps() })),
        ("early stopping", full(early_stopping())),
        ("parts", full(parts())),
        ("schedule", full(schedule())),
        ("multi-label", Recipe { problem_type: ProblemType::MultiLabelClassification, ..full(multi_label) }),
        ("regression", Recipe { problem_type: ProblemType::Regression, ..full(early_stopping()) }),
    ]
}
