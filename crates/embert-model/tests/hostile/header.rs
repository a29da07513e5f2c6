//! Hostile model.safetensors files: invalid headers, truncated and damaged files, files of other formats.

use std::fs;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced};
use serde_json::{Value, json};

use crate::{folder_of, load_and_run, parts, with_header};

/// Returns invalid headers for eight bytes of data, and part of the error for each.
fn invalid_headers() -> Vec<(&'static str, Value, &'static str)> {
    let tensor = |dtype: &str, shape: Value, offsets: Value| json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
    let one = |shape: Value, offsets: Value| json!({ "a": tensor("F32", shape, offsets) });
    let two = |first: Value, second: Value| json!({"a": tensor("F32", json!([1]), first), "b": tensor("F32", json!([1]), second)});
    vec![
        ("beyond the file", one(json!([4]), json!([0, 16])), "the header describes"),
        ("less than the file", one(json!([1]), json!([0, 4])), "the header describes"),
        ("no tensors", json!({}), "the header describes"),
        ("backwards", one(json!([2]), json!([8, 0])), "header: "),
        ("negative", one(json!([2]), json!([-8, 0])), "header: "),
        ("a fraction", one(json!([2]), json!([0, 8.5])), "header: "),
        ("huge offsets", one(json!([2]), json!([u64::MAX - 7, u64::MAX])), "header: "),
        ("huge end", one(json!([u64::MAX / 4]), json!([0, u64::MAX - 3])), ""),
        ("overlap", two(json!([0, 4]), json!([2, 6])), "header: "),
        ("the same offsets", two(json!([0, 4]), json!([0, 4])), "header: "),
        ("a gap", two(json!([0, 4]), json!([8, 12])), "header: "),
        ("shape too large", one(json!([3]), json!([0, 8])), "header: "),
        ("shape overflows", one(json!([1_u64 << 63, 2]), json!([0, 8])), "header: "),
        ("shape overflows to the right size", one(json!([(1_u64 << 63) + 1, 2]), json!([0, 8])), "header: "),
        ("negative shape", one(json!([-2]), json!([0, 8])), "header: "),
        ("another type's size", json!({ "a": tensor("F64", json!([2]), json!([0, 8])) }), "header: "),
        ("unknown type", json!({ "a": tensor("F128", json!([2]), json!([0, 8])) }), "header: "),
        ("no type", json!({"a": {"shape": [2], "data_offsets": [0, 8]}}), "header: "),
        ("three offsets", one(json!([2]), json!([0, 8, 16])), "header: "),
        ("metadata is a number", json!({"__metadata__": 7}), "header: "),
        ("a list", json!([1, 2]), "header: "),
        ("a word", json!("a"), "header: "),
        ("another model's", one(json!([2]), json!([0, 8])), "missing 37 of the model's tensors"),
        (
            "named with a control character",
            json!({ "\u{1b}[31m": tensor("F32", json!([2]), json!([0, 8])) }),
            "",
        ),
    ]
}

/// Returns files with an invalid header length or without a header.
fn files_without_a_header() -> Vec<(&'static str, Vec<u8>)> {
    let claim = |length: u64| [&length.to_le_bytes(), b"{}".as_slice()].concat();
    vec![
        ("an empty file", vec![]),
        ("seven bytes", vec![0; 7]),
        ("a header of no bytes", vec![0; 8]),
        ("a header beyond the file", claim(3)),
        ("a header of 100 MB", claim(100_000_000)),
        ("a header beyond the format's limit", claim(100_000_001)),
        ("a header of all bytes", claim(u64::MAX)),
        ("a header of half of all bytes", claim(u64::MAX / 2)),
        ("an HTML page", b"<!doctype html><title>404</title>".to_vec()),
        ("a pickle", b"PK\x03\x04archive/data.pkl".to_vec()),
        ("a pointer", b"version https://git-lfs.github.com/spec/v1\n".to_vec()),
        ("invalid UTF-8", with_header(b"{\"\xff\": 1}", &[])),
        ("deep", with_header(&b"[".repeat(1 << 20), &[])),
        (
            "deep in a tensor",
            with_header(format!("{{\"a\":{{\"shape\":{}", "[".repeat(1 << 20)).as_bytes(), &[]),
        ),
        (
            "a million sizes",
            with_header(format!("{{\"a\":{{\"shape\":[{}0]", "0,".repeat(1 << 20)).as_bytes(), &[]),
        ),
        ("a name of a megabyte", with_header(format!("{{\"{}\":0}}", "n".repeat(1 << 20)).as_bytes(), &[])),
    ]
}

#[test]
fn invalid_headers_are_refused() {
    let folder = folder_of("tiny_bert", &["config.json", "model.safetensors"]);
    let path = folder.path().join("model.safetensors");
    let good = fs::read(&path).unwrap();
    let mut target = FuzzTarget::new(path, load_and_run);
    target.file("undamaged", &good).unwrap();
    for (what, header, expected) in invalid_headers() {
        let error = target.refused(what, with_header(header.to_string().as_bytes(), &[0; 8]));
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    for (what, file) in files_without_a_header() {
        target.refused(what, file);
    }
    let longer = target.refused("bytes after the end", [&good[..], &[0; 8]].concat());
    assert!(longer.contains("the header describes"), "{longer}");
    let duplicate = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    target.refused("a duplicate name", with_header(duplicate, &[0; 8]));
    println!("{}", target.finish(40, 0));
}

#[test]
fn nan_and_infinity_are_refused_with_the_tensor_name() {
    let folder = folder_of("tiny_bert", &["config.json", "model.safetensors"]);
    let path = folder.path().join("model.safetensors");
    let good = fs::read(&path).unwrap();
    let mut target = FuzzTarget::new(path, load_and_run);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut file = good.clone();
        let end = file.len();
        file[end - 4..].copy_from_slice(&value.to_le_bytes());
        let error = target.refused("not finite", file);
        assert!(error.contains(" contains NaN or infinite values"), "{error}");
    }
    println!("{}", target.finish(3, 0));
}

#[test]
fn mutated_weights_never_panic() {
    let folder = folder_of("tiny_bert", &["config.json", "model.safetensors"]);
    let path = folder.path().join("model.safetensors");
    let good = fs::read(&path).unwrap();
    let (header, data) = parts(&good);
    let mut target = FuzzTarget::new(path, load_and_run);
    let wrong = dropped_or_replaced(&header, 1000, 3).into_iter();
    target.mutations(wrong.map(|(what, header)| (what, with_header(header.to_string().as_bytes(), data))));
    let bytes = header.to_string().into_bytes();
    target.mutations(damaged(&bytes, 500, 4).map(|(what, header)| (what, with_header(&header, data))));
    target.mutations(damaged(&good, 500, 5));
    println!("{}", target.finish(0, 2000));
}
