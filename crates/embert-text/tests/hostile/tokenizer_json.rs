//! Malformed tokenizer.json and tokenizer_config.json: wrong values for each key, truncated and mutated files.

use std::fs;
use std::path::Path;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced, replaced};
use serde_json::{Value, json};

use crate::{open, tokenizer};

/// Saves the tokenizer of the committed vocabulary and returns its tokenizer.json.
fn save(folder: &Path) -> Value {
    tokenizer().save(folder, "BertTokenizer", 512).unwrap();
    serde_json::from_slice(&fs::read(folder.join("tokenizer.json")).unwrap()).unwrap()
}

#[test]
fn invalid_tokenizers_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let good = save(folder.path());
    let mut target = FuzzTarget::new(folder.path().join("tokenizer.json"), open);
    target.file("a valid file", good.to_string()).unwrap();
    let added = |content: &str, id: u64| {
        json!([{"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true}])
    };
    let wrong = [
        ("/model/vocab", json!({}), "lacks [UNK]"),
        ("/model/vocab/[UNK]", json!(-1), "the id of \"[UNK]\" is -1"),
        ("/model/vocab/the", json!(0), "both have the id 0"),
        ("/model/vocab/the", json!(u64::MAX), "the id of \"the\" is 18446744073709551615"),
        ("/model/vocab/the", json!(16_777_216), "not an integer below 16777216"),
        ("/model/vocab/the", json!(1.5), "the id of \"the\" is 1.5"),
        ("/model/max_input_chars_per_word", json!(1_000_000_000), "max_input_chars_per_word is 1000000000"),
        ("/model/max_input_chars_per_word", json!(-1), "max_input_chars_per_word is -1"),
        ("/model/unk_token", json!("[MISSING]"), "lacks [MISSING]"),
        ("/added_tokens", added("new", 7), "added token \"new\" has id 7"),
        ("/added_tokens", added("new", u64::MAX), "tokenizer.json"),
        ("/added_tokens", json!([added("", 0)]), "tokenizer.json"),
        ("/added_tokens", json!({}), "tokenizer.json"),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "single": "$A", "pair": "$A", "special_tokens": {}}),
            "tokenizer.json",
        ),
        ("/normalizer", json!({"type": "Sequence", "normalizers": []}), "normalizer.type"),
        (
            "/normalizer",
            json!({"type": "Replace", "pattern": {"Regex": "(a*)*b"}, "content": ""}),
            "normalizer.type",
        ),
        (
            "/pre_tokenizer",
            json!({"type": "Split", "pattern": {"Regex": "(a*)*b"}, "behavior": "Removed", "invert": false}),
            "pre_tokenizer.type",
        ),
        ("/model/type", json!("BPE"), "continuing_subword_prefix"),
    ];
    for (place, value, expected) in wrong {
        let error = target.refused(place, replaced(&good, place, value).to_string());
        assert!(error.contains(expected), "{place}: {error:?} lacks {expected:?}");
    }
    for (what, file) in [
        ("an empty file", vec![]),
        ("deep nesting", b"[".repeat(1 << 20)),
        ("deep nesting in a key", b"{\"model\":".repeat(1 << 17)),
        ("a million numbers", format!("[{}0]", "0,".repeat(1 << 20)).into_bytes()),
        ("a lone surrogate", good.to_string().replacen("[PAD]", "\\ud800", 1).into_bytes()),
        ("UTF-16", good.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ] {
        target.refused(what, file);
    }
    println!("{}", target.finish(25, 0));
}

/// A word of a million letters needs no more time if a file sets the maximum of `max_input_chars_per_word`.
#[test]
fn long_words_are_encoded_within_the_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let good = save(folder.path());
    let mut target = FuzzTarget::new(folder.path().join("tokenizer.json"), |path: &Path| {
        let tokenizer = embert_text::Tokenizer::from_file(path)?;
        let words = ["a".repeat(1000), "é".repeat(1000), "q".repeat(1_000_000)].join(" ");
        tokenizer.encode(&words, crate::limit());
        Ok::<_, embert_text::TextError>(())
    });
    let longest = replaced(&good, "/model/max_input_chars_per_word", json!(1000));
    target.file("words of a thousand letters", longest.to_string()).unwrap();
    println!("{}", target.finish(1, 0));
}

#[test]
fn mutated_tokenizers_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let good = save(folder.path());
    let path = folder.path().join("tokenizer.json");
    let bytes = fs::read(&path).unwrap();
    let mut target = FuzzTarget::new(path, open);
    let mut small = good.clone();
    let kept = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##s"];
    small["model"]["vocab"] =
        kept.iter().zip(0..).map(|(token, id)| (token.to_string(), json!(id))).collect();
    let wrong = dropped_or_replaced(&small, 1000, 1).into_iter();
    target.mutations(wrong.map(|(what, content)| (what, content.to_string())));
    let wrong = dropped_or_replaced(&good, 100, 2).into_iter();
    target.mutations(wrong.map(|(what, content)| (what, content.to_string())));
    target.mutations(damaged(&small.to_string().into_bytes(), 600, 3));
    target.mutations(damaged(&bytes, 300, 4));
    println!("{}", target.finish(0, 2000));
}

#[test]
fn mutated_tokenizer_configs_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path());
    let path = folder.path().join("tokenizer_config.json");
    let bytes = fs::read(&path).unwrap();
    let good: Value = serde_json::from_slice(&bytes).unwrap();
    let mut target = FuzzTarget::new(path, open);
    let wrong = dropped_or_replaced(&good, 500, 5).into_iter();
    target.mutations(wrong.map(|(what, content)| (what, content.to_string())));
    target.mutations(damaged(&bytes, 200, 6));
    println!("{}", target.finish(0, 400));
}
