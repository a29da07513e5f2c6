//! Heads of checkpoints: heads of other tasks are unused, and a new head is initialized on request.

use std::collections::HashMap;
use std::fs;

use burn::tensor::Device;
use embert_model::{
    Adapter, AutoConfig, AutoModelForSequenceClassification, ForwardContext, ModelError, from_pretrained,
    from_pretrained_with_new_head, has_classification_head,
};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};

/// Returns a fixture without tensors that begin with `without`, with added tensors of zeros and these
/// `architectures`.
fn checkpoint(model: &str, without: &str, extra: &[(&str, &[usize])], architectures: Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let bytes = fs::read(fixtures().join(model).join("model.safetensors")).unwrap();
    let zeros = vec![0; 4 * 99 * 64];
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: HashMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    tensors.retain(|name, _| without.is_empty() || !name.starts_with(without));
    for (name, shape) in extra {
        let length = 4 * shape.iter().product::<usize>();
        let zeros = TensorView::new(Dtype::F32, shape.to_vec(), &zeros[..length]).unwrap();
        tensors.insert(name.to_string(), zeros);
    }
    fs::write(directory.path().join("model.safetensors"), safetensors::serialize(tensors, None).unwrap())
        .unwrap();
    let text = fs::read_to_string(fixtures().join(model).join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["architectures"] = architectures;
    fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    directory
}

fn classifier(model: &AutoModelForSequenceClassification) -> Vec<f32> {
    values(model.classifier().weight.val())
}

const HEAD: [&str; 2] = ["classifier.weight", "classifier.bias"];

#[test]
fn heads_of_other_tasks_are_listed_as_unused() {
    type Case = (&'static str, &'static [(&'static str, &'static [usize])], &'static str);
    let bert: [Case; 6] = [
        (
            "classifier.",
            &[("qa_outputs.weight", &[2, 32]), ("qa_outputs.bias", &[2])],
            "BertForQuestionAnswering",
        ),
        ("classifier.", &[("cls.predictions.bias", &[99]), ("lm_head.weight", &[99, 32])], "BertForMaskedLM"),
        ("classifier.", &[("score.weight", &[3, 32]), ("logits_proj.weight", &[1, 32])], "BertModel"),
        (
            "classifier.",
            &[("classifier.bias", &[9]), ("classifier.weight", &[9, 32])],
            "BertForTokenClassification",
        ),
        (
            "classifier.",
            &[("classifier.bias", &[1]), ("classifier.weight", &[1, 32])],
            "BertForMultipleChoice",
        ),
        ("", &[], "BertForTokenClassification"),
    ];
    let distilbert: [Case; 3] = [
        (
            "classifier.",
            &[("vocab_projector.bias", &[99]), ("vocab_transform.bias", &[32])],
            "DistilBertForMaskedLM",
        ),
        ("classifier.", &[("qa_outputs.bias", &[2])], "DistilBertForQuestionAnswering"),
        (
            "classifier.",
            &[("classifier.bias", &[5]), ("classifier.weight", &[5, 32])],
            "DistilBertForTokenClassification",
        ),
    ];
    let cases = bert.map(|case| ("tiny_bert", case)).into_iter();
    for (model, (without, extra, class)) in cases.chain(distilbert.map(|case| ("tiny_distilbert", case))) {
        let directory = checkpoint(model, without, extra, json!([class]));
        let config = AutoConfig::from_dir(directory.path()).unwrap();
        assert!(!has_classification_head(directory.path(), &config).unwrap(), "{class}");
        let loaded = from_pretrained(directory.path(), &config, 1, &Device::flex()).unwrap();
        assert_eq!(loaded.newly_initialized, HEAD, "{class}");
        let mut expected = extra.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        if extra.is_empty() {
            expected = vec!["classifier.bias", "classifier.weight"];
        }
        expected.sort_unstable();
        assert_eq!(loaded.unused, expected, "{class}");
        assert!(matches!(loaded.complete(directory.path()), Err(ModelError::Missing { .. })));
    }
}

#[test]
fn heads_of_other_tasks_are_listed_as_unused_in_every_family() {
    type Case = (&'static str, &'static [(&'static str, &'static [usize])], &'static str);
    let cases: [Case; 7] = [
        (
            "families/roberta",
            &[
                ("lm_head.bias", &[61]),
                ("lm_head.decoder.weight", &[61, 24]),
                ("roberta.pooler.dense.bias", &[24]),
            ],
            "RobertaForMaskedLM",
        ),
        (
            "families/xlm-roberta",
            &[("classifier.bias", &[9]), ("classifier.weight", &[9, 24])],
            "XLMRobertaForTokenClassification",
        ),
        ("families/camembert", &[("qa_outputs.bias", &[2])], "CamembertForQuestionAnswering"),
        (
            "families/electra",
            &[
                ("discriminator_predictions.dense.bias", &[24]),
                ("discriminator_predictions.dense_prediction.bias", &[1]),
            ],
            "ElectraForPreTraining",
        ),
        (
            "families/electra",
            &[("generator_lm_head.bias", &[61]), ("generator_predictions.dense.bias", &[16])],
            "ElectraForMaskedLM",
        ),
        (
            "families/albert",
            &[("predictions.bias", &[61]), ("sop_classifier.classifier.bias", &[2])],
            "AlbertForPreTraining",
        ),
        (
            "families/mpnet",
            &[
                ("lm_head.bias", &[61]),
                ("lm_head.dense.weight", &[24, 24]),
                ("mpnet.pooler.dense.bias", &[24]),
            ],
            "MPNetForMaskedLM",
        ),
    ];
    for (model, extra, class) in cases {
        let directory = checkpoint(model, "classifier.", extra, json!([class]));
        let config = AutoConfig::from_dir(directory.path()).unwrap();
        assert!(!has_classification_head(directory.path(), &config).unwrap(), "{class}");
        let loaded = from_pretrained(directory.path(), &config, 1, &Device::flex()).unwrap();
        let expected = if model == "families/albert" { 2 } else { 4 };
        assert_eq!(loaded.newly_initialized.len(), expected, "{class}");
        assert_eq!(loaded.unused, extra.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{class}");
    }
}

#[test]
fn a_deberta_without_a_pooler_gets_a_new_one() {
    let extra: [(&str, &[usize]); 2] =
        [("lm_predictions.lm_head.bias", &[61]), ("mask_predictions.dense.bias", &[24])];
    let directory = checkpoint("families/deberta-v2", "pooler.", &extra, json!(null));
    let config = AutoConfig::from_dir(directory.path()).unwrap();
    let loaded = from_pretrained(directory.path(), &config, 1, &Device::flex()).unwrap();
    assert_eq!(loaded.newly_initialized, ["pooler.dense.weight", "pooler.dense.bias"]);
    assert_eq!(loaded.unused, extra.map(|(name, _)| name));
}

/// deberta-v3-base has the first tensor, although its config.json turns positions off; mdeberta-v3-base has the next
/// two.
#[test]
fn tensors_that_transformers_ignores_are_listed_as_unused() {
    let golden = Golden::of("families/deberta-v2/golden.safetensors");
    let cases = [
        &["deberta.embeddings.position_embeddings.weight"][..],
        &["deberta.embeddings.position_embeddings._weight", "deberta.embeddings.word_embeddings._weight"],
        &["embeddings.position_embeddings.weight"],
    ];
    for names in cases {
        let extra = names.iter().map(|&name| (name, &[40, 24][..])).collect::<Vec<_>>();
        let directory = checkpoint("families/deberta-v2", "", &extra, json!(null));
        let (config, device) = (AutoConfig::from_dir(directory.path()).unwrap(), Device::flex());
        let loaded = from_pretrained(directory.path(), &config, 1, &device).unwrap();
        assert_eq!(
            (loaded.unused, loaded.newly_initialized),
            (names.iter().map(|name| name.to_string()).collect(), vec![])
        );
        let (ids, context) = (golden.input_ids(&device), ForwardContext::default());
        let logits = values(loaded.model.forward(ids, &golden.layout(), context));
        assert_close(names[0], &logits, &golden.floats("logits"), 1e-5);
    }
}

#[test]
fn unexpected_tensors_of_the_encoder_are_an_error() {
    let cases = [
        ("tiny_bert", "bert.encoder.layer.0.adapter.weight"),
        ("tiny_bert", "encoder.layer.7.output.dense.bias"),
        ("tiny_bert", "embeddings.word_embeddings.weight"),
        ("tiny_bert", "bert.pooler.norm.weight"),
        ("tiny_distilbert", "distilbert.transformer.layer.2.ffn.lin1.bias"),
        ("tiny_distilbert", "transformer.layer.2.ffn.lin1.bias"),
        ("families/roberta", "roberta.embeddings.norm.weight"),
        ("families/electra", "electra.embeddings_project.norm.weight"),
        ("families/electra", "embeddings_project.weight"),
        ("families/electra", "electra.pooler.dense.weight"),
        ("families/mpnet", "mpnet.embeddings.token_type_embeddings.weight"),
        ("families/mpnet", "encoder.relative_attention_bias.bias"),
        ("families/albert", "albert.encoder.albert_layer_groups.2.albert_layers.0.ffn.bias"),
        ("families/deberta-v2", "deberta.encoder.conv.conv.bias"),
        ("families/deberta-v2", "deberta.embeddings.token_type_embeddings.weight"),
        ("families/electra", "electra.embeddings.word_embeddings._weight"),
    ];
    for (model, name) in cases {
        let directory = checkpoint(model, "", &[(name, &[32])], json!(null));
        let config = AutoConfig::from_dir(directory.path()).unwrap();
        let error = from_pretrained(directory.path(), &config, 1, &Device::flex()).unwrap_err();
        assert!(matches!(&error, ModelError::Unused { names, .. } if names == &[name]), "{error}");
    }
}

#[test]
fn has_classification_head_checks_tensors_and_class() {
    let check = |without: &str, architectures: Value, expected: bool| {
        let directory = checkpoint("tiny_bert", without, &[], architectures.clone());
        let config = AutoConfig::from_dir(directory.path()).unwrap();
        let found = has_classification_head(directory.path(), &config).unwrap();
        assert_eq!(found, expected, "{without} {architectures}");
    };
    check("", json!(["BertForSequenceClassification"]), true);
    check("", json!("BertForSequenceClassification"), true);
    check("", json!(null), true);
    check("", json!([]), true);
    check("", json!(["BertForTokenClassification"]), false);
    check("", json!(["BertForMultipleChoice"]), false);
    check("classifier.bias", json!(["BertForSequenceClassification"]), false);
    check("classifier.", json!(null), false);
    let sharded = fixtures().join("tiny_bert_sharded");
    let config = AutoConfig::from_dir(&sharded).unwrap();
    assert!(has_classification_head(&sharded, &config).unwrap());
}

#[test]
fn a_new_head_replaces_only_the_classifier() {
    for (model, num_tensors) in [
        ("tiny_bert", 3),
        ("tiny_distilbert", 3),
        ("tiny_bert", 5),
        ("families/roberta", 3),
        ("families/electra", 2),
        ("families/mpnet", 2),
        ("families/deberta-v2", 2),
    ] {
        let directory = fixtures().join(model);
        let mut config = AutoConfig::from_dir(&directory).unwrap();
        let old = from_pretrained(&directory, &config, 0, &Device::flex()).unwrap();
        assert!(old.newly_initialized.is_empty() && old.unused.is_empty());
        config.set_labels((0..num_tensors).map(|id| id.to_string()));
        let new = |seed| from_pretrained_with_new_head(&directory, &config, seed, &Device::flex()).unwrap();
        let loaded = new(1);
        let last = config.architecture.model_type;
        let last = if ["roberta", "electra", "mpnet"].contains(&last) {
            "classifier.out_proj"
        } else {
            "classifier"
        };
        let [weight, bias] = ["weight", "bias"].map(|parameter| format!("{last}.{parameter}"));
        assert_eq!(loaded.newly_initialized, [weight.clone(), bias.clone()]);
        assert_eq!(loaded.unused, [bias, weight]);
        assert_eq!(classifier(&loaded.model), classifier(&new(1).model));
        assert_ne!(classifier(&loaded.model), classifier(&new(2).model));
        assert_ne!(classifier(&loaded.model), classifier(&old.model));
        assert_eq!(dense(&loaded.model), dense(&old.model));
    }
}

/// Returns the weight of the dense layer between the encoder and the classifier.
fn dense(model: &AutoModelForSequenceClassification) -> Vec<f32> {
    let pooler = model.base_model.pooler.as_ref().map(|pooler| &pooler.dense);
    values(model.head.dense.as_ref().or(pooler).unwrap().weight.val())
}

#[test]
fn a_wrong_number_of_labels_is_an_error_with_both_numbers() {
    for (model, count) in [("tiny_bert", 2), ("tiny_distilbert", 5)] {
        let directory = fixtures().join(model);
        let mut config = AutoConfig::from_dir(&directory).unwrap();
        config.set_labels((0..count).map(|id| id.to_string()));
        let error = from_pretrained(&directory, &config, 0, &Device::flex()).unwrap_err().to_string();
        let expected =
            format!("classifier.weight has shape [3, 32] for 3 labels, but the model has {count} labels");
        assert!(error.ends_with(&expected), "{error}");
    }
}

/// Returns the base model with `count` labels and a new classifier, and the adapter.
fn adapted(case: &str, count: usize) -> (AutoModelForSequenceClassification, Vec<String>, Adapter) {
    let directory = fixtures().join("tiny_bert");
    let mut config = AutoConfig::from_dir(&directory).unwrap();
    config.set_labels((0..count).map(|id| id.to_string()));
    let base = from_pretrained_with_new_head(&directory, &config, 4, &Device::flex()).unwrap();
    (base.model, base.newly_initialized, Adapter::open(&fixtures().join("peft").join(case)).unwrap())
}

#[test]
fn an_adapter_with_a_new_head_keeps_its_matrices() {
    for case in crate::adapters::CASES {
        for count in [2, 3, 7] {
            let (base, newly_initialized, adapter) = adapted(case, count);
            let head = classifier(&base);
            let model = adapter.load_with_new_head(base, &newly_initialized, 4).unwrap();
            assert_eq!(classifier(&model), head, "{case}");
            assert_eq!(lora_b(model), lora_b(crate::adapters::adapted(case).0), "{case}");
        }
    }
}

/// Returns the B matrices of all adapters, which are 0 in a new adapter.
fn lora_b(mut model: AutoModelForSequenceClassification) -> Vec<Vec<f32>> {
    let layers = model.linear_layers().into_iter().filter(|(name, _)| !name.starts_with("classifier"));
    layers.filter_map(|(_, linear)| linear.lora.as_ref().map(|lora| values(lora.lora_b.val()))).collect()
}

#[test]
fn an_adapter_with_another_number_of_labels_is_an_error() {
    let (base, newly_initialized, adapter) = adapted("plain", 2);
    let error = adapter.load(base, &newly_initialized).unwrap_err().to_string();
    assert!(error.ends_with("has shape [3, 32] for 3 labels, but the model has 2 labels"), "{error}");
}
