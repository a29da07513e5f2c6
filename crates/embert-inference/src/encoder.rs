//! Text encoder: texts in, vectors out.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use embert_model::AutoModel;
use embert_text::{Limit, Tokenizer};

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::forward::forward_all;
use crate::inputs::device_of;
use crate::open_options::OpenOptions;
use crate::pooling::Pooling;

/// Encoder with its tokenizer.
#[derive(Debug)]
pub struct Encoder {
    /// The model, without autodiff.
    pub model: AutoModel,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The maximum number of tokens of a text, and the truncation side.
    pub limit: Limit,
    /// Batch size, padding and precision.
    pub batching: Batching,
}

impl Encoder {
    /// Opens the encoder of a directory written by transformers, sentence-transformers or embert. A head is
    /// ignored.
    ///
    /// The maximum length is `max_seq_length` in `recipe.toml` of the run or in `sentence_bert_config.json`
    /// of sentence-transformers, else the number of positions of the model.
    ///
    /// # Errors
    /// [`InferenceError::AdapterOnly`] if the directory contains an adapter, and the errors of
    /// [`ModelDirectory::open`](crate::ModelDirectory::open) and [`AutoModel::from_pretrained`].
    pub fn open(directory: impl AsRef<Path>, device: &Device) -> Result<Self, InferenceError> {
        Self::open_with(directory, &OpenOptions::default(), device)
    }

    /// Opens an encoder with options that override those of training.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open); [`InferenceError::Precision`]; a
    /// [`TextError`](embert_text::TextError) if the model does not support the length.
    pub fn open_with(
        directory: impl AsRef<Path>,
        options: &OpenOptions,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        let (opened, limit, batching) = options.open(directory.as_ref(), device)?;
        if opened.adapter.is_some() {
            return Err(InferenceError::AdapterOnly { directory: directory.as_ref().to_owned() });
        }
        let model = AutoModel::from_pretrained(&opened.weights, &opened.config, device)?.model;
        Ok(Self { model, tokenizer: opened.tokenizer, limit, batching })
    }

    /// Returns the vector of each text, `[texts][hidden]`, in the order of the texts.
    ///
    /// # Errors
    /// [`InferenceError::NoPooler`] for [`Pooling::Pooled`] if the model has no pooler;
    /// [`InferenceError::NotFinite`] if the output of the model is NaN or infinite.
    pub fn embed<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        pooling: Pooling,
    ) -> Result<Vec<Vec<f32>>, InferenceError> {
        if pooling == Pooling::Pooled && !self.model.has_pooler() {
            return Err(InferenceError::NoPooler);
        }
        let forward = |ids, layout: &_, context| {
            let hidden_states = self.model.forward(ids, layout, context); // [num_tokens, hidden]
            pooling.apply(&self.model, hidden_states, layout, context) // [batch, hidden]
        };
        let texts = self.tokenizer.encode_all(texts, self.limit, &|_| ());
        let on_progress = &mut |_| Ok(ControlFlow::Continue(()));
        forward_all("hidden states", &forward, &texts, self.batching, &device_of(&self.model), on_progress)
    }

    /// Returns the vectors of [`embed`](Self::embed), scaled to length 1. Their dot product is the cosine
    /// similarity.
    ///
    /// # Errors
    /// The errors of [`embed`](Self::embed).
    pub fn embed_normalized<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        pooling: Pooling,
    ) -> Result<Vec<Vec<f32>>, InferenceError> {
        let mut vectors = self.embed(texts, pooling)?;
        vectors.iter_mut().for_each(|vector| normalize(vector));
        Ok(vectors)
    }
}

/// Divides x by max(‖x‖₂, 10⁻¹²), like `torch.nn.functional.normalize`.
fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|x| *x /= norm);
}
