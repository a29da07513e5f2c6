//! Whether a run fits into memory: what it will take, what there is, and the batch size under which it does.

use burn::module::Module;
use embert_model::{AutoModelForSequenceClassification, parameter_shapes};
use embert_text::EncodedTexts;
use embert_train::{MemoryWorkload, TrainConfig, estimate_memory, find_batch_size};

use crate::device::Place;
use crate::machine::MachineMemory;
use crate::model_source::ModelSource;
use crate::recipe::Recipe;
use crate::report::size;

/// What is known of a run's memory before it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemoryPlan {
    /// The settings of the recipe, with the batch size that was found where it asks for one.
    pub(crate) config: TrainConfig,
    /// Bytes of the whole process at its peak.
    needed: u64,
    /// Bytes that it holds and may have.
    available: u64,
    /// The batch size of the recipe, where another was found.
    cut_from: Option<usize>,
}

impl MemoryPlan {
    /// To be made when the texts are there; the model may be `loaded` already. `None` where nothing is known: on GPUs, on systems that do
    /// not say what there is, and for recipes that training will refuse.
    pub(crate) fn new(
        recipe: &Recipe,
        place: &Place,
        source: &ModelSource,
        (train, eval): (&EncodedTexts, Option<&EncodedTexts>),
        loaded: Option<&AutoModelForSequenceClassification>,
    ) -> Option<Self> {
        if !place.is_cpu() {
            return None;
        }
        release_freed_memory();
        let model = loaded.map_or(0, |model| model.num_params() * size_of::<f32>());
        let machine = MachineMemory::now()?.without(model as u64);
        let parameters = parameter_shapes(&source.config, source.lora(), &place.device).ok()?;
        let workload = MemoryWorkload {
            model_config: &source.config,
            parameters: &parameters,
            train_lengths: &train.lengths(),
            eval_lengths: &eval.map_or(vec![], EncodedTexts::lengths),
            max_length: train.limit().max_length(),
        };
        let config = match recipe.train.auto_find_batch_size {
            true => find_batch_size(&workload, &recipe.train, machine.room).ok()?,
            false => recipe.train.clone(),
        };
        let needed = machine.resident + estimate_memory(&workload, &config).ok()?.total();
        let before = recipe.train.per_device_train_batch_size;
        let cut_from = (config.per_device_train_batch_size != before).then_some(before);
        Some(Self { config, needed, available: machine.available(), cut_from })
    }

    /// What a person is told.
    pub(crate) fn lines(&self) -> Vec<String> {
        let found = self.cut_from.map(|before| {
            format!(
                "auto_find_batch_size: per_device_train_batch_size {before} is cut to {}, and \
                 gradient_accumulation_steps is {}: the same training",
                self.config.per_device_train_batch_size, self.config.gradient_accumulation_steps
            )
        });
        let memory = format!("memory: about {} of {} available", size(self.needed), size(self.available));
        found.into_iter().chain([memory]).collect()
    }

    /// That it will not do, and what would.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.needed > self.available).then(|| {
            let steps = self.remedies().join(", ");
            format!(
                "the run takes about {} of memory at its peak, and {} are available: it may be ended by the system; try {steps}",
                size(self.needed),
                size(self.available)
            )
        })
    }

    fn remedies(&self) -> Vec<&'static str> {
        let TrainConfig { per_device_train_batch_size, gradient_checkpointing, .. } = self.config;
        let remedies = [
            (per_device_train_batch_size > 1, "--auto_find_batch_size"),
            (!gradient_checkpointing, "--gradient_checkpointing"),
            (true, "a smaller --max_seq_length"),
            (true, "a smaller --per_device_eval_batch_size"),
        ];
        remedies.into_iter().filter(|(helps, _)| *helps).map(|(_, remedy)| remedy).collect()
    }
}

/// What reading and tokenizing took for a moment is not there to be counted, nor lost to the run.
fn release_freed_memory() {
    #[cfg(feature = "cpu")]
    embert_kernels::release_freed_memory();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(needed: u64, batch_size: usize) -> MemoryPlan {
        let config = TrainConfig { per_device_train_batch_size: batch_size, ..TrainConfig::default() };
        MemoryPlan { config, needed, available: 2 << 30, cut_from: None }
    }

    #[test]
    fn a_run_that_does_not_fit_is_warned_of_with_what_is_left_to_do() {
        assert_eq!(plan(2 << 30, 8).warning(), None);
        let warning = plan(3 << 30, 8).warning().unwrap();
        assert!(warning.contains("about 3.0 GiB") && warning.contains("2.0 GiB are available"), "{warning}");
        assert!(warning.contains("--auto_find_batch_size, --gradient_checkpointing"), "{warning}");
        assert!(!plan(3 << 30, 1).warning().unwrap().contains("--auto_find"));
    }

    #[test]
    fn a_batch_that_was_cut_is_told_in_one_line() {
        let mut plan = plan(1 << 29, 2);
        assert_eq!(plan.lines(), ["memory: about 512 MiB of 2.0 GiB available"]);
        plan.cut_from = Some(8);
        plan.config.gradient_accumulation_steps = 4;
        assert!(plan.lines()[0].contains("per_device_train_batch_size 8 is cut to 2"), "{:?}", plan.lines());
    }
}
