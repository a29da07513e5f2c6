//! Tokenizers of other families than BERT: ids, compared with the pipelines that transformers builds for their files.

use std::fs;
use std::path::{Path, PathBuf};

use embert_text::{Limit, TextError, Tokenizer};
use serde_json::{Value, json};

use crate::fixtures::{path, unlimited};

/// Directories of `generate_tokenizers.py`, with the class that a model of the family saves.
const FAMILIES: [(&str, &str); 8] = [
    ("roberta", "RobertaTokenizer"),
    ("modernbert", "PreTrainedTokenizerFast"),
    ("xlm-roberta", "XLMRobertaTokenizer"),
    ("camembert", "CamembertTokenizer"),
    ("deberta-v2", "DebertaV2Tokenizer"),
    ("deberta-v2-settings", "DebertaV2Tokenizer"),
    ("albert", "AlbertTokenizer"),
    ("mpnet", "MPNetTokenizer"),
];

fn folder(family: &str) -> PathBuf {
    path("tokenizers").join(family)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Compares ids, pairs and truncated texts with those of transformers.
fn check(tokenizer: &Tokenizer, family: &str, what: &str) {
    let cases = read(&folder(family).join("cases.json"));
    let texts = read(&path("tokenizers/texts.json"));
    let texts: Vec<_> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(texts.len() >= 60);
    let encoded = tokenizer.encode_all(&texts, unlimited(), &|_| ());
    for (row, text) in texts.iter().enumerate() {
        assert_eq!(json!(encoded.ids(row)), cases["singles"][row], "{family} {what}: {text:?}");
    }
    // The `model_input_names` of ModernBERT's tokenizer_config.json lack token types.
    let has_types = family != "modernbert" || what == "tokenizer.json";
    for case in cases["pairs"].as_array().unwrap() {
        let [text, text_pair] = ["text", "text_pair"].map(|key| case[key].as_str().unwrap());
        let pair = tokenizer.encode_pair(text, text_pair, unlimited()).unwrap();
        let types = if has_types { case["types"].clone() } else { json!(vec![0; pair.ids.len()]) };
        let found = json!([pair.ids, pair.token_type_ids()]);
        assert_eq!(found, json!([case["ids"], types]), "{family} {what}: {text:?} {text_pair:?}");
    }
    for case in cases["truncated"].as_array().unwrap() {
        assert_eq!(encode_truncated(tokenizer, case), case["ids"], "{family} {what}: {case}");
    }
}

/// Returns the ids of a truncated text or pair; null if it cannot be truncated.
fn encode_truncated(tokenizer: &Tokenizer, case: &Value) -> Value {
    let max_length = case["max_length"].as_u64().unwrap() as usize;
    let limit = Limit::new(max_length, case["side"].as_str().unwrap().parse().unwrap(), 512).unwrap();
    let limit = limit.with_strategy(case["strategy"].as_str().unwrap().parse().unwrap());
    let text = case["text"].as_str().unwrap();
    let Some(text_pair) = case["text_pair"].as_str() else { return json!(tokenizer.encode(text, limit)) };
    match tokenizer.encode_pair(text, text_pair, limit) {
        Ok(pair) => json!(pair.ids),
        Err(TextError::PairTooLong { .. }) => Value::Null,
        // The tokenizers library has no minimum for the room of a pair.
        Err(TextError::MaxLengthTooSmallForPairs { .. }) => case["ids"].clone(),
        Err(error) => panic!("{error}"),
    }
}

fn tokens(tokenizer: &Tokenizer) -> Vec<Option<String>> {
    (0..tokenizer.vocab_size()).map(|id| tokenizer.id_to_token(id as u32)).collect()
}

#[test]
fn ids_equal_transformers_from_the_slow_files_and_from_tokenizer_json() {
    for (family, _) in FAMILIES {
        let from_files = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        let from_json = Tokenizer::from_file(&folder(family).join("tokenizer.json")).unwrap();
        assert_eq!(tokens(&from_files), tokens(&from_json), "{family}");
        assert_eq!(from_files.pad_id(), from_json.pad_id(), "{family}");
        check(&from_files, family, "files");
        check(&from_json, family, "tokenizer.json");
    }
}

#[test]
fn saved_tokenizers_have_the_same_ids() {
    for (family, class) in FAMILIES {
        let directory = tempfile::tempdir().unwrap();
        let tokenizer = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        tokenizer.save(directory.path(), class, 512).unwrap();
        let opened = Tokenizer::from_dir(directory.path()).unwrap();
        assert_eq!(tokens(&tokenizer), tokens(&opened), "{family}");
        check(&opened, family, "saved");
        if fs::remove_file(directory.path().join("vocab.json")).is_err()
            && !directory.path().join("vocab.txt").is_file()
        {
            continue;
        }
        tokenizer.save(directory.path(), class, 512).unwrap();
        fs::remove_file(directory.path().join("tokenizer.json")).unwrap();
        check(&Tokenizer::from_dir(directory.path()).unwrap(), family, "saved, without tokenizer.json");
    }
}

/// The classes of transformers 5 for Unigram replace the normalizer of a file, so they are not saved.
#[test]
fn the_saved_class_is_one_that_follows_the_file() {
    let saved = |family: &str, class: &str| {
        let directory = tempfile::tempdir().unwrap();
        let tokenizer = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        tokenizer.save(directory.path(), class, 512).unwrap();
        let config = read(&directory.path().join("tokenizer_config.json"));
        [config["tokenizer_class"].clone(), config["model_input_names"].clone()]
    };
    let (generic, no_types) = (json!("PreTrainedTokenizerFast"), json!(["input_ids", "attention_mask"]));
    let two_types = json!(["input_ids", "token_type_ids", "attention_mask"]);
    let cases = [
        ("roberta", "RobertaTokenizer", [json!("RobertaTokenizer"), Value::Null]),
        ("roberta", "BertTokenizer", [generic.clone(), no_types.clone()]),
        ("modernbert", "RobertaTokenizer", [generic.clone(), no_types.clone()]),
        ("mpnet", "MPNetTokenizer", [json!("MPNetTokenizer"), Value::Null]),
        ("mpnet", "BertTokenizer", [generic.clone(), no_types.clone()]),
        ("xlm-roberta", "XLMRobertaTokenizer", [generic.clone(), no_types]),
        ("deberta-v2", "DebertaV2Tokenizer", [generic, two_types]),
    ];
    for (family, class, expected) in cases {
        assert_eq!(saved(family, class), expected, "{family} {class}");
    }
}

#[test]
fn special_tokens_have_the_ids_of_the_families() {
    let ids = |family: &str, tokens: &[&str]| -> Vec<u32> {
        let tokenizer = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        tokens.iter().map(|token| tokenizer.token_to_id(token).unwrap()).collect()
    };
    let fairseq = ["<s>", "<pad>", "</s>", "<unk>"];
    assert_eq!(ids("roberta", &fairseq), [0, 1, 2, 3]);
    assert_eq!(ids("xlm-roberta", &fairseq), [0, 1, 2, 3]);
    assert_eq!(ids("camembert", &fairseq), [5, 1, 6, 3]);
    assert_eq!(ids("deberta-v2", &["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]), [0, 1, 2, 3, 380]);
    assert_eq!(ids("albert", &["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]), [0, 1, 2, 3, 4]);
    assert_eq!(ids("mpnet", &["<s>", "<pad>", "</s>"]), [0, 1, 2]);
}

#[test]
fn the_first_segment_of_a_tokenizer_with_one_token_type_is_the_pair() {
    let pair = |family: &str, max_length| {
        let tokenizer = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        tokenizer.encode_pair(
            "the film",
            "was good",
            Limit::new(max_length, Default::default(), 512).unwrap(),
        )
    };
    for (family, has_two_types) in [
        ("roberta", false),
        ("xlm-roberta", false),
        ("camembert", false),
        ("mpnet", false),
        ("deberta-v2", true),
    ] {
        let encoded = pair(family, 64).unwrap();
        assert_eq!(encoded.first_segment_length < encoded.ids.len(), has_two_types, "{family}");
    }
    let error = pair("roberta", 4).unwrap_err().to_string();
    assert!(error.contains("the 4 special tokens and one token need 5"), "{error}");
    assert!(pair("deberta-v2", 4).is_ok());
}

/// Hash of ids: FNV-1a of 32 bits.
fn fnv1a(ids: &[u32]) -> u32 {
    let bytes = ids.iter().flat_map(|id| id.to_le_bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[test]
fn ids_of_real_reviews_equal_the_tokenizers_library() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tokenizer");
    let Ok(lines) = fs::read_to_string(shared.join("parity_bert_uncased.jsonl")) else {
        println!("SKIPPED: {} has no texts, so no real reviews are compared", shared.display());
        return;
    };
    let reviews: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<_> = reviews.iter().map(|review| review["text"].as_str().unwrap()).collect();
    let hashes = read(&path("tokenizers/parity.json"));
    for (family, _) in FAMILIES {
        let tokenizer = Tokenizer::from_dir(&folder(family).join("files")).unwrap();
        let encoded = tokenizer.encode_all(&texts, unlimited(), &|_| ());
        let found: Vec<_> = (0..texts.len()).map(|row| fnv1a(&encoded.ids(row))).collect();
        assert_eq!(json!(found), hashes[family], "{family}");
    }
}
