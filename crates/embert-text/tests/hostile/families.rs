//! Malformed files of other families than BERT: vocab.json, merges.txt, SentencePiece models and tokenizer.json.

use std::fs;
use std::path::{Path, PathBuf};

use embert_hostile::{FuzzTarget, MemoryBound, damaged, dropped_or_replaced, replaced};
use embert_text::{TextError, Tokenizer};
use serde_json::{Value, json};

use crate::limit;

/// Unigram has a map for each letter of its trie.
const TRIE: MemoryBound = MemoryBound { times: 1024, plus: 8 << 20 };

/// Opens a file and encodes texts and pairs of each kind. All ids must be below `vocab_size`.
fn open(file: &Path) -> Result<(), TextError> {
    let tokenizer = Tokenizer::from_file(file)?;
    let (ascii, others) =
        ((0..128).map(char::from).collect::<String>(), "ﷺﬁ½™Ａｂ！① e\u{301}\u{200b}電影é😀\u{a0}▁");
    for text in ["the film <mask> [MASK]  <s></s>", &ascii, others] {
        let ids = tokenizer.encode(text, limit());
        assert!(ids.len() >= 2 && ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()), "{ids:?}");
        match tokenizer.encode_pair(text, others, limit()) {
            Ok(pair) => assert!(pair.first_segment_length <= pair.ids.len(), "{pair:?}"),
            Err(error) => assert!(matches!(error, TextError::UnsupportedPairs { .. }), "{error}"),
        }
    }
    Ok(())
}

/// Copies the files of a family into a folder, and returns the path of one of them and its bytes.
fn copied(family: &str, name: &str, folder: &Path) -> (PathBuf, Vec<u8>) {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizers").join(family);
    for entry in fs::read_dir(files.join("files")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    if name == "tokenizer.json" {
        fs::copy(files.join(name), folder.join(name)).unwrap();
    }
    (folder.join(name), fs::read(folder.join(name)).unwrap())
}

/// Runs a reader on invalid files with their errors.
fn reject(target: &mut FuzzTarget, cases: impl IntoIterator<Item = (&'static str, Vec<u8>, &'static str)>) {
    for (what, file, expected) in cases {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
        assert!(!error.contains('\n'), "{what}: {error:?} has more than one line");
    }
}

#[test]
fn invalid_byte_level_vocabularies_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = copied("roberta", "vocab.json", folder.path());
    let good: Value = serde_json::from_slice(&bytes).unwrap();
    let mut target = FuzzTarget::new(path, open);
    target.file("a valid file", &bytes).unwrap();
    let changed = |place, value| replaced(&good, place, value).to_string().into_bytes();
    reject(
        &mut target,
        [
            ("an empty file", vec![], "not JSON"),
            ("a list", b"[1]".to_vec(), "not a JSON object"),
            ("no tokens", b"{}".to_vec(), "lacks <s>, </s>, <unk>, <pad>; use"),
            ("half a file", bytes[..bytes.len() / 2].to_vec(), "not JSON"),
            ("a byte that is not UTF-8", [&b"{\"\xff"[..], &bytes[2..]].concat(), "not JSON"),
            ("a text as id", changed("/<pad>", json!("1")), "the id of \"<pad>\" is \"1\""),
            ("a negative id", changed("/<pad>", json!(-1)), "the id of \"<pad>\" is -1"),
            ("a huge id", changed("/<pad>", json!(4_000_000_000_u32)), "not an integer below 16777216"),
            ("an id twice", changed("/<pad>", json!(0)), "both have the id 0"),
        ],
    );
    target.file("an id with a gap", changed("/<pad>", json!(9_999_999))).unwrap();
    let wrong = dropped_or_replaced(&good, 300, 1).into_iter();
    target.mutations(wrong.map(|(what, content)| (what, content.to_string())));
    target.mutations(damaged(&bytes, 300, 2));
    println!("{}", target.finish(11, 600));
}

