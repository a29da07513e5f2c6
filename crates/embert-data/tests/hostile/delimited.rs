//! Malformed csv and tsv files: unclosed quotes, rows of different lengths, a million columns, invalid labels.

use embert_hostile::{FuzzTarget, damaged};

use crate::open;

/// Unusual files that are valid.
fn valid() -> Vec<(&'static str, Vec<u8>)> {
    let rows = |label: &dyn Fn(usize) -> String, count: usize| {
        (0..count).fold("text,label\n".to_owned(), |file, row| file + "t," + &label(row) + "\n").into_bytes()
    };
    vec![
        ("an ordinary file", b"text,label\ngood,1\nbad,0\n".to_vec()),
        ("a BOM", b"\xef\xbb\xbftext,label\na,1\n".to_vec()),
        ("carriage returns as line ends", b"text,label\ra,1\rb,0\r".to_vec()),
        ("NUL", b"text,label\na\0b,1\n\0,0\n".to_vec()),
        ("no last line end", b"text,label\na,1".to_vec()),
        ("empty lines", b"text,label\n\n\na,1\n\n".to_vec()),
        ("empty texts", b"text,label\n,1\n\"\",0\n".to_vec()),
        ("quotes in a cell", b"text,label\na \"b\" c,1\n\"\"\"\",0\n".to_vec()),
        ("right to left and emoji", "text,label\n\u{202e}שלום,1\n👩‍👩‍👧,0\n".into()),
        ("labels of 26 digits", rows(&|row| format!("9999999999999999999999999{row}"), 2)),
        ("a negative label", rows(&|_| "-2".into(), 1)),
        ("a huge label", rows(&|_| i64::MAX.to_string(), 1)),
        ("a thousand labels", rows(&|row| format!("label {}", row % 1000), 2000)),
        ("one label", rows(&|_| "only".into(), 3)),
        ("labels that are fractions", rows(&|row| format!("{row}.5"), 2)),
        ("one row", rows(&|_| "1".into(), 1)),
        ("a text of ten megabytes", [b"text,label\n", "word ".repeat(2 << 20).as_bytes(), b",1\n"].concat()),
        ("a million rows", rows(&|row| (row % 2).to_string(), 100_000)),
        ("a hundred thousand more columns", {
            let names = (0..100_000).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
            format!("text,label,{names}\na,1{}\n", ",".repeat(100_000)).into_bytes()
        }),
    ]
}

/// Invalid files, with a part of the error message.
fn invalid() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let labels = |label: &dyn Fn(usize) -> String, count: usize| {
        (0..count).fold("text,label\n".to_owned(), |file, row| file + "t," + &label(row) + "\n").into_bytes()
    };
    vec![
        ("an empty file", vec![], "no rows"),
        ("only a header", b"text,label\n".to_vec(), "no rows"),
        ("no header", b"good,1\nbad,0\n".to_vec(), "no column \"text\""),
        ("a million columns", ",".repeat(1_000_000).into_bytes(), "and 999981 more"),
        (
            "an unclosed quote",
            b"text,label\n\"a,1\nb,0\n".to_vec(),
            "row 1: a quoted cell has no closing quote",
        ),
        (
            "an unclosed quote before more rows",
            b"label,text\n1,a\n1,\"b\n0,c\n0,d\n".to_vec(),
            "row 2: a quoted cell has no closing quote",
        ),
        ("more cells", b"text,label\na,1\nb,c,0\n".to_vec(), "row 2: found 3 cells"),
        ("fewer cells", b"text,label\na,1\nb\n".to_vec(), "row 2: found 1 cells"),
        ("a duplicate column", b"text,label,text\na,1,b\n".to_vec(), "two columns are called \"text\""),
        ("no label", b"text,label\na,1\nb, \n".to_vec(), "row 2 has no label: column \"label\" is empty"),
        ("a label that is NaN", labels(&|row| ["1", "NaN"][row].into(), 2), "row 2 has no label"),
        ("a thousand labels", labels(&|row| format!("label {row}"), 1000), "1000 labels in 1000 rows"),
        (
            "one label too many",
            labels(&|row| format!("label {row}"), 4097),
            "4097 labels, but at most 4096 are supported",
        ),
        ("invalid UTF-8", b"text,label\n\xff,1\n".to_vec(), "row 1, column \"text\" is not UTF-8"),
        ("a surrogate", b"text,label\na,1\n\xed\xa0\x80,0\n".to_vec(), "row 2, column \"text\" is not UTF-8"),
        ("UTF-16", b"\xff\xfet\0e\0x\0t\0".to_vec(), "no column \"label\""),
        ("UTF-16 without a mark", b"t\0e\0x\0t\0".to_vec(), "looks like utf-16le without a byte order mark"),
        ("half a character of UTF-16", [&utf_16("text,label\na,1\n")[..], b"b"].concat(), "not utf-16le"),
        ("gzip", b"\x1f\x8b\x08\0".to_vec(), "damaged or truncated"),
        ("parquet", b"PAR1".to_vec(), "a parquet file; name it .parquet"),
    ]
}

/// Returns a text as UTF-16 with a byte order mark.
fn utf_16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn valid_files_are_read_and_invalid_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), open);
    for (what, file) in valid() {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in invalid() {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(37, 0));
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "text,label\nplain,0\n\"quoted, \"\"twice\"\"\nand broken\",1\né 電影 😀,1\n,0\n".repeat(3);
    for (name, file) in [
        ("hostile.csv", csv.clone()),
        ("hostile.tsv", csv.replace("text,label", "text\tlabel").replace(",1", "\t1").replace(",0", "\t0")),
    ] {
        let mut target = FuzzTarget::new(folder.path().join(name), open);
        target.mutations(damaged(file.as_bytes(), 2000, 1));
        println!("{}", target.finish(0, 2000));
    }
}
