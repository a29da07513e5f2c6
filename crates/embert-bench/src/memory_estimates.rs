//! What `estimate_memory` says beside what a run takes, each row in a process of its own.

use std::{io, ops::ControlFlow};

use embert_model::{AutoConfig, BERT, parameter_shapes};
use embert_text::EncodedTexts;
use embert_train::{
    IntervalStrategy, LabelledTexts, MemoryEstimate, MemoryWorkload, TrainConfig, TrainData, estimate_memory,
    fit,
};
use serde::{Deserialize, Serialize};

use crate::{
    case::precision,
    child,
    choice::Choice,
    device, memory,
    sizes::{Size, bert_base, minilm, small},
    texts::{targets, texts},
    trainer::{adapted, adapter},
    work::{SEED, Task, Work},
};

/// Of two optimizer steps each: the optimizer's state is there from the second on.
const EPOCHS: f64 = 2.0;

/// A run to estimate and to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    name: String,
    work: Work,
    config: TrainConfig,
}

/// Bytes: what was there before the model, what the estimate adds, and the peak of the process.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    before: u64,
    estimate: u64,
    peak: u64,
}

impl Measured {
    fn estimate_to_peak(&self) -> f64 {
        (self.before + self.estimate) as f64 / self.peak as f64
    }
}

pub(crate) fn run(choice: &Choice) -> Result<(), String> {
    if device::IS_GPU {
        println!("  only runs on the CPU are estimated");
        return Ok(());
    }
    let runs = choice.among(runs(), |run| &run.name);
    println!("  {:<46} {:>12} {:>9} {:>13}", "", "estimate MiB", "peak MiB", "estimate/peak");
    for run in runs {
        let measured: Measured = child::of_this_executable(child::MEMORY_WORKER, &run)?;
        let mebibytes = |bytes: u64| bytes >> 20;
        println!(
            "  {:<46} {:>12} {:>9} {:>13.3}",
            run.name,
            mebibytes(measured.before + measured.estimate),
            mebibytes(measured.peak),
            measured.estimate_to_peak(),
        );
    }
    Ok(())
}

/// The child process: reads a run from standard input, makes it and answers in one line.
pub(crate) fn worker() -> Result<(), String> {
    let text = io::read_to_string(io::stdin()).map_err(|source| format!("no run came: {source}"))?;
    let run = serde_json::from_str(&text).map_err(|source| format!("run: {source}"))?;
    println!("{}", serde_json::to_string(&measure(&run)?).expect("an answer is JSON"));
    Ok(())
}

fn measure(run: &Run) -> Result<Measured, String> {
    let (texts, targets) = (texts(&run.work), targets(&run.work));
    #[cfg(feature = "cpu")]
    embert_kernels::release_freed_memory();
    let before = memory::resident_bytes().ok_or("this system does not say what a process holds")?;
    let estimate = estimate(run, &texts).total();
    train(run, LabelledTexts { texts: &texts, targets: &targets });
    let peak = memory::peak_bytes().ok_or("this system does not say what a process held")?;
    Ok(Measured { before, estimate, peak })
}

fn estimate(run: &Run, texts: &EncodedTexts) -> MemoryEstimate {
    let (device, _) = device::open();
    let model_config = AutoConfig::new(&BERT, run.work.config.clone());
    let lora = (run.work.task == Task::Lora).then(adapter);
    let parameters = parameter_shapes(&model_config, lora.as_ref(), &device).expect("a BERT has queries");
    let workload = MemoryWorkload {
        model_config: &model_config,
        parameters: &parameters,
        train_lengths: &texts.lengths(),
        eval_lengths: &texts.lengths(),
        max_length: run.work.max_length,
    };
    estimate_memory(&workload, &run.config).expect("nothing is frozen")
}

/// Trains and evaluates on the same texts.
fn train(run: &Run, examples: LabelledTexts<'_>) {
    let (device, padding) = device::open();
    let model = run.work.model(&device);
    let model = if run.work.task == Task::Lora { adapted(model) } else { model };
    let data = TrainData { train: examples, eval: Some(examples), padding, replicas: &[], pos_label: None };
    let go_on = &mut |_: embert_train::Event<'_>| Ok(ControlFlow::Continue(()));
    fit(model, data, &run.config, go_on).expect("random weights do not diverge so soon");
}

fn runs() -> Vec<Run> {
    let (minilm, bert_base) = (&minilm(), &bert_base());
    let sizes = [
        (&small(), 128, 32),
        (minilm, 128, 32),
        (minilm, 256, 8),
        (minilm, 512, 8),
        (bert_base, 128, 8),
        (bert_base, 256, 8),
    ];
    let runs = sizes.into_iter().flat_map(|(size, max_length, batch_size)| {
        let plain = TrainConfig { per_device_train_batch_size: batch_size, ..TrainConfig::default() };
        let kinds = [(Task::Full, false), (Task::Full, true), (Task::Lora, false), (Task::Lora, true)];
        let runs = kinds.into_iter().flat_map(move |(task, bf16)| {
            variants(&TrainConfig { bf16, ..plain.clone() })
                .map(|(what, config)| run_of(size, max_length, task, &config, what))
        });
        runs.collect::<Vec<_>>()
    });
    runs.collect()
}

/// What changes how much is kept.
fn variants(plain: &TrainConfig) -> [(&'static str, TrainConfig); 4] {
    let accumulation = TrainConfig {
        per_device_train_batch_size: plain.per_device_train_batch_size / 4,
        gradient_accumulation_steps: 4,
        ..plain.clone()
    };
    let best_model = TrainConfig {
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(2),
        load_best_model_at_end: true,
        ..plain.clone()
    };
    [
        ("", plain.clone()),
        ("checkpointing", TrainConfig { gradient_checkpointing: true, ..plain.clone() }),
        ("accumulation", accumulation),
        ("best model", best_model),
    ]
}

/// Texts of full length, two steps of them.
fn run_of(size: &Size, max_length: usize, task: Task, config: &TrainConfig, what: &str) -> Run {
    let kind = if task == Task::Lora { "lora" } else { "full" };
    let batch_size = config.per_device_train_batch_size;
    let rows = batch_size * config.gradient_accumulation_steps;
    let name = format!("{} {rows} x {max_length} {kind} {} {what}", size.name, precision(config.bf16));
    let work = Work {
        task,
        config: size.config.clone(),
        bf16: config.bf16,
        batch_size,
        max_length,
        lengths: vec![max_length; 2 * rows],
        warm_up: 0,
        steps: 2,
        on_gpu: false, // where estimates are not made
    };
    let config = TrainConfig { num_train_epochs: EPOCHS, seed: SEED, ..config.clone() };
    Run { name: name.trim().to_owned(), work, config }
}
