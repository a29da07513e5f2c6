//! Selection of the files of a BERT-family model.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cache::io_error;
use crate::error::HubError;
use crate::progress::OnProgress;
use crate::snapshot::Snapshot;

const CONFIG: &str = "config.json";
/// The first one that exists is downloaded; an index with its shards.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];
/// At least one is required. If both exist, both are downloaded, as transformers saves both.
const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];
/// The last file has the maximum text length of sentence-transformers.
const OPTIONAL: [&str; 3] = ["tokenizer_config.json", "special_tokens_map.json", "sentence_bert_config.json"];

/// Downloads the files of a model and returns their folder. Checks that all files exist before the first
/// download.
pub(crate) fn download(snapshot: &Snapshot, on_progress: &mut OnProgress<'_>) -> Result<PathBuf, HubError> {
    if !snapshot.has(CONFIG) {
        return Err(snapshot.missing(CONFIG));
    }
    let Some(weights) = WEIGHTS.into_iter().find(|name| snapshot.has(name)) else {
        return Err(snapshot.missing("model.safetensors or pytorch_model.bin"));
    };
    if !TOKENIZERS.iter().any(|name| snapshot.has(name)) {
        return Err(snapshot.missing(&TOKENIZERS.join(" or ")));
    }
    snapshot.file(CONFIG, on_progress)?;
    for name in TOKENIZERS.iter().chain(&OPTIONAL).filter(|name| snapshot.has(name)) {
        snapshot.file(name, on_progress)?;
    }
    let weights_path = snapshot.file(weights, on_progress)?;
    if weights.ends_with(".index.json") {
        for shard in shards(&weights_path)? {
            snapshot.file(&shard, on_progress)?;
        }
    }
    snapshot.save_revision()?;
    Ok(snapshot.path())
}

/// Returns the files in the index of a sharded model.
fn shards(index: &Path) -> Result<BTreeSet<String>, HubError> {
    let invalid = |reason: String| HubError::InvalidIndex { path: index.to_owned(), reason };
    let text = fs::read_to_string(index).map_err(io_error(index))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let map = value["weight_map"].as_object().ok_or_else(|| invalid("it has no weight_map".to_owned()))?;
    let shard = |(tensor, shard): (&String, &Value)| match shard.as_str() {
        Some(shard) => Ok(shard.to_owned()),
        None => Err(invalid(format!("weight_map names no file for {tensor}"))),
    };
    map.iter().map(shard).collect()
}
