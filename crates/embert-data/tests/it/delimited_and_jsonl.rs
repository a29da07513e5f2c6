//! csv, tsv and jsonl files, valid and invalid.

use embert_data::{Columns, CsvQuoting, ReadOptions, read, read_texts};

use crate::{TestDir, is_supported, message, notes, read_content, read_with, rows};

#[test]
fn quoted_cells_keep_separators_quotes_and_line_breaks() {
    let content = "\u{feff}id,label,text\r\n1,0,\"one, \"\"two\"\"\nthree\"\r\n2,1,plain\r\n";
    let dataset = read_content("a.csv", content).unwrap();
    assert_eq!(rows(&dataset), [("one, \"two\"\nthree", 0), ("plain", 1)]);
}

#[test]
fn tsv_cells_are_separated_by_tabs() {
    let dataset = read_content("a.TSV", "text\tlabel\na, b\t1\nc\t0\n").unwrap();
    assert_eq!(rows(&dataset), [("a, b", 1), ("c", 0)]);
}

#[test]
fn columns_can_have_other_names() {
    let dir = TestDir::new();
    let path = dir.write("a.csv", "review,text,stars\ngood,not this,4\n");
    let columns = Columns::new("review", "stars");
    let options = ReadOptions { columns, ..ReadOptions::default() };
    assert_eq!(rows(&read(&path, "train", &options, None).unwrap().dataset), [("good", 0)]);
    assert_eq!(read_texts(&path, &options).unwrap().texts, ["good"]);
}

#[test]
fn jsonl_ignores_other_keys_and_empty_lines() {
    let content = "{\"text\": \"a\\n\\u00e9\", \"label\": true, \"more\": [1]}\n\n  \r\n{\"label\": false, \"text\": \"\"}";
    assert_eq!(rows(&read_content("a.jsonl", content).unwrap()), [("a\né", 1), ("", 0)]);
}

#[test]
fn texts_are_read_without_labels() {
    let dir = TestDir::new();
    let texts = |path: std::path::PathBuf| read_texts(&path, &ReadOptions::default());
    assert_eq!(texts(dir.write("a.csv", "text\none\ntwo\n")).unwrap().texts, ["one", "two"]);
    assert_eq!(texts(dir.write("a.jsonl", "{\"text\": \"one\"}")).unwrap().texts, ["one"]);
    let none = texts(dir.write("b.csv", "text\n")).unwrap_err().to_string();
    assert!(none.ends_with("b.csv: no rows"), "{none}");
}

#[test]
fn errors_name_the_row_and_the_column() {
    for (name, content, expected) in [
        (
            "a.csv",
            "review,label\na,1\n",
            "a.csv: no column \"text\"; its columns are \"review\", \"label\"; did you mean \"review\"?",
        ),
        (
            "a.csv",
            "text,stars\na,1\n",
            "a.csv: no column \"label\"; its columns are \"text\", \"stars\"; did you mean \"stars\"?",
        ),
        (
            "a.csv",
            "text,label\na,1\nb, c,0\n",
            "a.csv: row 2: found 3 cells, but the header has 2; put quotes around texts that contain the separator",
        ),
        ("a.csv", "text,label\n", "a.csv: no rows"),
        ("a.jsonl", "\n", "a.jsonl: no rows"),
        ("a.csv", "", "a.csv: no rows"),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": 1}\n{\"text\": null, \"label\": 1}",
            "a.jsonl: row 2, column \"text\" is null",
        ),
        (
            "a.jsonl",
            "{\"txt\": \"a\", \"label\": 1}",
            "a.jsonl: no column \"text\"; its columns are \"txt\", \"label\"",
        ),
        (
            "a.jsonl",
            "{\"text\": 5, \"label\": 1}",
            "a.jsonl: row 1, column \"text\": found the number 5, expected text",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": {}}",
            "a.jsonl: row 1, column \"label\": found an object, expected an integer, text or a boolean",
        ),
        ("a.jsonl", "\n\"a\"\n", "a.jsonl: row 2: expected a JSON object, found text"),
    ] {
        assert_eq!(message(name, content), expected);
    }
    let cut = message("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b");
    assert!(cut.starts_with("a.jsonl: row 2: not JSON: EOF while parsing a string"), "{cut}");
}

#[test]
fn invalid_utf8_is_an_error_with_the_row() {
    assert_eq!(
        message("a.csv", b"text,label\ncaf\xc3\xa9,1\ncaf\xe9,1\n"),
        "a.csv: row 2, column \"text\" is not UTF-8; the file looks like windows-1252"
    );
    assert_eq!(
        message("a.jsonl", b"{\"text\": \"caf\xe9\", \"label\": 1}"),
        "a.jsonl: row 1: the text is not utf-8; the file looks like windows-1252"
    );
}

