//! Selection of the files of a BERT-family model, or of an adapter.

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
/// If both exist, both are downloaded, as transformers saves both.
const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];
/// Without [`TOKENIZERS`], the first one that exists: byte-level BPE, and SentencePiece.
const VOCABULARIES: [&str; 4] = ["vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model"];
/// The last files have the maximum text length: of embert, and of sentence-transformers.
const OPTIONAL: [&str; 6] = [
    "merges.txt",
    "added_tokens.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "recipe.toml",
    "sentence_bert_config.json",
];

/// The settings of an adapter of PEFT. A repository that has them is an adapter, as in transformers.
const ADAPTER_CONFIG: &str = "adapter_config.json";
/// The first one that exists is downloaded.
const ADAPTER_WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];
/// The configs of the adapted model: its labels. embert writes the first one.
const ADAPTED_CONFIGS: [&str; 2] = ["model_config.json", CONFIG];

/// Downloads the files of a model or an adapter and returns their folder. Checks that all files exist before the first
/// download.
pub(crate) fn download(snapshot: &Snapshot, on_progress: &mut OnProgress<'_>) -> Result<PathBuf, HubError> {
    if snapshot.has(ADAPTER_CONFIG) {
        download_adapter(snapshot, on_progress)?;
    } else {
        download_model(snapshot, on_progress)?;
    }
    snapshot.save_revision()?;
    Ok(snapshot.path())
}

/// The tokenizer and the labels may be those of the base model, which is another repository.
fn download_adapter(snapshot: &Snapshot, on_progress: &mut OnProgress<'_>) -> Result<(), HubError> {
    let Some(weights) = ADAPTER_WEIGHTS.into_iter().find(|name| snapshot.has(name)) else {
        return Err(snapshot.missing(&ADAPTER_WEIGHTS.join(" or ")));
    };
    let tokenizer = tokenizer(snapshot).unwrap_or_default().into_iter();
    let optional = ADAPTED_CONFIGS.into_iter().chain(OPTIONAL).filter(|name| snapshot.has(name));
    for name in [ADAPTER_CONFIG].into_iter().chain(tokenizer).chain(optional).chain([weights]) {
        snapshot.file(name, on_progress)?;
    }
    Ok(())
}

fn download_model(snapshot: &Snapshot, on_progress: &mut OnProgress<'_>) -> Result<(), HubError> {
    if !snapshot.has(CONFIG) {
        return Err(snapshot.missing(CONFIG));
    }
    let Some(weights) = WEIGHTS.into_iter().find(|name| snapshot.has(name)) else {
        return Err(snapshot.missing("model.safetensors or pytorch_model.bin"));
    };
    let tokenizer = tokenizer(snapshot)?;
    snapshot.file(CONFIG, on_progress)?;
    for name in tokenizer.into_iter().chain(OPTIONAL.into_iter().filter(|name| snapshot.has(name))) {
        snapshot.file(name, on_progress)?;
    }
    let weights_path = snapshot.file(weights, on_progress)?;
    if weights.ends_with(".index.json") {
        for shard in shards(&weights_path)? {
            snapshot.file(&shard, on_progress)?;
        }
    }
    Ok(())
}

/// Returns the files of the vocabulary.
fn tokenizer(snapshot: &Snapshot) -> Result<Vec<&'static str>, HubError> {
    let found = TOKENIZERS.into_iter().filter(|name| snapshot.has(name)).collect::<Vec<_>>();
    if !found.is_empty() {
        return Ok(found);
    }
    let vocabulary = VOCABULARIES.into_iter().find(|name| snapshot.has(name));
    vocabulary.map(|name| vec![name]).ok_or_else(|| {
        snapshot.missing(&TOKENIZERS.into_iter().chain(VOCABULARIES).collect::<Vec<_>>().join(" or "))
    })
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
