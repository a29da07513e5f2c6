//! A workload and its measurement, as JSON to and from a child process.

use burn::tensor::Device;
use embert_kernels::Precision;
use embert_model::AutoModelForSequenceClassification;
use serde::{Deserialize, Serialize};

use crate::model_config::ModelConfig;

/// The seed of weights and dropout.
pub(crate) const SEED: u64 = 42;

/// Training or evaluation of a model with random weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Workload {
    pub task: Task,
    pub config: ModelConfig,
    pub bf16: bool,
    #[serde(default)]
    pub fp16: bool,
    pub batch_size: usize,
    pub max_length: usize,
    /// The number of tokens of each row, at most `max_length`.
    pub lengths: Vec<usize>,
    /// Number of steps before the measured steps.
    pub warm_up: usize,
    /// Number of measured steps.
    pub steps: usize,
    /// True if embert and transformers run on a GPU.
    pub on_gpu: bool,
    /// The number of devices that share each training step of embert.
    #[serde(default = "one")]
    pub devices: usize,
}

fn one() -> usize {
    1
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// A step trains all weights on the next rows.
    Full,
    /// A step trains adapters of rank 4 on query and key, and the classifier, on the next rows.
    Lora,
    /// A step is a forward pass over all rows.
    Evaluation,
}

impl Workload {
    /// Returns a classifier with random weights.
    pub(crate) fn model(&self, device: &Device) -> AutoModelForSequenceClassification {
        AutoModelForSequenceClassification::new(&self.config.opened, SEED, device)
    }

    pub(crate) fn precision(&self) -> Precision {
        if self.fp16 {
            Precision::Fp16
        } else if self.bf16 {
            Precision::Bf16
        } else {
            Precision::Fp32
        }
    }

    /// Returns the rows of each step, including the warm-up.
    pub(crate) fn rows(&self) -> Vec<Vec<usize>> {
        let rows = |step: usize| match self.task {
            Task::Evaluation => (0..self.lengths.len()).collect(),
            Task::Full | Task::Lora => (step * self.batch_size..(step + 1) * self.batch_size).collect(),
        };
        (0..self.warm_up + self.steps).map(rows).collect()
    }

    /// Returns the lengths of the sequences of each measured step.
    pub(crate) fn measured_lengths(&self) -> Vec<Vec<usize>> {
        let lengths = |rows: &Vec<usize>| rows.iter().map(|&row| self.lengths[row]).collect();
        self.rows()[self.warm_up..].iter().map(lengths).collect()
    }
}

/// The time and the memory of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// Seconds of each measured step.
    pub seconds: Vec<f64>,
    /// Seconds of the first step, in which a GPU compiles and tunes kernels.
    pub first_seconds: f64,
    /// Peak memory of the process, or memory reserved on the GPU, if known.
    pub peak_bytes: Option<u64>,
    /// Names and versions of the libraries.
    pub versions: String,
}

impl Measurement {
    pub(crate) fn total_seconds(&self) -> f64 {
        self.seconds.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_size::minilm;

    fn workload(task: Task) -> Workload {
        let config = minilm().config;
        let lengths = vec![3, 4, 5, 6, 7, 8];
        Workload {
            task,
            config,
            bf16: true,
            fp16: false,
            batch_size: 2,
            max_length: 8,
            lengths,
            warm_up: 1,
            steps: 2,
            on_gpu: false,
            devices: 1,
        }
    }

    #[test]
    fn a_workload_survives_a_json_round_trip() {
        let text = serde_json::to_string(&workload(Task::Lora)).expect("a workload is JSON");
        assert!(text.contains(r#""task":"lora""#), "{text}");
        assert_eq!(
            serde_json::from_str::<Workload>(&text).expect("it was written here"),
            workload(Task::Lora)
        );
    }

    #[test]
    fn a_training_step_uses_the_next_rows() {
        assert_eq!(workload(Task::Full).rows(), [[0, 1], [2, 3], [4, 5]]);
        assert_eq!(workload(Task::Full).measured_lengths(), [[5, 6], [7, 8]]);
    }

    #[test]
    fn an_evaluation_step_uses_all_rows() {
        assert_eq!(workload(Task::Evaluation).measured_lengths(), vec![vec![3, 4, 5, 6, 7, 8]; 2]);
    }
}
