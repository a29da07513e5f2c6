//! One piece of work and what doing it took, as the JSON that goes to a child process and comes back.

use burn::tensor::Device;
use embert_kernels::Precision;
use embert_model::{AutoConfig, AutoModelForSequenceClassification, BERT, EncoderConfig};
use serde::{Deserialize, Serialize};

/// Of the random weights, and of dropout.
pub(crate) const SEED: u64 = 42;

/// What is done with a model of random weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub task: Task,
    pub config: EncoderConfig,
    pub bf16: bool,
    pub batch_size: usize,
    pub max_length: usize,
    /// Tokens of each row, none more than `max_length`.
    pub lengths: Vec<usize>,
    /// Steps before those that count.
    pub warm_up: usize,
    pub steps: usize,
    /// What transformers works on, too.
    pub on_gpu: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// A step is one of training, on the next rows; every weight is trained.
    Full,
    /// The same, with adapters of rank 4 on query and key and the classifier trained.
    Lora,
    /// A step is the forward pass over all rows.
    Evaluation,
}

impl Work {
    /// The BERT with random weights that it is done with.
    pub(crate) fn model(&self, device: &Device) -> AutoModelForSequenceClassification {
        AutoModelForSequenceClassification::new(&AutoConfig::new(&BERT, self.config.clone()), SEED, device)
    }

    pub(crate) fn precision(&self) -> Precision {
        if self.bf16 { Precision::Bf16 } else { Precision::Fp32 }
    }

    /// The rows of each step, those that do not count first.
    pub(crate) fn rows(&self) -> Vec<Vec<usize>> {
        let of_step = |step: usize| match self.task {
            Task::Evaluation => (0..self.lengths.len()).collect(),
            Task::Full | Task::Lora => (step * self.batch_size..(step + 1) * self.batch_size).collect(),
        };
        (0..self.warm_up + self.steps).map(of_step).collect()
    }

    /// The lengths of the sequences of each step that counts.
    pub(crate) fn counted(&self) -> Vec<Vec<usize>> {
        let lengths = |rows: &Vec<usize>| rows.iter().map(|&row| self.lengths[row]).collect();
        self.rows()[self.warm_up..].iter().map(lengths).collect()
    }
}

/// What doing it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Of each step that counts.
    pub seconds: Vec<f64>,
    /// Of the first step, which does not count: a GPU compiles and tunes kernels then.
    pub first_seconds: f64,
    /// The most memory that the process, or the GPU for it, ever held, where that is known.
    pub peak_bytes: Option<u64>,
    /// What did it.
    pub versions: String,
}

impl Answer {
    pub(crate) fn total_seconds(&self) -> f64 {
        self.seconds.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(task: Task) -> Work {
        let config = EncoderConfig::default();
        let lengths = vec![3, 4, 5, 6, 7, 8];
        let (warm_up, steps, on_gpu) = (1, 2, false);
        Work { task, config, bf16: true, batch_size: 2, max_length: 8, lengths, warm_up, steps, on_gpu }
    }

    #[test]
    fn work_survives_json() {
        let text = serde_json::to_string(&work(Task::Lora)).expect("work is JSON");
        assert!(text.contains(r#""task":"lora""#), "{text}");
        assert_eq!(serde_json::from_str::<Work>(&text).expect("it was written here"), work(Task::Lora));
    }

    #[test]
    fn a_step_of_training_takes_the_next_rows() {
        assert_eq!(work(Task::Full).rows(), [[0, 1], [2, 3], [4, 5]]);
        assert_eq!(work(Task::Full).counted(), [[5, 6], [7, 8]]);
    }

    #[test]
    fn a_step_of_evaluation_takes_all_rows() {
        assert_eq!(work(Task::Evaluation).counted(), vec![vec![3, 4, 5, 6, 7, 8]; 2]);
    }
}
