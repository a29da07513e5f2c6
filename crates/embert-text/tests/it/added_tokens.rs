//! Added tokens have the ids of transformers, for each layout of files, and after saving.

use std::fs;
use std::path::Path;

use embert_text::{TextError, Tokenizer, TokenizerNote};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::fixtures::{path, unlimited};

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns a directory of `generate_added_tokens.py` without some files and some keys of tokenizer_config.json.
fn layout(version: &str, without: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
    let vocabulary = fs::read_to_string(path("vocab.txt")).unwrap();
    let vocabulary: Map<_, _> =
        vocabulary.lines().zip(0..).map(|(token, id)| (token.to_owned(), json!(id))).collect();
    for entry in fs::read_dir(path("added_tokens").join(version)).unwrap() {
        let source = entry.unwrap().path();
        let name = source.file_name().unwrap().to_str().unwrap();
        if without.contains(&name) || name == "cases.json" {
            continue;
        }
        let mut content = read(&source);
        if name == "tokenizer.json" {
            content["model"]["vocab"] = Value::Object(vocabulary.clone());
        } else if name == "tokenizer_config.json" {
            content.as_object_mut().unwrap().retain(|key, _| !without.contains(&key.as_str()));
        }
        fs::write(directory.path().join(name), content.to_string()).unwrap();
    }
    directory
}

fn assert_ids(tokenizer: &Tokenizer, case: &Value, what: &str) {
    let added = case["added"].as_object().unwrap();
    assert_eq!(tokenizer.vocab_size(), 193 + added.len(), "{what}");
    for (token, id) in added {
        assert_eq!(json!(tokenizer.token_to_id(token)), *id, "{what}: {token}");
    }
    for text in case["texts"].as_array().unwrap() {
        let ids = tokenizer.encode(text["text"].as_str().unwrap(), unlimited());
        assert_eq!(json!(ids), text["ids"], "{what}: {}", text["text"]);
    }
}

#[test]
fn ids_equal_transformers_in_every_layout_and_after_saving() {
    for version in ["v4", "v5"] {
        for case in read(&path("added_tokens").join(version).join("cases.json")).as_array().unwrap() {
            let what = format!("{version} {}", case["name"]);
            let without = case["without"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect::<Vec<_>>();
            let directory = layout(version, &without);
            let tokenizer = Tokenizer::from_dir(directory.path()).unwrap();
            assert_ids(&tokenizer, case, &what);

            let saved = tempfile::tempdir().unwrap();
            tokenizer.save(saved.path(), "BertTokenizer", 512).unwrap();
            assert_ids(&Tokenizer::from_dir(saved.path()).unwrap(), case, &format!("{what}, saved"));
            fs::remove_file(saved.path().join("tokenizer.json")).unwrap();
            let from_vocabulary = Tokenizer::from_dir(saved.path()).unwrap();
            assert_ids(&from_vocabulary, case, &format!("{what}, saved, without tokenizer.json"));
        }
    }
}

/// Returns the error for a vocab.txt with these files next to it.
fn error(files: &[(&str, Value)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content.to_string()).unwrap();
    }
    Tokenizer::from_dir(directory.path()).unwrap_err().to_string()
}

#[test]
fn invalid_ids_are_errors_with_the_file_and_the_token() {
    let decoder = |id: &str, content: &str| json!({"added_tokens_decoder": {id: {"content": content}}});
    let twice = json!({"added_tokens_decoder": {"193": {"content": "<a>"}, "194": {"content": "<a>"}}});
    let config = "tokenizer_config.json";
    let cases = [
        (config, decoder("200", "<a>"), "added token \"<a>\" has id 200, but must have 193"),
        (config, decoder("7", "<a>"), "added token \"<a>\" has id 7, but must have 193"),
        (config, decoder("5", "the"), "added token \"the\" has id 5, but must have 126"),
        (config, decoder("0", "[CLS]"), "added token \"[CLS]\" has id 0, and 2 according to"),
        (config, decoder("x", "<a>"), "the id \"x\""),
        (config, decoder("193", ""), "not a token with its content"),
        (config, twice, "added token \"<a>\" has id 194, and 193"),
        (config, json!({"added_tokens_decoder": [1]}), "added_tokens_decoder is not a JSON object"),
        (
            config,
            json!({"added_tokens_decoder": {"193": {"content": "<a>", "lstrip": 1}}}),
            "lstrip of \"<a>\" is 1",
        ),
        (config, json!({"additional_special_tokens": [7]}), "additional_special_tokens has 7"),
        (config, json!({"cls_token": "<s>"}), "193 tokens lacks <s>; use"),
        (config, json!([]), "not a JSON object"),
        ("added_tokens.json", json!({"<a>": 194}), "added token \"<a>\" has id 194, but must have 193"),
        (
            "added_tokens.json",
            json!({"<a>": 193, "<b>": 193}),
            "added token \"<b>\" has id 193, but must have 194",
        ),
        ("added_tokens.json", json!({"<a>": "x"}), "has the id \"x\""),
        ("added_tokens.json", json!(["<a>"]), "not a JSON object"),
        (
            "special_tokens_map.json",
            json!({"sep_token": {"content": 7}}),
            "sep_token has {\"content\":7}, not",
        ),
        ("special_tokens_map.json", json!(3), "not a JSON object"),
    ];
    for (file, content, expected) in cases {
        let error = error(&[(file, content)]);
        assert!(error.contains(file) && error.contains(expected), "{error:?} lacks {expected:?}");
    }
}

#[test]
fn a_vocabulary_without_do_lower_case_has_a_note() {
    let notes = |vocabulary: &str, config: Option<Value>| {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("vocab.txt"),
            format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n{vocabulary}"),
        )
        .unwrap();
        if let Some(config) = config {
            fs::write(directory.path().join("tokenizer_config.json"), config.to_string()).unwrap();
        }
        Tokenizer::from_dir(directory.path()).unwrap().notes().to_vec()
    };
    let assumed = |notes: &[TokenizerNote], upper: bool| match notes {
        [note @ TokenizerNote::LowerCaseAssumed { path, has_upper_case }] => {
            let text = note.to_string();
            assert!(
                text.starts_with(&format!("{}: tokenizer_config.json does not set", path.display())),
                "{text}"
            );
            assert_eq!((*has_upper_case, text.contains("upper-case letters")), (upper, upper), "{text}");
        }
        other => panic!("{other:?}"),
    };
    assumed(&notes("the\n", None), false);
    assumed(&notes("[unused1]\nthe\n", Some(json!({"model_max_length": 512}))), false);
    assumed(&notes("The\n", None), true);
    assumed(&notes("##É\n", Some(json!({"do_lower_case": null}))), true);
    assert!(notes("The\n", Some(json!({"do_lower_case": false}))).is_empty());
    assert!(notes("the\n", Some(json!({"do_lower_case": true}))).is_empty());
    assert!(
        Tokenizer::from_vocab(&["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]).unwrap().notes().is_empty()
    );
}

#[test]
fn git_lfs_pointers_are_errors_with_the_command() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 231508\n";
    for name in ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "added_tokens.json"] {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
        fs::write(directory.path().join(name), pointer).unwrap();
        let error = Tokenizer::from_dir(directory.path()).unwrap_err();
        assert!(matches!(&error, TextError::LfsPointer { path } if path.ends_with(name)), "{error}");
        assert!(error.to_string().contains("git lfs pull"), "{error}");
    }
}