#[test]
fn invalid_merges_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = copied("roberta", "merges.txt", folder.path());
    let mut target = FuzzTarget::new(path, |path: &Path| open(&path.with_file_name("vocab.json")));
    let first = b"#version: 0.2\n".to_vec();
    for (what, file) in [
        ("a valid file", bytes.clone()),
        (
            "line ends of Windows",
            String::from_utf8(bytes.clone()).unwrap().replace('\n', "\r\n").into_bytes(),
        ),
        ("no merges", first.clone()),
        ("an empty file", vec![]),
        ("all merges twice", [&bytes[..], &bytes].concat()),
        ("merges in reverse order", reversed(&bytes)),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let with = |line: &[u8]| [&first[..], line].concat();
    reject(
        &mut target,
        [
            ("one token", with(b"the\n"), "line 2: \"the\" is not two tokens"),
            ("three tokens", with(b"t h e\n"), "line 2: \"t h e\" is not two tokens"),
            ("a tab", with(b"t\th\n"), "line 2"),
            ("an unknown token", with(b"t \xc5\xbe\n"), "line 2: vocab.json lacks the token \"\u{17e}\""),
            ("an unknown result", with(b"z z\n"), "line 2: vocab.json lacks the token \"zz\""),
            ("a byte that is not UTF-8", with(b"t h\n\xff\n"), "line 3 is not UTF-8"),
            ("a megabyte in a line", with(&b"x".repeat(1 << 20)), "line 2"),
        ],
    );
    target.mutations(damaged(&bytes, 600, 3));
    println!("{}", target.finish(13, 600));
}

fn reversed(lines: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = lines.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(&b'\n')
}

/// Formats a field of protobuf that contains bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    [&field[..], bytes].concat()
}

/// Formats a piece with score -1.
fn piece(text: &str) -> Vec<u8> {
    field(1, &[&field(1, text.as_bytes())[..], b"\x15\x00\x00\x80\xbf"].concat())
}

