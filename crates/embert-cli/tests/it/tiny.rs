//! Tiny models and data for tests.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Flags that train a model with random weights for 13 steps on synthetic reviews.
pub(crate) const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 \
                               --intermediate_size 32 --synthetic_reviews 250 --num_train_epochs 1";

/// Flags for the sizes of a model with random weights.
pub(crate) const SHAPE: &str = "--model_type bert --vocab_size 200 --hidden_size 16 --num_hidden_layers 1 \
                                --num_attention_heads 2 --intermediate_size 16 --max_position_embeddings 32 \
                                --max_seq_length 32";

/// Writes a csv file whose labels alternate. Each label has its own word in the texts.
pub(crate) fn write_csv(folder: &Path, name: &str, labels: &[&str], rows: usize) {
    let mut csv = String::from("text,label\n");
    for row in 0..rows {
        let label = row % labels.len();
        let word = ["apple", "river", "stone", "cloud", "horse", "lamp"][label % 6];
        writeln!(csv, "{word} {word} number {row} of the {word} kind,{}", labels[label]).unwrap();
    }
    fs::write(folder.join(name), csv).unwrap();
}
