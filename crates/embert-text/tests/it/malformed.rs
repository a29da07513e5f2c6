//! Malformed and unsupported tokenizers are errors that name the cause, never panics.

use std::fs;
use std::path::Path;

use embert_text::{TextError, Tokenizer};
use serde_json::{Value, json};

use crate::fixtures::{path, tokenizer};

fn open(name: &str, content: &[u8]) -> Result<Tokenizer, TextError> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(name), content).unwrap();
    Tokenizer::from_dir(directory.path())
}

fn saved() -> Value {
    let directory = tempfile::tempdir().unwrap();
    tokenizer().save(directory.path(), "BertTokenizer", 512).unwrap();
    serde_json::from_slice(&fs::read(directory.path().join("tokenizer.json")).unwrap()).unwrap()
}

/// Returns the error for a valid `tokenizer.json` with one changed value.
fn changed(pointer: &str, value: Value) -> String {
    let mut content = saved();
    *content.pointer_mut(pointer).unwrap() = value;
    open("tokenizer.json", content.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn errors_name_the_file_and_the_cause() {
    let check = |error: String, expected: &[&str]| {
        assert!(expected.iter().all(|part| error.contains(part)), "{error:?} lacks one of {expected:?}");
    };
    let failed = |name, content: &[u8]| open(name, content).unwrap_err().to_string();
    check(failed("readme.md", b""), &["neither tokenizer.json nor vocab.txt"]);
    check(failed("tokenizer.json", b"<html>404</html>"), &["tokenizer.json", "not JSON"]);
    check(failed("tokenizer.json", b"\x1f\x8b\x08"), &["tokenizer.json", "not JSON"]);
    check(failed("tokenizer.json", b"[1]"), &["tokenizer.json", "no model"]);
    check(failed("tokenizer.json", b"{}"), &["tokenizer.json", "no model"]);
    check(failed("vocab.txt", b""), &["vocab.txt", "empty"]);
    check(failed("vocab.txt", b"[PAD]\n\xff"), &["vocab.txt", "line 2 is not UTF-8"]);
    check(failed("vocab.txt", b"[PAD]\n[UNK]\nthe\n"), &["vocab.txt", "3 tokens", "[CLS], [SEP], [MASK]"]);
    check(
        Tokenizer::from_file(Path::new("absent/vocab.txt")).unwrap_err().to_string(),
        &["absent/vocab.txt"],
    );
    check(Tokenizer::from_vocab(&["[PAD]", "[UNK]"]).unwrap_err().to_string(), &["vocabulary", "[CLS]"]);
    check(
        Tokenizer::from_vocab(&["[PAD]", "[PAD]"]).unwrap_err().to_string(),
        &["1 of 2 tokens are repeated"],
    );
}

#[test]
fn unsupported_components_are_errors_with_the_supported_ones() {
    let regex = |kind: &str| json!({"type": kind, "pattern": {"Regex": "(a*)*b"}, "content": "", "behavior": "Removed", "invert": false});
    let sequence = |key: &str, part: Value| json!({"type": "Sequence", key: [part]});
    let wordpiece = [
        (
            "/model/type",
            json!("WordLevel"),
            "model.type is \"WordLevel\", but only WordPiece, BPE, Unigram is",
        ),
        ("/normalizer", json!(null), "normalizer.type is missing, but only BertNormalizer"),
        ("/normalizer", json!({"type": "NFC"}), "normalizer.type is \"NFC\", but only BertNormalizer"),
        (
            "/pre_tokenizer",
            json!({"type": "Metaspace"}),
            "pre_tokenizer.type is \"Metaspace\", but only Bert",
        ),
        ("/model/unk_token", json!("<unk>"), "193 tokens lacks <unk>"),
        ("/model/unk_token", json!(null), "no unknown token"),
        ("/model/continuing_subword_prefix", json!("@@"), "continuing_subword_prefix is \"@@\", but only ##"),
        (
            "/post_processor",
            json!({"type": "Other"}),
            "post_processor.type is \"Other\", but only TemplateProcessing",
        ),
    ];
    let bpe = [
        (
            "/pre_tokenizer",
            json!({"type": "Digits"}),
            "pre_tokenizer.type is \"Digits\", but only BertPreTokenizer, ByteLevel",
        ),
        (
            "/pre_tokenizer",
            regex("Split"),
            "pre_tokenizer.pattern is {\"Regex\":\"(a*)*b\"}, but only {\"String\": TEXT} or",
        ),
        ("/pre_tokenizer", sequence("pretokenizers", regex("Split")), "pre_tokenizer.pattern is"),
        ("/normalizer", sequence("normalizers", regex("Replace")), "normalizer.pattern is"),
        ("/normalizer", json!({"type": "Prepend", "prepend": "x"}), "normalizer.type is \"Prepend\""),
        ("/decoder", regex("Replace"), "decoder.pattern is"),
        ("/decoder", json!({"type": "CTC"}), "decoder.type is \"CTC\", but only WordPiece, ByteLevel"),
        ("/model/dropout", json!(0.5), "model.dropout is 0.5, but only null"),
        ("/model/end_of_word_suffix", json!("</w>"), "end_of_word_suffix is \"</w>\", but only null"),
        ("/post_processor", json!(null), "gives a text A the tokens A, not one token before A"),
    ];
    let unigram = [
        ("/model/unk_id", json!(null), "model.unk_id is missing, but only the id of a token"),
        ("/pre_tokenizer/type", json!("UnicodeScripts"), "pre_tokenizer.type is \"UnicodeScripts\""),
        (
            "/normalizer/normalizers/2/pattern/Regex",
            json!(" {3,}"),
            "normalizer.pattern is {\"Regex\":\" {3,}\"}",
        ),
    ];
    for (pointer, value, expected) in wordpiece {
        let error = changed(pointer, value);
        assert!(
            error.contains("tokenizer.json: ") && error.contains(expected),
            "{error:?} lacks {expected:?}"
        );
    }
    for (family, cases) in [("modernbert", &bpe[..]), ("xlm-roberta", &unigram[..])] {
        let good = fs::read(path("tokenizers").join(family).join("tokenizer.json")).unwrap();
        for (pointer, value, expected) in cases {
            let mut content: Value = serde_json::from_slice(&good).unwrap();
            *content.pointer_mut(pointer).unwrap() = value.clone();
            let error = open("tokenizer.json", content.to_string().as_bytes()).unwrap_err().to_string();
            assert!(
                error.contains("tokenizer.json: ") && error.contains(expected),
                "{error:?} lacks {expected:?}"
            );
        }
    }
}

#[test]
fn unsupported_classes_are_errors_with_the_supported_ones() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
    let class = r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#;
    fs::write(directory.path().join("tokenizer_config.json"), class).unwrap();
    let error = Tokenizer::from_dir(directory.path()).unwrap_err().to_string();
    assert!(error.contains("tokenizer_class is BertJapaneseTokenizer, but only BertTokenizer, "), "{error}");
}

#[test]
fn contradictions_in_a_file_are_errors() {
    assert!(changed("/model/vocab/the", json!(0)).contains("both have the id 0"));
    assert!(changed("/model/vocab/the", json!(-1)).contains("the id of \"the\" is -1"));
    assert!(changed("/model/vocab/the", json!(4_000_000_000_u32)).contains("4000000000"));
    assert!(changed("/added_tokens/2/id", json!(77)).contains("added token \"[CLS]\" has id 77"));
    assert!(changed("/added_tokens", json!("none")).contains("tokenizer.json"));
    let swapped = json!({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 3]});
    assert!(changed("/post_processor", swapped).contains("post_processor"));
    let unknown_token = json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}],
        "pair": [], "special_tokens": {}});
    assert!(changed("/post_processor", unknown_token).contains("tokenizer.json"));
}

#[test]
fn a_tokenizer_config_with_a_wrong_type_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
    fs::write(directory.path().join("tokenizer_config.json"), r#"{"do_lower_case": "yes"}"#).unwrap();
    let error = Tokenizer::from_dir(directory.path()).unwrap_err().to_string();
    assert!(error.contains("tokenizer_config.json") && error.contains("do_lower_case is \"yes\""), "{error}");
}
