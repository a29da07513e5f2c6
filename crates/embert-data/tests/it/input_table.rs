//! Tables of an input file: all values are kept, results are added, and every format is written.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, DictionaryArray, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use embert_data::{Column, LoadedTexts, ReadOptions, Table, read_table};

use crate::TestDir;
use crate::parquet_files::write;

fn open(dir: &TestDir, name: &str, content: impl AsRef<[u8]>) -> Table {
    read_table(&dir.write(name, content), &ReadOptions::default()).unwrap().0
}

fn written(dir: &TestDir, table: &Table, name: &str) -> String {
    table.write(&dir.path(name)).unwrap();
    std::fs::read_to_string(dir.path(name)).unwrap()
}

fn batch(dir: &TestDir, table: &Table) -> RecordBatch {
    table.write(&dir.path("out.parquet")).unwrap();
    let file = std::fs::File::open(dir.path("out.parquet")).unwrap();
    let mut batches = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10_000).unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert!(batches.next().is_none());
    batch
}

const CSV: &str = "id,text,,note\n007,\"a, \"\"b\"\"\nc\",,\n1e400,plain,x, y \n";

const JSONL: &str = concat!(
    r#"{"id":9007199254740993,"text":"a\u00e9 \"q\"","score":0.1,"tags":["x",{"y":null}],"big":18446744073709551615}"#,
    "\n",
    r#"{"text":"b","id":-9223372036854775808,"extra":null,"score":123456789012345678901234567890,"big":0}"#,
    "\n",
);

#[test]
fn csv_and_jsonl_survive_a_round_trip() {
    let dir = TestDir::new();
    assert_eq!(written(&dir, &open(&dir, "a.csv", CSV), "out.csv"), CSV);
    let expected = concat!(
        r#"{"id":9007199254740993,"text":"a\u00e9 \"q\"","score":0.1,"tags":["x",{"y":null}],"big":18446744073709551615,"extra":null}"#,
        "\n",
        r#"{"id":-9223372036854775808,"text":"b","score":123456789012345678901234567890,"tags":null,"big":0,"extra":null}"#,
        "\n",
    );
    assert_eq!(written(&dir, &open(&dir, "a.jsonl", JSONL), "out.jsonl"), expected);
}

#[test]
fn csv_is_converted_to_jsonl_and_jsonl_to_csv() {
    let dir = TestDir::new();
    let expected = concat!(
        r#"{"id":"007","text":"a, \"b\"\nc","":"","note":""}"#,
        "\n",
        r#"{"id":"1e400","text":"plain","":"x","note":" y "}"#,
        "\n",
    );
    let table = open(&dir, "a.csv", CSV);
    assert_eq!(written(&dir, &table, "out.jsonl"), expected);
    assert_eq!(batch(&dir, &table)["id"].as_string::<i32>().value(0), "007");
    let expected = concat!(
        "id,text,score,tags,big,extra\n",
        "9007199254740993,\"aé \"\"q\"\"\",0.1,\"[\"\"x\"\",{\"\"y\"\":null}]\",18446744073709551615,\n",
        "-9223372036854775808,b,123456789012345678901234567890,,0,\n",
    );
    assert_eq!(written(&dir, &open(&dir, "a.jsonl", JSONL), "out.csv"), expected);
}