#[test]
fn invalid_sentencepiece_models_are_rejected() {
    for (family, name) in [
        ("xlm-roberta", "sentencepiece.bpe.model"),
        ("camembert", "sentencepiece.bpe.model"),
        ("deberta-v2", "spm.model"),
        ("albert", "spiece.model"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = copied(family, name, folder.path());
        let mut target = FuzzTarget::new(path, open).within(TRIE);
        let with = |end: &[u8]| [&bytes[..], end].concat();
        target.file("a valid file", &bytes).unwrap();
        target.file("an unknown field", with(&field(9, b"x"))).unwrap();
        let many: Vec<_> = (0..20_000).flat_map(|index| piece(&format!("{index:x}"))).collect();
        for (what, pieces) in [("a piece twice", piece("▁the")), ("many pieces", many)] {
            let opened = target.file(what, with(&pieces));
            // tokenizer_config.json gives DeBERTa's [MASK] the id after the last piece.
            assert_eq!(opened.is_ok(), family != "deberta-v2", "{family}, {what}: {opened:?}");
        }
        reject(
            &mut target,
            [
                ("an empty file", vec![], "unk_id"),
                ("a file without its end", bytes[..bytes.len() - 1].to_vec(), "truncated"),
                ("text", b"<!doctype html>\n<title>404</title>\n".to_vec(), "not a SentencePiece model"),
                ("a length beyond the file", with(b"\x0a\xff\xff\xff\xff\x0f"), "truncated"),
                ("a length of 64 bits", with(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "truncated"),
                ("a piece that is not UTF-8", with(&field(1, &field(1, b"\xff"))), "is not UTF-8"),
                ("an empty piece", with(&field(1, b"")), "it has no text"),
                ("a score without a number", with(&field(1, b"\x0a\x01x\x15\x00\x00\xc0\x7f")), "NaN"),
                ("a piece of a megabyte", with(&piece(&"x".repeat(1 << 20))), "more than 512"),
                ("another algorithm", with(&field(2, b"\x18\x02")), "model_type is 2"),
                ("an unknown token that is no piece", with(&field(2, b"\xc0\x02\xff\x7f")), "unk_id 16383"),
                (
                    "a negative unknown token",
                    with(&field(2, b"\xc0\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
                    "unk_id",
                ),
                ("no rules", with(&field(3, &field(2, b"\x04\0\0\0\0\0\0\0x"))), "precompiled_charsmap"),
                ("rules without end", with(&field(3, &field(2, &[0xff; 2000]))), "precompiled_charsmap"),
            ],
        );
        target.mutations(damaged(&bytes, 300, 4));
        let start =
            bytes.windows(3).position(|window| window == b"\x12\x80\x10").unwrap_or(bytes.len() * 4 / 5);
        let rules = damaged(&bytes[start..], 300, 5);
        target.mutations(rules.map(|(what, rules)| (what, [&bytes[..start], &rules].concat())));
        println!("{}", target.finish(18, 600));
    }
}

/// Each mutation of the rules of a normalizer is rejected, or every text can be normalized.
#[test]
fn mutated_rules_of_a_normalizer_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = copied("xlm-roberta", "sentencepiece.bpe.model", folder.path());
    let rules = charsmap(&folder.path().join("sentencepiece.bpe.model"));
    assert!(rules.len() > 1000);
    let mut target = FuzzTarget::new(path, open).within(TRIE);
    let with = |rules: &[u8]| [&bytes[..], &field(3, &field(2, rules))].concat();
    target.file("the rules of the model", with(&rules)).unwrap();
    target.mutations(damaged(&rules, 2000, 6).map(|(what, rules)| (what, with(&rules))));
    println!("{}", target.finish(1, 2000));
}

/// Returns the rules in the last field of a SentencePiece model, the normalizer_spec.
fn charsmap(path: &Path) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    Tokenizer::from_file(path).unwrap().save(directory.path(), "XLMRobertaTokenizer", 512).unwrap();
    let saved = fs::read(directory.path().join("tokenizer.json")).unwrap();
    let saved: Value = serde_json::from_slice(&saved).unwrap();
    let base64 = saved["normalizer"]["normalizers"][0]["precompiled_charsmap"].as_str().unwrap().to_owned();
    let mut bits = String::new();
    for letter in base64.trim_end_matches('=').chars() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bits += &format!("{:06b}", alphabet.find(letter).unwrap());
    }
    let bytes = bits.as_bytes().chunks_exact(8).map(|byte| std::str::from_utf8(byte).unwrap());
    bytes.map(|byte| u8::from_str_radix(byte, 2).unwrap()).collect()
}

#[test]
fn invalid_tokenizer_json_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = copied("xlm-roberta", "tokenizer.json", folder.path());
    let good: Value = serde_json::from_slice(&bytes).unwrap();
    let mut target = FuzzTarget::new(path, open).within(TRIE);
    target.file("a valid file", &bytes).unwrap();
    let spaces = json!({"type": "Replace", "pattern": {"String": " "}, "content": "  "});
    let deep =
        (0..40).fold(json!({"type": "NFC"}), |inner, _| json!({"type": "Sequence", "normalizers": [inner]}));
    let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let cases = [
        ("/model/vocab", json!({}), "tokenizer.json"),
        ("/model/vocab", json!([]), "tokenizer.json"),
        ("/model/vocab/9", json!(["a"]), "token 9 is [\"a\"], not a text and a score"),
        ("/model/vocab/9", json!([1, 2]), "token 9 is [1,2]"),
        ("/model/vocab/9/0", json!("x".repeat(1000)), "has 1000 bytes, more than 512"),
        ("/model/unk_id", json!(400), "tokenizer.json"),
        ("/model/unk_id", json!(-1), "model.unk_id is -1"),
        ("/normalizer/normalizers/0/precompiled_charsmap", json!("!"), "not base64"),
        (
            "/normalizer/normalizers/0/precompiled_charsmap",
            json!(""),
            "precompiled_charsmap: it is truncated",
        ),
        ("/normalizer/normalizers/0/precompiled_charsmap", json!("BAAAAAAAAAA="), "leaves the array"),
        (
            "/normalizer/normalizers/1",
            good["normalizer"]["normalizers"][0].clone(),
            "more than one Precompiled",
        ),
        ("/normalizer/normalizers/1", spaces, "which is longer"),
        ("/normalizer/normalizers", json!(vec![json!({"type": "NFC"}); 17]), "more than 16 components"),
        ("/post_processor/single", json!([text("A")]), "gives a text A the tokens A, not one"),
        (
            "/post_processor/single",
            json!([special("<s>"), text("A"), special("</s>"), special("</s>")]),
            "not one",
        ),
        ("/post_processor/special_tokens/<s>/ids", json!([5]), "the id 5, which it does not have"),
        ("/added_tokens/0/id", json!(7), "added token \"<s>\" has id 7"),
    ];
    for (place, value, expected) in cases {
        let error = target.refused(place, replaced(&good, place, value).to_string());
        assert!(error.contains(expected), "{place}: {error:?} lacks {expected:?}");
    }
    target.file("nested sequences", replaced(&good, "/normalizer", deep).to_string()).unwrap();
    println!("{}", target.finish(19, 0));
}

#[test]
fn mutated_tokenizer_json_files_never_panic() {
    for family in ["xlm-roberta", "roberta", "modernbert", "albert", "mpnet"] {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = copied(family, "tokenizer.json", folder.path());
        let mut good: Value = serde_json::from_slice(&bytes).unwrap();
        let mut target = FuzzTarget::new(path, open).within(TRIE);
        target.mutations(damaged(&bytes, 200, 7));
        if let Some(vocab) = good["model"]["vocab"].as_array_mut() {
            vocab.truncate(20); // so that most mutations are of components
        }
        let wrong = dropped_or_replaced(&good, 400, 8).into_iter();
        target.mutations(wrong.map(|(what, content)| (what, content.to_string())));
        println!("{}", target.finish(0, 500));
    }
}
