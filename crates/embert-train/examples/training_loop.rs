//! A training loop of your own, without `fit`: `cargo run --release -p embert-train --example training_loop`.

use burn::module::Module;
use burn::tensor::Device;
use embert_kernels::DropoutStream;
use embert_model::{AutoModelForSequenceClassification, ForwardContext};
use embert_text::{Limit, Padding, Tokenizer, Truncation};
use embert_train::{AdamW, BackwardOptions, LabelledTexts, Targets, TrainConfig, step_gradients};

mod tiny_bert;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let texts: Vec<String> = (0..32).map(|row| format!("a {} film", ["bad", "good"][row % 2])).collect();
    let targets = Targets::Labels((0..32).map(|row| row % 2).collect());
    let tokenizer = Tokenizer::train(&texts, 100)?;
    let encoded = tokenizer.encode_all(&texts, Limit::new(16, Truncation::Right, 16)?, &|_| ());
    let examples = LabelledTexts { texts: &encoded, targets: &targets };
    let model_config = tiny_bert::config(tokenizer.vocab_size());
    let mut model = AutoModelForSequenceClassification::new(&model_config, 42, &Device::flex()).train();

    let config = TrainConfig { learning_rate: 3e-3, warmup_steps: 2.into(), ..TrainConfig::default() };
    let objective = config.objective(&targets, model.num_labels())?;
    let (schedule, mut optimizer) = (config.schedule(16)?, AdamW::new(config.adamw()));
    for step in 0..16 {
        // Two micro-batches of 8 rows make one optimizer step, as with gradient accumulation.
        let rows: Vec<usize> = (0..16).map(|row| (step * 16 + row) % 32).collect();
        let window: Vec<_> = rows.chunks(8).map(|rows| examples.batch(rows, Padding::Packed)).collect();
        let dropout = Some(DropoutStream { seed: 42, step: step as u64, first_sequence: 0 });
        let pass = ForwardContext { dropout, ..ForwardContext::default() };
        let step_result = step_gradients(&model, &window, &objective, pass, BackwardOptions::default());
        let loss = step_result.loss.clone().into_scalar::<f32>();
        let scale = step_result.scale(config.max_grad_norm);
        model = optimizer.step(model, step_result.gradients, scale, schedule.learning_rate(step));
        println!("step {step:>2} loss {loss:.4}");
    }
    Ok(())
}
