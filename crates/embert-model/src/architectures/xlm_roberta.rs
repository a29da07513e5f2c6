//! XLM-RoBERTa (Conneau et al., 2020): RoBERTa for 100 languages.

use super::architecture::Architecture;
use super::roberta;

/// XLM-RoBERTa.
pub static XLM_ROBERTA: Architecture = Architecture {
    models: "xlm-roberta-base, xlm-roberta-large, intfloat/multilingual-e5-base",
    classifier_class: "XLMRobertaForSequenceClassification",
    tokenizer_class: "XLMRobertaTokenizer",
    ..roberta::architecture("xlm-roberta")
};
