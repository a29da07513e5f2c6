//! Encodes texts to token ids, next to their targets.

use embert_data::Dataset;
use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation};
use embert_train::{LabelledTexts, MetricOptions, Targets, TrainData};

use crate::device::DeviceContext;
use crate::error::CliError;
use crate::examples::Examples;
use crate::progress::Bar;
use crate::recipe::DataSection;

/// The training rows of a run and, if the run evaluates, its evaluation rows.
pub(crate) struct EncodedRun {
    pub(crate) train: EncodedExamples,
    pub(crate) eval: Option<EncodedExamples>,
    /// The label that F1, precision and recall are computed for, if the recipe names one.
    pub(crate) pos_label: Option<usize>,
}

impl EncodedRun {
    pub(crate) fn new(
        tokenizer: &Tokenizer,
        examples: &Examples,
        limit: Limit,
        pos_label: Option<usize>,
    ) -> Self {
        let encode = |dataset| EncodedExamples::new(tokenizer, dataset, limit);
        let train = encode(&examples.train);
        Self { train, eval: examples.eval.as_ref().map(|eval| encode(&eval.dataset)), pos_label }
    }

    /// Returns the rows as [`embert_train::fit`] takes them.
    pub(crate) fn data<'a>(&'a self, context: &'a DeviceContext) -> TrainData<'a> {
        TrainData {
            train: self.train.labelled(),
            eval: self.eval.as_ref().map(EncodedExamples::labelled),
            metric_options: MetricOptions { pos_label: self.pos_label, thresholds: None },
            padding: context.padding,
            replicas: &context.replicas,
        }
    }
}

/// The tokens and targets of a data set.
pub(crate) struct EncodedExamples {
    pub(crate) texts: EncodedTexts,
    targets: Targets,
}

impl EncodedExamples {
    pub(crate) fn new(tokenizer: &Tokenizer, dataset: &Dataset, limit: Limit) -> Self {
        let (texts, targets) = columns(dataset);
        Self { texts: encode(tokenizer, &texts, limit), targets }
    }

    /// Returns the rows as training and evaluation take them.
    pub(crate) fn labelled(&self) -> LabelledTexts<'_> {
        LabelledTexts { texts: &self.texts, targets: &self.targets }
    }
}

/// Encodes all texts on all cores and shows a progress bar.
pub(crate) fn encode<T: AsRef<str> + Sync>(tokenizer: &Tokenizer, texts: &[T], limit: Limit) -> EncodedTexts {
    let bar = Bar::items("Tokenizing", texts.len());
    tokenizer.encode_all(texts, limit, &|more| bar.add(more))
}

/// Returns the maximum length and the truncation of a recipe.
pub(crate) fn limit(data: &DataSection, max_position_embeddings: usize) -> Result<Limit, CliError> {
    let truncation: Truncation = data.truncation_side.parse().map_err(CliError::usage)?;
    Ok(Limit::new(data.max_seq_length, truncation, max_position_embeddings)?)
}

/// Returns the texts and the targets of a data set.
pub(crate) fn columns(dataset: &Dataset) -> (Vec<&str>, Targets) {
    let columns = dataset.examples.iter().map(|example| (example.text.as_str(), example.label));
    let (texts, labels) = columns.unzip();
    (texts, Targets::Labels(labels))
}
