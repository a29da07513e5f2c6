//! Floating-point operations of matrix products, for sequences of lengths L, T = ΣL: a layer's forward pass makes
//! 2·T·(4h² + 2hi) in its linear maps and 4·h·ΣL² in attention; the last layer, which serves first tokens only,
//! 2·T·2h² for keys and values.
//!
//! Backward, a product makes two: for its input and for its weight. With adapters the weights are frozen and need no
//! second, and queries, keys and values of the lowest layer not even the first. Embeddings, adapters, and products with
//! one row for each sequence are not counted.

use embert_model::EncoderConfig;

use crate::work::{Task, Work};

/// Of all steps that count.
pub(crate) fn of_work(work: &Work) -> f64 {
    work.counted().iter().map(|lengths| of_step(&work.config, work.task, lengths)).sum()
}

fn of_step(config: &EncoderConfig, task: Task, lengths: &[usize]) -> f64 {
    let (linear, attention) = (linear_maps(config, lengths), attention(config, lengths));
    match task {
        Task::Full => 3.0 * linear + 3.0 * attention,
        Task::Lora => 2.0 * linear + 3.0 * attention - lowest_inputs(config, lengths),
        Task::Evaluation => linear + attention,
    }
}

/// 2·T·(4h² + 2hi) for each layer but the last, which makes 2·T·2h².
fn linear_maps(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
    let num_tokens: usize = lengths.iter().sum();
    let weights = 4 * hidden * hidden + 2 * hidden * intermediate;
    (2 * num_tokens * ((config.num_hidden_layers - 1) * weights + 2 * hidden * hidden)) as f64
}

/// 2·T·3h², of the gradients of the embeddings; of a lowest layer that is not the last.
fn lowest_inputs(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    (2 * lengths.iter().sum::<usize>() * 3 * config.hidden_size * config.hidden_size) as f64
}

/// 4·h·ΣL² for each layer but the last.
fn attention(config: &EncoderConfig, lengths: &[usize]) -> f64 {
    let pairs: usize = lengths.iter().map(|length| length * length).sum();
    ((config.num_hidden_layers - 1) * 4 * config.hidden_size * pairs) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cost_what_their_products_cost() {
        let config = EncoderConfig {
            hidden_size: 2,
            intermediate_size: 8,
            num_hidden_layers: 3,
            ..EncoderConfig::default()
        };
        // A layer: 10 tokens · 2 · (4 · 4 + 2 · 16) = 960, and 4 · 2 · (16 + 36) = 416.
        // The last: 10 tokens · 2 · 8 = 160.
        assert_eq!(of_step(&config, Task::Evaluation, &[4, 6]), 2.0 * (960.0 + 416.0) + 160.0);
        assert_eq!(of_step(&config, Task::Full, &[4, 6]), 3.0 * (2.0 * (960.0 + 416.0) + 160.0));
        // The lowest inputs: 10 tokens · 2 · 12 = 240.
        let lora = 2.0 * (2.0 * 960.0 + 3.0 * 416.0) + 2.0 * 160.0 - 240.0;
        assert_eq!(of_step(&config, Task::Lora, &[4, 6]), lora);
    }

    #[test]
    fn bert_base_makes_79_million_multiplications_a_token_in_its_linear_maps() {
        let config = EncoderConfig::default();
        assert_eq!(linear_maps(&config, &[1]), 2.0 * (84_934_656.0 * 11.0 / 12.0 + 2.0 * 768.0 * 768.0));
    }
}
