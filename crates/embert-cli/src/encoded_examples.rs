//! Encodes texts to token ids, next to their targets.

use embert_data::{Dataset, Target};
use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation, TruncationStrategy};
use embert_train::{LabelledTexts, Targets, TrainData};

use crate::device::DeviceContext;
use crate::error::CliError;
use crate::examples::Examples;
use crate::metric_choice::MetricChoice;
use crate::progress::Bar;
use crate::recipe::DataSection;

/// The training rows of a run and, if the run evaluates, its evaluation rows.
pub(crate) struct EncodedRun {
    pub(crate) train: EncodedExamples,
    pub(crate) eval: Option<EncodedExamples>,
    /// The second evaluation rows of MNLI.
    pub(crate) mismatched: Option<EncodedExamples>,
    pub(crate) metrics: MetricChoice,
}

impl EncodedRun {
    pub(crate) fn new(
        tokenizer: &Tokenizer,
        examples: &Examples,
        limit: Limit,
        metrics: MetricChoice,
    ) -> Result<Self, CliError> {
        let encode = |dataset| EncodedExamples::new(tokenizer, dataset, limit);
        let train = encode(&examples.train)?;
        let eval = examples.eval.as_ref().map(|eval| encode(&eval.dataset)).transpose()?;
        let mismatched = examples.mismatched.as_ref().map(|eval| encode(&eval.dataset)).transpose()?;
        Ok(Self { train, eval, mismatched, metrics })
    }

    /// Returns the rows as [`embert_train::fit`] takes them.
    pub(crate) fn data<'a>(&'a self, context: &'a DeviceContext) -> TrainData<'a> {
        TrainData {
            train: self.train.labelled(),
            eval: self.eval.as_ref().map(EncodedExamples::labelled),
            metric_options: self.metrics.options(),
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
    pub(crate) fn new(tokenizer: &Tokenizer, dataset: &Dataset, limit: Limit) -> Result<Self, CliError> {
        let (texts, pairs) = texts(dataset);
        let texts = encode(tokenizer, Texts { texts: &texts, pairs: pairs.as_deref() }, limit)?;
        Ok(Self { texts, targets: targets(dataset) })
    }

    /// Returns the rows as training and evaluation take them.
    pub(crate) fn labelled(&self) -> LabelledTexts<'_> {
        LabelledTexts { texts: &self.texts, targets: &self.targets }
    }
}

/// Texts, or pairs of texts.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a, T> {
    pub(crate) texts: &'a [T],
    pub(crate) pairs: Option<&'a [T]>,
}

/// Encodes all texts on all cores and shows a progress bar.
pub(crate) fn encode<T: AsRef<str> + Sync>(
    tokenizer: &Tokenizer,
    texts: Texts<'_, T>,
    limit: Limit,
) -> Result<EncodedTexts, CliError> {
    let bar = Bar::items("Tokenizing", texts.texts.len());
    encode_with(tokenizer, texts, limit, &|more| bar.add(more))
}

/// Encodes all texts on all cores.
pub(crate) fn encode_quietly<T: AsRef<str> + Sync>(
    tokenizer: &Tokenizer,
    texts: Texts<'_, T>,
    limit: Limit,
) -> Result<EncodedTexts, CliError> {
    encode_with(tokenizer, texts, limit, &|_| ())
}

fn encode_with<T: AsRef<str> + Sync>(
    tokenizer: &Tokenizer,
    Texts { texts, pairs }: Texts<'_, T>,
    limit: Limit,
    on_progress: &(dyn Fn(usize) + Sync),
) -> Result<EncodedTexts, CliError> {
    match pairs {
        Some(pairs) => Ok(tokenizer.encode_all_pairs(texts, pairs, limit, on_progress)?),
        None => Ok(tokenizer.encode_all(texts, limit, on_progress)),
    }
}

/// Returns the maximum length and the truncation of a recipe.
pub(crate) fn limit(data: &DataSection, max_position_embeddings: usize) -> Result<Limit, CliError> {
    let truncation: Truncation = data.truncation_side.parse().map_err(CliError::usage)?;
    let strategy: TruncationStrategy = data.truncation_strategy.parse().map_err(CliError::usage)?;
    Ok(Limit::new(data.max_seq_length, truncation, max_position_embeddings)?.with_strategy(strategy))
}

/// Returns the texts of a data set and, if they are pairs, the second texts.
pub(crate) fn texts(dataset: &Dataset) -> (Vec<&str>, Option<Vec<&str>>) {
    let texts = dataset.examples.iter().map(|example| example.text.as_str()).collect();
    let pairs = dataset.examples.iter().map(|example| example.text_pair.as_deref());
    (texts, pairs.collect::<Option<Vec<_>>>().filter(|pairs| !pairs.is_empty()))
}

/// Returns the targets of a data set.
pub(crate) fn targets(dataset: &Dataset) -> Targets {
    use embert_data::ProblemType::{MultiLabelClassification, Regression, SingleLabelClassification};
    let targets = dataset.examples.iter().map(|example| &example.target);
    match dataset.problem_type {
        SingleLabelClassification => Targets::Labels(targets.filter_map(Target::label).collect()),
        MultiLabelClassification => {
            Targets::MultiHot(targets.map(|target| multi_hot(target, dataset.labels.len())).collect())
        }
        Regression => Targets::Values(targets.map(|target| target.values().to_vec()).collect()),
    }
}

fn multi_hot(target: &Target, num_labels: usize) -> Vec<bool> {
    let mut labels = vec![false; num_labels];
    target.label_ids().iter().for_each(|&id| labels[id] = true);
    labels
}
