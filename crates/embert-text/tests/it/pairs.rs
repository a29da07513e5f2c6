//! Text pairs: ids and token types, compared with BertTokenizerFast of transformers, and their batches.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use embert_text::{Limit, Padding, Result, TextError, Tokenizer, Truncation, TruncationStrategy};
use serde_json::{Value, json};

use crate::fixtures::{limit, path, texts, tokenizer, unlimited};

const STRATEGIES: [TruncationStrategy; 3] =
    [TruncationStrategy::LongestFirst, TruncationStrategy::OnlyFirst, TruncationStrategy::OnlySecond];

fn cases() -> Vec<Value> {
    let lines = fs::read_to_string(path("pairs.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the ids and the token types of a pair; null if it cannot be truncated.
fn encode(case: &Value, limit: Limit) -> [Value; 2] {
    let [text, text_pair] = ["text", "text_pair"].map(|key| case[key].as_str().unwrap());
    match tokenizer().encode_pair(text, text_pair, limit) {
        Ok(pair) => [json!(pair.ids), json!(pair.token_type_ids())],
        Err(TextError::PairTooLong { .. }) => [Value::Null, Value::Null],
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn ids_and_token_types_equal_transformers_for_every_truncation() {
    let expected = |case: &Value| [case["input_ids"].clone(), case["token_type_ids"].clone()];
    let (mut num_truncated, mut num_errors) = (0, 0);
    for case in cases() {
        assert_eq!(encode(&case, unlimited()), expected(&case), "{}", case["text"]);
        let full_length = case["input_ids"].as_array().unwrap().len();
        for strategy in STRATEGIES {
            let fits =
                Limit::new(full_length.max(4), Truncation::Left, 2048).unwrap().with_strategy(strategy);
            assert_eq!(encode(&case, fits), expected(&case), "{} {strategy}", case["text"]);
        }
        for cut in case["truncated"].as_array().unwrap() {
            let [side, strategy] = ["side", "strategy"].map(|key| cut[key].as_str().unwrap());
            let limit = limit(cut["max_length"].as_u64().unwrap() as usize, side.parse().unwrap())
                .with_strategy(strategy.parse().unwrap());
            assert_eq!(encode(&case, limit), expected(cut), "{} {limit:?}", case["text"]);
            num_truncated += 1;
            num_errors += usize::from(cut["input_ids"].is_null());
        }
    }
    assert!(num_truncated > 400 && num_errors > 100, "{num_truncated} {num_errors}");
}

#[test]
fn all_pairs_equal_single_pairs_and_progress_adds_up() {
    let (tokenizer, texts, text_pairs) = (tokenizer(), texts(1000, 1), texts(1000, 2));
    for truncation in [Truncation::Right, Truncation::Left] {
        let limit = limit(24, truncation);
        let done = AtomicUsize::new(0);
        let encoded = tokenizer
            .encode_all_pairs(&texts, &text_pairs, limit, &|pairs| {
                done.fetch_add(pairs, Ordering::Relaxed);
            })
            .unwrap();
        assert!(encoded.are_pairs() && (encoded.len(), done.into_inner()) == (1000, 1000));
        for row in 0..1000 {
            let pair = tokenizer.encode_pair(&texts[row], &text_pairs[row], limit).unwrap();
            assert_eq!(encoded.ids(row), pair.ids, "{row}");
            assert_eq!(encoded.first_segment_length(row), Some(pair.first_segment_length), "{row}");
            assert_eq!(encoded.full_lengths()[row], pair.full_length, "{row}");
            assert_eq!(pair.ids.len(), pair.full_length.min(24), "{row}");
        }
    }
}

#[test]
fn batches_have_the_first_segment_lengths_of_their_rows() {
    let (tokenizer, limit) = (tokenizer(), limit(24, Truncation::Right));
    let encoded = tokenizer.encode_all_pairs(&texts(90, 3), &texts(90, 4), limit, &|_| ()).unwrap();
    let sep = tokenizer.token_to_id("[SEP]").unwrap();
    for padding in [Padding::Packed, Padding::Longest, Padding::MultipleOf(16), Padding::MaxLength] {
        let rows = [89, 0, 70, 33];
        let batch = encoded.batch(&rows, padding);
        let lengths = batch.first_segment_lengths.unwrap();
        assert_eq!(lengths.len(), 4);
        for (row, length) in rows.into_iter().zip(lengths) {
            assert_eq!(encoded.first_segment_length(row), Some(length));
            assert_eq!(encoded.ids(row)[length - 1], sep);
        }
    }
    let single = tokenizer.encode_all(&texts(9, 3), limit, &|_| ());
    assert_eq!((single.are_pairs(), single.first_segment_length(0)), (false, None));
    assert_eq!(single.batch(&[1], Padding::Packed).first_segment_lengths, None);
}

/// With each list as `model_input_names`, `BertTokenizer.from_pretrained(directory)(["good"], ["bad"])` of transformers
/// 5.24.0 returns these `token_type_ids`, or none; then the model takes type 0.
#[test]
fn token_types_follow_model_input_names_and_survive_saving() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("tokenizer_config.json");
    let cases = [
        (json!(["input_ids", "attention_mask"]), [0, 0, 0, 0, 0], true),
        (json!(["input_ids", "token_type_ids", "attention_mask"]), [0, 0, 0, 1, 1], false),
        (Value::Null, [0, 0, 0, 1, 1], false),
    ];
    for (names, expected, is_kept) in cases {
        let types = |class: &str| {
            let opened = Tokenizer::from_dir(directory.path()).unwrap();
            opened.save(directory.path(), class, 512).unwrap();
            opened.encode_pair("good", "bad", unlimited()).unwrap().token_type_ids()
        };
        tokenizer().save(directory.path(), "BertTokenizer", 512).unwrap();
        fs::write(&config, json!({"model_input_names": names}).to_string()).unwrap();
        assert_eq!(types("BertTokenizer"), expected, "{names}");
        let saved: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        assert_eq!(saved["model_input_names"], if is_kept { names.clone() } else { Value::Null });
        assert_eq!(types("MPNetTokenizer"), expected, "{names}, saved"); // not its class, so a generic one
        assert_eq!(types("BertTokenizer"), expected, "{names}, saved with a generic class");
    }
}

/// Encodes 200 short pairs, and longer ones in rows 70 and 150.
fn with_long_texts(limit: Limit) -> Result<embert_text::EncodedTexts> {
    let words =
        |row: usize, short: usize| ["good"; 9][..if matches!(row, 70 | 150) { 9 } else { short }].join(" ");
    let (first, second): (Vec<_>, Vec<_>) = (0..200).map(|row| (words(row, 1), words(row, 2))).unzip();
    tokenizer().encode_all_pairs(&first, &second, limit, &|_| ())
}

#[test]
fn a_pair_that_cannot_be_truncated_is_an_error_with_its_row() {
    for strategy in [TruncationStrategy::OnlyFirst, TruncationStrategy::OnlySecond] {
        let limit = limit(12, Truncation::Right).with_strategy(strategy);
        let error = with_long_texts(limit).unwrap_err();
        assert!(matches!(error, TextError::PairTooLong { row: 70, lengths: [9, 9], .. }), "{error}");
        let message = error.to_string();
        for part in ["text pair 70 (from 0)", &strategy.to_string(), "max_length 12", "longest_first"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(with_long_texts(self::limit(13, Truncation::Right).with_strategy(strategy)).is_ok());
    }
    assert!(with_long_texts(limit(4, Truncation::Right)).is_ok());
}

#[test]
fn pairs_that_cannot_be_encoded_are_errors() {
    let (tokenizer, right) = (tokenizer(), Truncation::Right);
    let message = |texts: &[&str], limit| {
        tokenizer.encode_all_pairs(texts, &["b", "c"], limit, &|_| ()).unwrap_err().to_string()
    };
    let count = message(&["a"], limit(8, right));
    assert!(count.contains("1 first texts, but 2 second texts"), "{count}");
    assert!(message(&["a", "b"], limit(3, right)).contains("max_length 3 is too small for text pairs"));
    let both = Truncation::HeadTail { head: 1, tail: 1 };
    assert!(message(&["a", "b"], limit(8, both)).contains("head+tail(1,1)"));
    let single = tokenizer.encode_pair("a", "b", limit(8, both)).unwrap_err();
    assert!(matches!(single, TextError::HeadTailOfPairs { head: 1, tail: 1 }), "{single}");
    assert!(
        tokenizer.encode_all_pairs::<&str, &str>(&[], &[], limit(8, right), &|_| ()).unwrap().are_pairs()
    );
}

/// Returns the error of a pair, with another pair in the post-processor of `tokenizer.json`.
fn error_of_template(pair: Value) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    tokenizer().save(directory.path(), "BertTokenizer", 512).unwrap();
    let file = directory.path().join("tokenizer.json");
    let mut content: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    content["post_processor"]["pair"] = pair;
    fs::write(&file, content.to_string()).unwrap();
    let tokenizer = Tokenizer::from_file(&file).unwrap();
    assert_eq!(tokenizer.encode("good", unlimited()).len(), 3, "single texts are encoded with every pair");
    let error = tokenizer.encode_pair("good", "bad", unlimited()).err().map(|error| error.to_string());
    let all = tokenizer.encode_all_pairs(&["good"], &["bad"], unlimited(), &|_| ()).err();
    assert_eq!(error, all.map(|error| error.to_string()));
    error
}

#[test]
fn a_tokenizer_that_encodes_pairs_in_an_unsupported_way_is_an_error() {
    let special = |id: &str, type_id| json!({"SpecialToken": {"id": id, "type_id": type_id}});
    let sequence = |id: &str, type_id| json!({"Sequence": {"id": id, "type_id": type_id}});
    let template = |types: [u32; 2]| {
        let (first, second) = (sequence("A", types[0]), sequence("B", types[1]));
        json!([special("[CLS]", 0), first, special("[SEP]", types[0]), second, special("[SEP]", types[1])])
    };
    assert_eq!(error_of_template(template([0, 1])), None);
    assert_eq!(error_of_template(template([0, 0])), None);
    let other_types = error_of_template(template([1, 0])).unwrap();
    assert!(
        other_types.contains("the tokens [CLS] A [SEP] B [SEP] and the types [0, 1, 1, 0, 0]"),
        "{other_types}"
    );
    let without_sep = json!([special("[CLS]", 0), sequence("A", 0), sequence("B", 1), special("[SEP]", 1)]);
    let unknown = json!([special("", 0), sequence("A", 0), sequence("B", 1)]);
    assert!(error_of_template(unknown).unwrap().contains("the tokenizers crate panicked"));
    assert!(
        error_of_template(without_sep).unwrap().contains("[CLS] A B [SEP] and the types [0, 0, 1, 1]; it")
    );
}