#[test]
fn jsonl_values_get_exact_types_in_parquet() {
    let dir = TestDir::new();
    let batch = batch(&dir, &open(&dir, "a.jsonl", JSONL));
    assert_eq!(batch["id"].as_primitive::<Int64Type>().values()[..], [9_007_199_254_740_993, i64::MIN]);
    assert_eq!(batch["big"].as_primitive::<UInt64Type>().values()[..], [u64::MAX, 0]);
    assert_eq!(batch["text"].as_string::<i32>().value(0), "aé \"q\"");
    assert_eq!(batch["score"].as_string::<i32>().value(1), "123456789012345678901234567890");
    assert_eq!(batch["tags"].as_string::<i32>().value(0), r#"["x",{"y":null}]"#);
    assert!(batch["tags"].is_null(1) && batch["extra"].is_null(0));
    for (values, expected) in [
        (["1", "null"], "Int64"),
        (["1", "2.5"], "Float64"),
        (["1e-3", "-0"], "Float64"),
        (["9007199254740993", "0.5"], "Utf8"),
        (["-1", "18446744073709551615"], "Utf8"),
        (["true", "false"], "Boolean"),
        (["true", "1"], "Utf8"),
        (["\"1\"", "1"], "Utf8"),
        (["[]", "{}"], "Utf8"),
        (["null", "null"], "Utf8"),
    ] {
        let content = values.map(|value| format!("{{\"v\": {value}}}\n")).concat();
        let batch = self::batch(&dir, &open(&dir, "b.jsonl", content));
        assert_eq!(batch["v"].data_type().to_string(), expected, "{values:?}");
    }
}

#[test]
fn floats_survive_a_round_trip_in_every_format() {
    let dir = TestDir::new();
    for text in
        ["0.1", "1e-300", "5e-324", "1.7976931348623157e308", "123456.78901234567", "2.2250738585072011e-308"]
    {
        let value: f64 = text.parse().unwrap();
        let column: ArrayRef = Arc::new(Float64Array::from(vec![value]));
        let table = open(&dir, "a.parquet", write(vec![("v", column)], None));
        let json = written(&dir, &table, "out.jsonl");
        let cell = written(&dir, &table, "out.csv");
        for found in [
            json.trim().trim_start_matches("{\"v\":").trim_end_matches('}'),
            cell.trim().trim_start_matches("v\n"),
        ] {
            assert_eq!(found.parse(), Ok(value), "{found}");
        }
        let again = batch(&dir, &open(&dir, "b.jsonl", json));
        assert_eq!(again["v"].as_primitive::<Float64Type>().value(0), value);
    }
}

#[test]
fn parquet_types_survive_and_have_text_forms() {
    let dictionary: DictionaryArray<Int32Type> = [Some("x"), None].into_iter().collect();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let uuid = [0x00, 0xff].repeat(8);
    let uuids =
        FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some(uuid), None].into_iter(), 16).unwrap();
    let codes = FixedSizeBinaryArray::try_from_iter(["de", "fr"].iter()).unwrap();
    let times = TimestampMillisecondArray::from(vec![0, 1]).with_timezone("Europe/Berlin");
    let columns: Vec<(&str, ArrayRef, [&str; 2], [&str; 2])> = vec![
        (
            "i",
            Arc::new(Int64Array::from(vec![Some(i64::MAX), None])),
            ["9223372036854775807", "null"],
            ["9223372036854775807", ""],
        ),
        (
            "u",
            Arc::new(UInt64Array::from(vec![u64::MAX, 0])),
            ["18446744073709551615", "0"],
            ["18446744073709551615", "0"],
        ),
        ("f", Arc::new(Float32Array::from(vec![0.1, f32::NAN])), ["0.1", "null"], ["0.1", "NaN"]),
        ("b", Arc::new(BooleanArray::from(vec![true, false])), ["true", "false"], ["true", "false"]),
        (
            "t",
            Arc::new(LargeStringArray::from(vec![Some("é \"q\""), None])),
            ["\"é \\\"q\\\"\"", "null"],
            ["\"é \"\"q\"\"\"", ""],
        ),
        ("k", Arc::new(dictionary), ["\"x\"", "null"], ["x", ""]),
        ("l", Arc::new(lists), ["[1,null]", "null"], ["\"[1,null]\"", ""]),
        (
            "d",
            Arc::new(Date32Array::from(vec![0, 1])),
            ["\"1970-01-01\"", "\"1970-01-02\""],
            ["1970-01-01", "1970-01-02"],
        ),
        (
            "x",
            Arc::new(BinaryArray::from_opt_vec(vec![Some(&b"ab"[..]), Some(b"\xff\x00")])),
            ["\"ab\"", "\"ff00\""],
            ["ab", "ff00"],
        ),
        (
            "uuid",
            Arc::new(uuids),
            ["\"00ff00ff00ff00ff00ff00ff00ff00ff\"", "null"],
            ["00ff00ff00ff00ff00ff00ff00ff00ff", ""],
        ),
        ("code", Arc::new(codes), ["\"de\"", "\"fr\""], ["de", "fr"]),
        (
            "z",
            Arc::new(times),
            ["\"1970-01-01T00:00:00Z\"", "\"1970-01-01T00:00:00.001Z\""],
            ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.001Z"],
        ),
    ];
    let dir = TestDir::new();
    for (name, column, json, cells) in columns {
        let table = open(
            &dir,
            "a.parquet",
            write(vec![("n", Arc::new(Int64Array::from(vec![1, 2]))), (name, column.clone())], None),
        );
        assert_eq!(&batch(&dir, &table)[name], &column, "{name}");
        let expected = format!("{{\"n\":1,\"{name}\":{}}}\n{{\"n\":2,\"{name}\":{}}}\n", json[0], json[1]);
        assert_eq!(written(&dir, &table, "out.jsonl"), expected);
        let expected = format!("n,{name}\n1,{}\n2,{}\n", cells[0], cells[1]);
        assert_eq!(written(&dir, &table, "out.csv"), expected);
    }
}

