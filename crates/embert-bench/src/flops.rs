//! Floating-point operations of the matrix products, for sequences of lengths L, with T = ΣL.
//!
//! The forward pass of a layer needs 2·T·(4h² + 2hi) in linear layers and 4·h·ΣL² in attention. The last layer computes
//! only first tokens, and needs 2·T·2h² for keys and values.
//!
//! The backward pass of a product needs two products: the gradients of its input and of its weight. With adapters, the
//! weights are frozen and have no gradients. Query, key and value of the lowest layer need no input gradient either.
//! Embeddings, adapters, and products with one row per sequence are not counted. The layers of DeBERTa and ModernBERT
//! have other products.

use embert_model::EncoderConfig;

use crate::workload::{Task, Workload};

/// Returns the operations of all measured steps; `None` for layers that are not those of BERT.
pub(crate) fn of_workload(workload: &Workload) -> Option<f64> {
    let config = workload.config.encoder();
    let has_layers_of_bert = config.deberta.is_none() && config.modernbert.is_none();
    let steps = workload.measured_lengths();
    has_layers_of_bert.then(|| steps.iter().map(|lengths| of_step(config, workload.task, lengths)).sum())
}

fn of_step(config: &EncoderConfig, task: Task, lengths: &[usize]) -> f64 {
    let (linear, attention) = (linear_maps(config, lengths), attention(config, lengths));
    match task {
        Task::Full => 3.0 * linear + 3.0 * attention,
        Task::Lora => 2.0 * linear + 3.0 * attention - lowest_inputs(config, lengths),
        Task::Evaluation => linear + attention,
    }
}

/// Returns 2·T·(4h² + 2hi) for each layer except the last, and 2·T·2h² for the last.
fn linear_maps(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
    let num_tokens: usize = lengths.iter().sum();
    let weights = 4 * hidden * hidden + 2 * hidden * intermediate;
    (2 * num_tokens * ((config.num_hidden_layers - 1) * weights + 2 * hidden * hidden)) as f64
}

/// Returns 2·T·3h² for the input gradients of the lowest layer.
fn lowest_inputs(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    (2 * lengths.iter().sum::<usize>() * 3 * config.hidden_size * config.hidden_size) as f64
}

/// Returns 4·h·ΣL² for each layer except the last.
fn attention(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    let pairs: usize = lengths.iter().map(|length| length * length).sum();
    ((config.num_hidden_layers - 1) * 4 * config.hidden_size * pairs) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_of_a_step_match_a_count_by_hand() {
        let config = EncoderConfig {
            hidden_size: 2,
            intermediate_size: 8,
            num_hidden_layers: 3,
            ..EncoderConfig::default()
        };
        // A layer: 10 tokens · 2 · (4 · 4 + 2 · 16) = 960, and 4 · 2 · (16 + 36) = 416.
        // The last layer: 10 tokens · 2 · 8 = 160.
        assert_eq!(of_step(&config, Task::Evaluation, &[4, 6]), 2.0 * (960.0 + 416.0) + 160.0);
        assert_eq!(of_step(&config, Task::Full, &[4, 6]), 3.0 * (2.0 * (960.0 + 416.0) + 160.0));
        // The lowest inputs: 10 tokens · 2 · 12 = 240.
        let lora = 2.0 * (2.0 * 960.0 + 3.0 * 416.0) + 2.0 * 160.0 - 240.0;
        assert_eq!(of_step(&config, Task::Lora, &[4, 6]), lora);
    }

    #[test]
    fn bert_base_needs_79_million_multiplications_per_token_in_linear_layers() {
        let config = EncoderConfig::default();
        assert_eq!(linear_maps(&config, &[1]), 2.0 * (84_934_656.0 * 11.0 / 12.0 + 2.0 * 768.0 * 768.0));
    }
}