#[test]
fn files_with_the_wrong_extension_are_recognized() {
    for (name, content, found) in [
        ("a.csv", &b"\x1f\x8b\x08\x00"[..], "damaged or truncated: unexpected end of file"),
        ("a.csv", b"\xfd7zXZ\0", "expected csv, found an xz archive; unpack it first"),
        ("a.csv", b"ARROW1\0\0", "expected csv, found an arrow file; name it .arrow"),
        (
            "a.csv",
            b"t\0e\0x\0t\0",
            "the text looks like utf-16le without a byte order mark; name its encoding, or save it as UTF-8",
        ),
        (
            "a.csv",
            b"\n<!DOCTYPE html><html>",
            "expected csv, found an HTML page, perhaps an error page of the server; download the file again",
        ),
        ("a.csv", b"PAR1", "expected csv, found a parquet file; name it .parquet"),
        (
            "a.parquet",
            b"<html>404",
            "expected parquet, found an HTML page, perhaps an error page of the server; download the file again",
        ),
        ("a.parquet", b"\x1f\x8b\x08\x00", "expected parquet, found a gzip archive; unpack it first"),
        (
            "a.parquet",
            b"version https://git-lfs.github.com/spec/v1",
            "expected parquet, found a Git LFS pointer, not the file itself; run git lfs pull",
        ),
        ("a.parquet", b"text,label\n", "expected parquet, found a file that does not begin with PAR1"),
        ("a.parquet", b"", "no rows"),
    ]
    .into_iter()
    .filter(|(name, ..)| is_supported(name))
    {
        assert_eq!(message(name, content), format!("{name}: {found}"));
    }
    assert!(message("table", "x").contains("unknown extension \"\""));
}

#[test]
fn unsupported_extensions_have_advice() {
    for (name, words) in [
        (
            "a.dat",
            "; rename a table with a header to .csv if commas separate its columns, or to .tsv if tabs do",
        ),
        ("a.xlsx", "; export the sheet as .csv (UTF-8)"),
        ("a.XLS", "; export the sheet as .csv (UTF-8)"),
        ("a.csv.xz", "; unpack it first"),
        ("a.tar.gz", "unknown extension \"tar.gz\""),
        ("a.tar.gz", "; unpack it first"),
        ("a.gz", "; the extension before it names the format, as in .csv.gz"),
        ("a.7z", "; unpack it first"),
        ("a.orc", "; write it as .parquet"),
        ("a.pq", "; rename it to .parquet"),
        ("a.weird", "unknown extension \"weird\""),
    ] {
        let found = message(name, "x");
        let supported = "; supported are .parquet, .arrow, .csv, .tsv, .json, .jsonl, .txt";
        assert!(found.contains(supported) && found.contains(words), "{found}");
    }
}