#[test]
fn results_follow_the_columns_of_many_row_groups_in_order() {
    let dir = TestDir::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5000));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..5000).map(|row| format!("text {row}"))));
    let table = open(&dir, "a.parquet", write(vec![("n", numbers), ("text", texts)], None));
    let labels = (0..5000).map(|row| row.to_string()).collect();
    let table = table.with_column("label", Column::Text(labels));
    let batch = batch(&dir, &table);
    assert_eq!(batch.num_rows(), 5000);
    for row in [0, 2, 3, 1023, 1024, 4999] {
        assert_eq!(batch["n"].as_primitive::<Int64Type>().value(row), row as i64);
        assert_eq!(batch["label"].as_string::<i32>().value(row), row.to_string());
    }
    assert_eq!(table.texts(&ReadOptions::default()).unwrap().texts[4999], "text 4999");
}

#[test]
fn reserved_names_are_free() {
    let dir = TestDir::new();
    for (header, expected) in [
        ("id,text", "id,text,label,score"),
        ("label,text", "input_label,text,label,score"),
        ("label,input_label,Label", "input_label_2,input_label,Label,label,score"),
        ("label,label,score", "input_label,input_label_2,input_score,label,score"),
        ("a,a,a_2", "a,a_3,a_2,label,score"),
        (" label ,x", "input_label,x,label,score"),
    ] {
        let cells = vec!["1"; header.split(',').count()].join(",");
        let table =
            open(&dir, "a.csv", format!("{header}\n{cells}\n")).with_reserved_names(&["label", "score"]);
        let table = table
            .with_column("label", Column::Text(vec!["pos".into()]))
            .with_column("score", Column::Number(vec![0.5]));
        assert_eq!(written(&dir, &table, "out.csv"), format!("{expected}\n{cells},pos,0.5\n"));
    }
}

#[test]
fn text_columns_are_read_in_every_format_or_are_errors() {
    let dir = TestDir::new();
    let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["one", ""]));
    let keys: ArrayRef =
        Arc::new([Some("one"), Some("")].into_iter().collect::<DictionaryArray<Int32Type>>());
    for (name, content) in [
        ("a.csv", b"id, text \n1,one\n2,\n".to_vec()),
        ("a.jsonl", b"{\"text\": \"one\"}\n{\"text\": \"\"}".to_vec()),
        ("a.parquet", write(vec![("text", large)], None)),
        ("b.parquet", write(vec![("text", keys)], None)),
    ] {
        let LoadedTexts { texts, notes, .. } =
            open(&dir, name, content).texts(&ReadOptions::default()).unwrap();
        assert_eq!(texts, ["one", ""], "{name}");
        assert!(
            notes[0].to_string().ends_with("1 of 2 texts are empty or only whitespace; the first is row 2")
        );
    }
    let null: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    for (name, content, expected) in [
        (
            "a.csv",
            b"review,label\na,1\n".to_vec(),
            "its columns are \"review\", \"label\"; did you mean \"review\"?",
        ),
        ("a.csv", b"text,text\na,1\n".to_vec(), "two columns are called \"text\"; rename one"),
        ("a.jsonl", b"{\"text\": \"a\"}\n\n{\"text\": null}\n".to_vec(), "row 3, column \"text\" is null"),
        ("a.jsonl", b"{\"text\": \"a\"}\n{\"x\": 1}\n".to_vec(), "row 2, column \"text\" is null"),
        ("a.jsonl", b"{\"text\": 5}\n".to_vec(), "row 1, column \"text\": found the number 5, expected text"),
        ("a.parquet", write(vec![("text", null)], None), "row 2, column \"text\" is null"),
        ("a.parquet", write(vec![("text", number)], None), "column \"text\" holds Int64, expected text"),
    ] {
        let error = open(&dir, name, content).texts(&ReadOptions::default()).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}
