//! CamemBERT (Martin et al., 2020): RoBERTa for French.

use super::architecture::Architecture;
use super::roberta;

/// CamemBERT. PEFT has no default target modules for it.
pub static CAMEMBERT: Architecture = Architecture {
    models: "camembert-base, almanach/camembert-large",
    classifier_class: "CamembertForSequenceClassification",
    tokenizer_class: "CamembertTokenizer",
    lora_target_modules: &[],
    ..roberta::architecture("camembert")
};
