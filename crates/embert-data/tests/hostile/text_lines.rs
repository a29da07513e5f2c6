//! Malformed txt files, and text in wrong encodings.

use std::path::Path;

use embert_data::{DataError, ReadOptions, TextEncoding, read, read_texts};
use embert_hostile::{FuzzTarget, damaged};

use crate::open;

#[test]
fn texts_of_any_form_are_read_or_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let texts = |path: &Path| read_texts(path, &ReadOptions::default()).map(drop);
    let mut target = FuzzTarget::new(folder.path().join("hostile.txt"), texts);
    for (what, file) in [
        ("lines", b"one\ntwo".to_vec()),
        ("blank lines", b"\n\n\r\n".to_vec()),
        ("NUL", b"a\0b\n".to_vec()),
        ("a line of ten megabytes", "word ".repeat(2 << 20).into_bytes()),
        ("a million lines", b"a\n".repeat(1 << 20)),
        ("labels without a text", b"__label__a\n__label__b\n".to_vec()),
        ("a label without a name", b"__label__ a\n".to_vec()),
        ("a thousand labels", [b"__label__a ".repeat(1000), b"text\n".to_vec()].concat()),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in [
        ("an empty file", &b""[..], "no rows"),
        ("invalid UTF-8", b"a\n\xff\n", "row 2: the text is not utf-8"),
        ("half a character of UTF-16", b"\xff\xfea\0\n\0b", "row 2: the text is not utf-16le"),
        ("half a pair of UTF-16", b"\xff\xfe\x3d\xd8a\0", "row 1: the text is not utf-16le"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(12, 0));
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = "__label__pos good é\n__label__neg __label__long bad 電影\n\nplain\n".repeat(4);
    let mut target = FuzzTarget::new(folder.path().join("hostile.txt"), open);
    target.mutations(damaged(file.as_bytes(), 2000, 30));
    println!("{}", target.finish(0, 2000));
}

#[test]
fn every_encoding_reads_or_rejects_any_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "text,label\nплохо 電影 é “x”,1\n\"a\nb\",0\n".repeat(3);
    for (seed, name) in (40..).zip([
        "utf-16",
        "utf-16be",
        "gb18030",
        "shift_jis",
        "euc-kr",
        "big5",
        "windows-1252",
        "iso-2022-jp",
    ]) {
        let encoding: TextEncoding = name.parse().unwrap();
        let decode = move |path: &Path| -> Result<(), DataError> {
            let options = ReadOptions { csv_encoding: Some(encoding), ..ReadOptions::default() };
            let _ = read(path, "train", &ReadOptions::default(), None);
            read(path, "train", &options, None).map(drop)
        };
        let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), decode);
        let bytes = match name {
            "utf-16" => csv.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => csv.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => encoding_rs::Encoding::for_label(name.as_bytes()).unwrap().encode(&csv).0.into_owned(),
        };
        target.mutations(damaged(&bytes, 400, seed));
        println!("{}", target.finish(0, 400));
    }
}
