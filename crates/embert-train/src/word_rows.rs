//! The rows of the word embeddings that a batch reads, as the whole table of the step. The other rows have no gradient, so
//! that a step needs no memory for it: 192 million values in XLM-RoBERTa, of which a batch of 2,000 tokens reads 1 %.

use std::borrow::Cow;

use embert_inference::device_of;
use embert_kernels::{TableRows, prefers_table_rows};

use crate::autodiff_leaf::autodiff_leaf;
use crate::batches::LabelledBatch;
use crate::model::Model;

/// A batch, and a model for this batch.
pub(crate) struct WordRows<'a> {
    /// The model. Its table of word embeddings has only `rows`.
    pub(crate) model: Cow<'a, Model>,
    /// The batch. Its ids are places among `rows`.
    pub(crate) batch: Cow<'a, LabelledBatch>,
    /// The rows of the table that the batch reads; `None` if the table is complete.
    pub(crate) rows: Option<TableRows>,
}

impl<'a> WordRows<'a> {
    /// Selects the rows if the table trains and the model is on a CPU.
    pub(crate) fn read_by(batch: &'a LabelledBatch, model: &'a Model) -> Self {
        let table = model.embeddings().word_embeddings.weight.val();
        if !(table.is_require_grad() && prefers_table_rows(&device_of(model))) {
            return Self { model: Cow::Borrowed(model), batch: Cow::Borrowed(batch), rows: None };
        }
        let rows = TableRows::new(batch.tokens.ids.iter().copied());
        let (mut model, mut batch) = (model.clone(), batch.clone());
        batch.tokens.ids = rows.places(&batch.tokens.ids);
        let weight = &mut model.embeddings_mut().word_embeddings.weight;
        *weight = weight.clone().map(|table| autodiff_leaf(rows.of_table(table.clone().inner()), &table));
        Self { model: Cow::Owned(model), batch: Cow::Owned(batch), rows: Some(rows) }
    }
}
