//! Models and data so small that a test may train on them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Trains 13 steps on generated reviews, from random weights.
pub(crate) const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 \
                               --intermediate_size 32 --synthetic_reviews 250 --num_train_epochs 1";

/// The shape of a model from random weights.
pub(crate) const SHAPE: &str = "--model_type bert --vocab_size 200 --hidden_size 16 --num_hidden_layers 1 \
                                --num_attention_heads 2 --intermediate_size 16 --max_position_embeddings 32 \
                                --max_seq_length 32";

/// Writes a csv of `rows` rows whose labels take turns; the texts say which label it is.
pub(crate) fn write_csv(folder: &Path, name: &str, labels: &[&str], rows: usize) {
    let mut csv = String::from("text,label\n");
    for row in 0..rows {
        let label = row % labels.len();
        let word = ["apple", "river", "stone", "cloud", "horse", "lamp"][label % 6];
        writeln!(csv, "{word} {word} number {row} of the {word} kind,{}", labels[label]).unwrap();
    }
    fs::write(folder.join(name), csv).unwrap();
}
