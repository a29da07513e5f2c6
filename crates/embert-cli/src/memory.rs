//! Checks that a run fits into memory.
//!
//! A coarse upper bound decides for most runs. If the bound exceeds the available memory, parts of the largest micro-batch
//! are run, and the peak of the process is measured.

use burn::module::Module;
use embert_model::count_parameters;
use embert_train::{Model, TrainConfig, TrainData, check, find_batch_size, heaviest_micro_batch};

use crate::device::DeviceContext;
use crate::error::{CliError, OUT_OF_MEMORY};
use crate::machine::{MachineMemory, release_freed_memory};
use crate::model_source::ModelSource;
use crate::recipe::Recipe;
use crate::report::size;
use crate::trial_peaks::TrialPeaks;

/// Bytes of a value. Parameters, gradients and activations are fp32, also with `--bf16`.
const VALUE: usize = size_of::<f32>();

/// The memory need of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemoryPlan {
    /// The settings of the recipe, with the batch size that `auto_find_batch_size` found.
    pub(crate) config: TrainConfig,
    /// Bytes of the process at its peak.
    needed: u64,
    /// True if `needed` was measured, false if it is an upper bound.
    is_measured: bool,
    machine: MachineMemory,
    /// The batch size of the recipe if `auto_find_batch_size` reduced it.
    cut_from: Option<usize>,
}

impl MemoryPlan {
    /// Estimates or measures the memory need of a run whose model and texts are loaded.
    ///
    /// Returns `None` on GPUs, on systems that do not report memory, and for invalid recipes.
    pub(crate) fn new(
        recipe: &Recipe,
        context: &DeviceContext,
        source: &ModelSource,
        model: &Model,
        data: &TrainData<'_>,
    ) -> Option<Self> {
        if !context.is_cpu() {
            return None;
        }
        release_freed_memory();
        let machine = MachineMemory::now()?;
        let bound = machine.resident.saturating_add(upper_bound(source, model, data, &recipe.train));
        if bound <= machine.available() {
            let config = TrainConfig { auto_find_batch_size: false, ..recipe.train.clone() };
            return Some(Self { config, needed: bound, is_measured: false, machine, cut_from: None });
        }
        let (config, needed) = measured(model, data, &recipe.train, machine)?;
        let before = recipe.train.per_device_train_batch_size;
        let cut_from = (config.per_device_train_batch_size != before).then_some(before);
        Some(Self { config, needed, is_measured: true, machine, cut_from })
    }

    /// Returns the lines to print.
    pub(crate) fn lines(&self) -> Vec<String> {
        let found = self.cut_from.map(|before| {
            format!(
                "auto_find_batch_size: per_device_train_batch_size {before} is cut to {}, and \
                 gradient_accumulation_steps is {}: the same training",
                self.config.per_device_train_batch_size, self.config.gradient_accumulation_steps
            )
        });
        let how = if self.is_measured { "about" } else { "at most" };
        let (needed, available) = (size(self.needed), size(self.machine.available()));
        found.into_iter().chain([format!("memory: {how} {needed} of {available} available")]).collect()
    }

    /// Returns a warning if the run needs swap.
    pub(crate) fn warning(&self) -> Option<String> {
        let swaps = self.needed > self.machine.available() && self.needed <= self.machine.with_swap();
        swaps.then(|| format!("{}: the system may kill it; try {}", self.need(), self.remedies()))
    }

    /// Fails if the run does not fit into memory and swap.
    pub(crate) fn require(&self) -> Result<(), CliError> {
        if self.needed <= self.machine.with_swap() {
            return Ok(());
        }
        let message = format!("out of memory: {}; try {}", self.need(), self.remedies());
        Err(CliError { message, code: OUT_OF_MEMORY })
    }

    fn need(&self) -> String {
        format!(
            "the run takes about {} of memory at its peak, and {} are available",
            size(self.needed),
            size(self.machine.available())
        )
    }

    fn remedies(&self) -> String {
        let TrainConfig { per_device_train_batch_size, gradient_checkpointing, .. } = self.config;
        let remedies = [
            (per_device_train_batch_size > 1, "--auto_find_batch_size"),
            (!gradient_checkpointing, "--gradient_checkpointing"),
            (true, "a smaller --max_seq_length"),
            (true, "a smaller --per_device_eval_batch_size"),
        ];
        let remedies = remedies.into_iter().filter(|(helps, _)| *helps).map(|(_, remedy)| remedy);
        remedies.collect::<Vec<_>>().join(", ")
    }
}

