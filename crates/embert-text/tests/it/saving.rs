//! Saved tokenizers: they have the same ids, and no truncation or padding.

use std::fs;

use embert_text::{Tokenizer, Truncation};
use serde_json::{Value, json};

use crate::fixtures::{limit, path, texts, tokenizer, unlimited};

#[test]
fn saved_files_and_vocab_txt_give_the_same_ids() {
    let (saved, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tokenizer = tokenizer();
    tokenizer.save(saved.path(), "BertTokenizer", 512).unwrap();
    fs::copy(saved.path().join("vocab.txt"), other.path().join("vocab.txt")).unwrap();
    for opened in [saved.path(), other.path()].map(|directory| Tokenizer::from_dir(directory).unwrap()) {
        assert_eq!((opened.vocab_size(), opened.pad_id()), (tokenizer.vocab_size(), tokenizer.pad_id()));
        for text in texts(50, 1) {
            assert_eq!(opened.encode(&text, unlimited()), tokenizer.encode(&text, unlimited()));
        }
    }
    assert_eq!(fs::read(saved.path().join("vocab.txt")).unwrap(), fs::read(path("vocab.txt")).unwrap());
}

#[test]
fn the_saved_config_has_the_keys_of_transformers() {
    let directory = tempfile::tempdir().unwrap();
    tokenizer().save(directory.path(), "BertTokenizer", 384).unwrap();
    let read =
        |name| -> Value { serde_json::from_slice(&fs::read(directory.path().join(name)).unwrap()).unwrap() };
    let config = read("tokenizer_config.json");
    assert_eq!(config["model_max_length"], 384);
    assert_eq!(
        (&config["do_lower_case"], &config["tokenizer_class"]),
        (&json!(true), &json!("BertTokenizer"))
    );
    tokenizer().save(directory.path(), "DistilBertTokenizer", 384).unwrap();
    assert_eq!(read("tokenizer_config.json")["tokenizer_class"], "DistilBertTokenizer");
    assert_eq!(read("special_tokens_map.json")["cls_token"], "[CLS]");
    let saved = read("tokenizer.json");
    assert!(saved["truncation"].is_null() && saved["padding"].is_null());
}

/// `AutoTokenizer.from_pretrained(directory).truncation_side` of transformers 5.23.0 returns these values.
#[test]
fn truncation_side_survives_saving() {
    let directory = tempfile::tempdir().unwrap();
    let saved_side = |tokenizer: &Tokenizer| {
        tokenizer.save(directory.path(), "BertTokenizer", 512).unwrap();
        let config = fs::read(directory.path().join("tokenizer_config.json")).unwrap();
        serde_json::from_slice::<Value>(&config).unwrap()["truncation_side"].clone()
    };
    assert_eq!(saved_side(&tokenizer()), "right");
    assert_eq!(saved_side(&tokenizer().with_truncation(Truncation::HeadTail { head: 1, tail: 2 })), "right");
    assert_eq!(saved_side(&tokenizer().with_truncation(Truncation::Left)), "left");
    assert_eq!(saved_side(&Tokenizer::from_dir(directory.path()).unwrap()), "left");

    fs::write(directory.path().join("tokenizer_config.json"), r#"{"truncation_side": "middle"}"#).unwrap();
    let error = Tokenizer::from_dir(directory.path()).unwrap_err().to_string();
    assert!(error.contains("truncation_side is \"middle\"") && error.contains("\"left\""), "{error}");
}

#[test]
fn truncation_and_padding_of_a_file_are_ignored_and_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokenizer.json");
    tokenizer().save(directory.path(), "BertTokenizer", 512).unwrap();
    let mut content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    content["truncation"] =
        json!({"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"});
    content["padding"] = json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    fs::write(&file, content.to_string()).unwrap();

    let opened = Tokenizer::from_dir(directory.path()).unwrap();
    let text = "the film was good and the cast was good";
    assert_eq!(opened.encode(text, unlimited()), tokenizer().encode(text, unlimited()));
    opened.save(directory.path(), "BertTokenizer", 512).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(saved["truncation"].is_null() && saved["padding"].is_null());
}

#[test]
fn casing_follows_tokenizer_config_and_survives_saving() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("tokenizer_config.json");
    tokenizer().save(directory.path(), "BertTokenizer", 512).unwrap();
    fs::write(&config, r#"{"do_lower_case": false}"#).unwrap();
    let cased = Tokenizer::from_dir(directory.path()).unwrap();
    let lowercase = |tokenizer: &Tokenizer| {
        tokenizer.encode("FILM", unlimited()) == tokenizer.encode("film", unlimited())
    };
    assert!(!lowercase(&cased) && lowercase(&tokenizer()));
    cased.save(directory.path(), "BertTokenizer", 512).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    assert_eq!(written["do_lower_case"], false);
    fs::remove_file(&config).unwrap();
    assert!(
        !lowercase(&Tokenizer::from_dir(directory.path()).unwrap()),
        "tokenizer.json stores the casing, too"
    );
}

#[test]
fn training_is_deterministic_and_keeps_frequent_words() {
    let texts = texts(300, 2);
    let tokens = |tokenizer: &Tokenizer| -> Vec<_> {
        (0..tokenizer.vocab_size()).map(|id| tokenizer.id_to_token(id as u32).unwrap()).collect()
    };
    let first = Tokenizer::train(&texts, 90).unwrap();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let second = one_thread.install(|| Tokenizer::train(&texts, 90).unwrap());
    assert_eq!(tokens(&first), tokens(&second));
    assert_eq!(tokens(&first)[..5], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
    for word in ["good", "film", "unwanted", "naive", "running"] {
        assert_eq!(first.encode(word, limit(16, Truncation::Right)).len(), 3, "{word}");
    }
    let unknown = first.token_to_id("[UNK]").unwrap();
    assert!(texts.iter().all(|text| !first.encode(text, unlimited()).contains(&unknown)));
}

#[test]
fn saving_into_a_missing_directory_is_an_error_with_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let error =
        tokenizer().save(&directory.path().join("absent"), "BertTokenizer", 512).unwrap_err().to_string();
    assert!(error.contains("absent") && error.contains("tokenizer.json: cannot be written"), "{error}");
}