#[test]
fn a_git_lfs_pointer_is_recognized_in_every_format() {
    for name in ["a.csv", "a.tsv", "a.jsonl", "a.parquet"].into_iter().filter(|name| is_supported(name)) {
        let found =
            message(name, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
        assert!(found.ends_with("found a Git LFS pointer, not the file itself; run git lfs pull"), "{found}");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_an_error_without_its_feature() {
    assert_eq!(
        message("a.parquet", "PAR1"),
        "a.parquet: this build cannot read or write parquet; enable the feature parquet of embert-data"
    );
}

#[test]
fn a_wrong_separator_is_named() {
    for (name, content, expected) in [
        (
            "a.csv",
            "text;label\na;1\n",
            "the header \"text;label\" is separated by semicolons; save it with commas, or with tabs as .tsv",
        ),
        (
            "a.csv",
            "text\tlabel\na\t1\n",
            "the header \"text\\tlabel\" is separated by tabs; rename it to .tsv",
        ),
        (
            "a.csv",
            "text|label\na|1\n",
            "the header \"text|label\" is separated by vertical bars; save it with commas, or with tabs as .tsv",
        ),
        ("a.tsv", "text,label\na,1\n", "the header \"text,label\" is separated by commas; rename it to .csv"),
        (
            "a.tsv",
            "text;label\na;1\n",
            "the header \"text;label\" is separated by semicolons; save it with commas, or with tabs as .tsv",
        ),
    ] {
        assert_eq!(message(name, content), format!("{name}: {expected}"));
    }
}

#[test]
fn a_missing_column_gets_a_suggestion() {
    for (header, expected) in [
        ("Text,label", Some("Text")),
        (" TEXT ,label", Some("TEXT")),
        ("id,review_text,label", Some("review_text")),
        ("sentence,label", Some("sentence")),
        ("id,Review,label", Some("Review")),
        ("a,b,label", None),
        ("text,Label", Some("Label")),
        ("text,labels", Some("labels")),
        ("text,sentiment", Some("sentiment")),
        ("text,x", None),
    ] {
        let jsonl = header
            .split(',')
            .map(|name| format!("\"{}\": \"1\"", name.trim()))
            .collect::<Vec<_>>()
            .join(", ");
        for (name, content) in [("a.csv", format!("{header}\n")), ("a.jsonl", format!("{{{jsonl}}}\n"))] {
            let found = message(name, content);
            let suggestion = found.split_once("; did you mean ").map(|(_, name)| name.to_owned());
            assert_eq!(suggestion, expected.map(|name| format!("{name:?}?")), "{found}");
        }
    }
}

#[test]
fn quotes_inside_a_cell_are_text_and_unclosed_quotes_are_errors() {
    for (content, last) in [
        ("label,text\n1,a\n0,5\" screen", "5\" screen"),
        ("label,text\n1,a\n0,5\" screen\n", "5\" screen"),
        ("label,text\r\n1,a\r\n0,it is \"\r\n", "it is \""),
        ("label,text\n1,a\n0,\"five\"\" inches\"\n", "five\" inches"),
        ("label,text\n1,a\n0,\"so\" called \"\n", "so called \""),
        ("label,text\n1,a\n0,\"\"\"\"\n", "\""),
        ("label,text\n1,a\n0,\"\"\n", ""),
    ] {
        assert_eq!(rows(&read_content("a.csv", content).unwrap()), [("a", 1), (last, 0)], "{content:?}");
    }
    for content in [
        "label,text\n1,a\n0,\"screen\n",
        "label,text\n1,a\n0,\"screen",
        "label,text\n1,a\n0,\"\n1,b\n0,c\n",
        "label,text\n1,a\n0,\"five\"\" inches\n",
        "text,label\na,1\n\"b,0\nc,0\n",
        "text,label\na,1\n\"b,0",
    ] {
        let found = message("a.csv", content);
        assert!(
            found.starts_with("a.csv: row 2: a quoted cell has no closing quote"),
            "{content:?}: {found}"
        );
    }
}

#[test]
fn quotes_are_ordinary_characters_without_quoting() {
    let none = ReadOptions { csv_quoting: CsvQuoting::None, ..ReadOptions::default() };
    for (content, texts) in [
        ("text\tlabel\n\"a\t1\nb\t0\n", ["\"a", "b"]),
        ("text\tlabel\n\"a\"\t1\n\"b\t0\n", ["\"a\"", "\"b"]),
        ("text\tlabel\na \"\"\t1\n\"\t0\n", ["a \"\"", "\""]),
    ] {
        let read = read_with("a.tsv", content, &none, None).unwrap();
        assert_eq!(rows(&read.dataset), [(texts[0], 1), (texts[1], 0)], "{content:?}");
        assert_eq!(read.notes, []);
    }
    assert_eq!("none".parse(), Ok(CsvQuoting::None));
    assert_eq!(CsvQuoting::default().to_string().parse(), Ok(CsvQuoting::Minimal));
    assert_eq!(
        "all".parse::<CsvQuoting>(),
        Err("unknown csv_quoting \"all\"; expected minimal or none".to_owned())
    );
}

#[test]
fn rows_that_span_lines_have_a_note() {
    for (content, expected) in [
        (
            "text,label\na,1\n\"b\nc\",0\n",
            "quotes make 1 row span several lines; the longest is row 2 with 2 lines",
        ),
        (
            "text,label\n\"a\nb\",1\n\"c,1\nd,0\ne\",0\n\"f\ng\",1\n",
            "quotes make 3 rows span several lines; the longest is row 2 with 3 lines",
        ),
    ] {
        let read = read_with("a.csv", content, &ReadOptions::default(), None).unwrap();
        assert_eq!(notes(&read, "a.csv"), [format!("a.csv: {expected}")]);
    }
    let read = read_with("a.csv", "text,label\n\"a, b\",1\n", &ReadOptions::default(), None).unwrap();
    assert_eq!(read.notes, []);
}

#[test]
fn blank_texts_have_a_note_with_their_number_and_the_first_row() {
    for (name, content) in [
        ("a.csv", "text,label\na,1\n,0\nb,1\n  \u{a0},0\n"),
        (
            "a.jsonl",
            "{\"text\":\"a\",\"label\":1}\n{\"text\":\"\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n{\"text\":\"\\n\",\"label\":0}\n",
        ),
    ] {
        let read = read_with(name, content, &ReadOptions::default(), None).unwrap();
        let expected = "2 of 4 texts are empty or only whitespace; the first is row 2";
        assert_eq!(notes(&read, name), [format!("{name}: {expected}")]);
    }
}