/// Returns a coarse upper bound of the bytes that a run needs in addition to the loaded model.
///
/// For each trained parameter: a gradient, an accumulated gradient, two moments and the best model. For each parameter: a
/// copy that is packed for bf16. For each token, in each layer and twice for temporaries: eight vectors of the hidden size
/// and two of the intermediate size. DoRA doubles these: it keeps the input and the output of each adapted layer.
fn upper_bound(source: &ModelSource, model: &Model, data: &TrainData<'_>, config: &TrainConfig) -> u64 {
    let all = model.num_params();
    let (trained, rank) = source.lora().map_or((all, 0), |lora| (count_parameters(model).trainable, lora.r));
    let shape = &source.config.encoder;
    let width = 8 * (shape.hidden_size + rank) + 2 * shape.intermediate_size + shape.num_attention_heads;
    let width = if source.lora().is_some_and(|lora| lora.use_dora) { 2 * width } else { width };
    let lengths = data.train.texts.lengths();
    let longest = lengths.iter().max().copied().unwrap_or_default();
    let train = data.train.texts.num_tokens().min(longest.saturating_mul(config.per_device_train_batch_size));
    let eval = data.eval.map_or(0, |eval| {
        let of_batch = config.per_device_eval_batch_size.saturating_mul(eval.texts.limit().max_length());
        eval.texts.num_tokens().min(of_batch)
    });
    let activations = width * (train * (shape.num_hidden_layers + 2) + eval);
    (VALUE * (all + 5 * trained + activations)) as u64
}

/// Measures the run. Returns settings that fit, and the peak of the process with them.
fn measured(
    model: &Model,
    data: &TrainData<'_>,
    config: &TrainConfig,
    machine: MachineMemory,
) -> Option<(TrainConfig, u64)> {
    check(model, data, config).ok()?;
    let lengths = data.train.texts.lengths();
    let tokens = |config: &TrainConfig| -> usize {
        heaviest_micro_batch(&lengths, config).iter().map(|&row| lengths[row]).sum()
    };
    let measure = |continues: &dyn Fn(&TrialPeaks, usize) -> bool| {
        TrialPeaks::measure(model, data, config, machine.resident, continues)
    };
    if config.auto_find_batch_size {
        let fits = |peaks: &TrialPeaks, tokens| peaks.at_most(tokens) <= machine.available();
        let peaks = measure(&fits)?;
        let found = find_batch_size(&lengths, config, |tokens| fits(&peaks, tokens));
        let needed = peaks.at_most(tokens(&found));
        return Some((found, needed));
    }
    let peaks = measure(&|peaks, tokens| peaks.at_least(tokens) <= machine.with_swap())?;
    Some((config.clone(), peaks.at_least(tokens(config))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(needed: u64, batch_size: usize) -> MemoryPlan {
        let config = TrainConfig { per_device_train_batch_size: batch_size, ..TrainConfig::default() };
        let machine = MachineMemory { resident: 1 << 30, room: 1 << 30, swap: 1 << 30 };
        MemoryPlan { config, needed, is_measured: true, machine, cut_from: None }
    }

    #[test]
    fn a_run_that_needs_swap_causes_a_warning_with_remedies() {
        assert_eq!(plan(2 << 30, 8).warning(), None);
        let warning = plan(3 << 30, 8).warning().unwrap();
        assert!(warning.contains("about 3.0 GiB") && warning.contains("2.0 GiB are available"), "{warning}");
        assert!(warning.contains("--auto_find_batch_size, --gradient_checkpointing"), "{warning}");
        assert!(!plan(3 << 30, 1).warning().unwrap().contains("--auto_find"));
    }

    #[test]
    fn a_run_that_exceeds_swap_is_an_error_with_the_same_remedies() {
        assert!(plan(3 << 30, 8).require().is_ok());
        let error = plan((3 << 30) + 1, 8).require().unwrap_err();
        assert_eq!(error.code, 5);
        assert!(error.message.starts_with("out of memory: the run takes about 3.0 GiB"), "{}", error.message);
        assert_eq!(plan((3 << 30) + 1, 8).warning(), None);
    }

    #[test]
    fn a_reduced_batch_size_is_reported_in_one_line() {
        let mut plan = plan(1 << 29, 2);
        assert_eq!(plan.lines(), ["memory: about 512 MiB of 2.0 GiB available"]);
        plan.is_measured = false;
        assert_eq!(plan.lines(), ["memory: at most 512 MiB of 2.0 GiB available"]);
        plan.cut_from = Some(8);
        plan.config.gradient_accumulation_steps = 4;
        assert!(plan.lines()[0].contains("per_device_train_batch_size 8 is cut to 2"), "{:?}", plan.lines());
    }
}
