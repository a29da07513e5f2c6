//! Ids, compared with BertTokenizerFast of transformers.

use std::fs;
use std::path::Path;

use embert_text::{Tokenizer, Truncation};
use serde_json::{Value, json};

use crate::fixtures::{limit, path, tokenizer, unlimited};

#[test]
fn ids_equal_transformers_for_every_truncation() {
    let (tokenizer, cased) = (tokenizer(), cased_tokenizer());
    for case in cases(&path("wordpiece.jsonl")) {
        let text = case["text"].as_str().unwrap();
        assert_eq!(json!(tokenizer.encode(text, unlimited())), case["ids"], "{text:?}");
        assert_eq!(json!(cased.encode(text, unlimited())), case["cased_ids"], "{text:?} cased");
        for cut in case["truncated"].as_array().unwrap() {
            let truncation: Truncation = cut["truncation"].as_str().unwrap().parse().unwrap();
            let max_length = cut["max_length"].as_u64().unwrap() as usize;
            let ids = tokenizer.encode(text, limit(max_length, truncation));
            assert_eq!(json!(ids), cut["ids"], "{text:?} {truncation} {max_length}");
        }
    }
}

#[test]
fn ids_equal_bert_base_uncased_on_real_reviews() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let cases_path = shared.join("tokenizer/parity_bert_uncased.jsonl");
    if !cases_path.is_file() {
        println!(
            "SKIPPED: {} does not exist, so the vocabulary of bert-base-uncased is not compared",
            cases_path.display()
        );
        return;
    }
    let cases = cases(&cases_path);
    assert_eq!(cases.len(), 436);
    // The tokenizer.json of all-MiniLM has the same vocabulary, with truncation and padding to 128.
    for name in ["tokenizer/tokenizer.json", "tokenizer/vocab.txt", "models/all-MiniLM-L6-v2/tokenizer.json"]
    {
        let tokenizer = Tokenizer::from_file(&shared.join(name)).unwrap();
        assert_eq!((tokenizer.vocab_size(), tokenizer.pad_id()), (30_522, 0));
        for case in &cases {
            let text = case["text"].as_str().unwrap();
            assert_eq!(json!(tokenizer.encode(text, unlimited())), case["ids"], "{name}: {}", case["id"]);
            // Texts of up to 512 tokens have no ids_512.
            let expected = if case["n"].as_u64() > Some(512) { &case["ids_512"] } else { &case["ids"] };
            let ids = tokenizer.encode(text, limit(512, Truncation::Right));
            assert_eq!(json!(ids), *expected, "{name}: {} at 512", case["id"]);
        }
    }
}

fn cased_tokenizer() -> Tokenizer {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(path("vocab.txt"), directory.path().join("vocab.txt")).unwrap();
    fs::write(directory.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#).unwrap();
    Tokenizer::from_dir(directory.path()).unwrap()
}

fn cases(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
