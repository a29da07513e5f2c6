//! Parquet files with each type of text and label, and corrupt files.

use std::sync::Arc;

use arrow_array::builder::{Date32Builder, Int64Builder, ListBuilder};
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, DictionaryArray, FixedSizeBinaryArray, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field};
use embert_data::{DataError, Labels, LoadedDataset, ReadOptions, read, read_texts};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::{TestDir, message, read_content, read_with, rows};

pub(crate) fn write(columns: Vec<(&str, ArrayRef)>, features: Option<&str>) -> Vec<u8> {
    let metadata = features.map(|it| vec![KeyValue::new("huggingface".to_owned(), it.to_owned())]);
    let properties = WriterProperties::builder()
        .set_key_value_metadata(metadata)
        .set_max_row_group_row_count(Some(3))
        .build();
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| {
        let nullable = column.is_nullable();
        (name, column, nullable)
    }))
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Returns a file with the two default columns.
pub(crate) fn parquet_of(rows: &[(&str, i64)]) -> Vec<u8> {
    let (texts, labels): (Vec<&str>, Vec<i64>) = rows.iter().copied().unzip();
    write(vec![("text", texts_of(&texts)), ("label", Arc::new(Int64Array::from(labels)))], None)
}

/// Returns a file with this label column. Each text is the number of its row, from 0.
pub(crate) fn labelled(labels: ArrayRef) -> Vec<u8> {
    let texts: ArrayRef =
        Arc::new((0..labels.len()).map(|row| Some(row.to_string())).collect::<StringArray>());
    write(vec![("text", texts), ("label", labels)], None)
}

fn texts_of(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn abcd() -> ArrayRef {
    texts_of(&["a", "b", "c", "d"])
}

const FEATURES: &str = r#"{"info": {"features": {"text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}"#;

/// Returns a file with the label names neg and pos, as on the hub.
pub(crate) fn hub_file(labels: Vec<i64>) -> Vec<u8> {
    let texts: Vec<String> = (0..labels.len()).map(|row| row.to_string()).collect();
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    write(vec![("text", texts), ("label", Arc::new(Int64Array::from(labels)))], Some(FEATURES))
}

#[test]
fn every_text_type_is_read() {
    let texts = ["a", "c", "ü", "d"];
    let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
    let columns: [ArrayRef; 5] = [
        texts_of(&texts),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(dictionary),
        Arc::new(BinaryArray::from_iter_values(texts)),
    ];
    let dir = TestDir::new();
    for column in columns {
        let kind = column.data_type().to_string();
        let path = dir.write("a.parquet", write(vec![("other", abcd()), ("text", column.clone())], None));
        assert_eq!(read_texts(&path, &ReadOptions::default()).unwrap().texts, texts, "{kind}");
        let labelled = write(vec![("text", abcd()), ("label", column)], None);
        let dataset = read_content("a.parquet", labelled).unwrap();
        assert_eq!(dataset.labels.names(), ["a", "c", "d", "ü"], "{kind}");
        assert_eq!(rows(&dataset), [("a", 0), ("b", 1), ("c", 3), ("d", 2)], "{kind}");
    }
}

#[test]
fn binary_values_of_a_fixed_size_are_texts_and_labels() {
    let codes: ArrayRef =
        Arc::new(FixedSizeBinaryArray::try_from_iter(["de", "fr", "\u{fc}", "de"].iter()).unwrap());
    let keys = Int32Array::from(vec![0, 1, 2, 0]);
    let dictionary: ArrayRef = Arc::new(DictionaryArray::new(keys, codes.clone()));
    let dir = TestDir::new();
    for column in [codes, dictionary] {
        let kind = column.data_type().to_string();
        let path = dir.write("a.parquet", write(vec![("text", column.clone())], None));
        assert_eq!(
            read_texts(&path, &ReadOptions::default()).unwrap().texts,
            ["de", "fr", "ü", "de"],
            "{kind}"
        );
        let dataset = read_content("a.parquet", labelled(column)).unwrap();
        assert_eq!(dataset.labels.names(), ["de", "fr", "ü"], "{kind}");
    }
    let uuids = FixedSizeBinaryArray::try_from_iter([[0xff_u8; 16]].iter()).unwrap();
    let found =
        message("a.parquet", write(vec![("text", Arc::new(uuids)), ("label", texts_of(&["a"]))], None));
    assert_eq!(found, "a.parquet: row 1, column \"text\" is not UTF-8");
}

#[test]
fn every_integer_type_is_a_label() {
    let dictionary = DictionaryArray::<Int8Type>::new(
        Int8Array::from(vec![0, 1, 1, 0]),
        Arc::new(Int64Array::from(vec![0, 1])),
    );
    let columns: [ArrayRef; 9] = [
        Arc::new(Int8Array::from(vec![0, 1, 1, 0])),
        Arc::new(Int16Array::from(vec![0, 1, 1, 0])),
        Arc::new(Int32Array::from(vec![0, 1, 1, 0])),
        Arc::new(Int64Array::from(vec![0, 1, 1, 0])),
        Arc::new(UInt8Array::from(vec![0, 1, 1, 0])),
        Arc::new(UInt16Array::from(vec![0, 1, 1, 0])),
        Arc::new(UInt32Array::from(vec![0, 1, 1, 0])),
        Arc::new(UInt64Array::from(vec![0, 1, 1, 0])),
        Arc::new(dictionary),
    ];
    for column in columns {
        let kind = column.data_type().to_string();
        let dataset =
            read_content("a.parquet", write(vec![("label", column), ("text", abcd())], None)).unwrap();
        assert_eq!(rows(&dataset), [("a", 0), ("b", 1), ("c", 1), ("d", 0)], "{kind}");
        assert_eq!(dataset.labels, Labels::numbered(2), "{kind}");
    }
}

#[test]
fn label_names_of_the_hub_are_used() {
    let dataset = read_content("a.parquet", hub_file(vec![0, 0])).unwrap();
    assert_eq!(dataset.labels.names(), ["neg", "pos"]);
    let broken = write(vec![("text", abcd()), ("label", abcd())], Some("{not json"));
    assert_eq!(read_content("a.parquet", broken).unwrap().labels.names(), ["a", "b", "c", "d"]);
}

#[test]
fn lists_of_every_type_are_multi_label_and_have_the_names_of_the_hub() {
    let mut numbers = ListBuilder::new(Int64Builder::new());
    for row in [&[1][..], &[], &[0, 1]] {
        numbers.values().append_slice(row);
        numbers.append(true);
    }
    let numbers: ArrayRef = Arc::new(numbers.finish());
    let large = |data_type| arrow_cast::cast(&numbers, &data_type).unwrap();
    let item = |data_type| Arc::new(Field::new_list_field(data_type, true));
    let features = FEATURES.replace(
        r#""label": {"names": ["neg", "pos"], "_type": "ClassLabel"}"#,
        r#""label": {"feature": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "_type": "List"}"#,
    );
    let texts = texts_of(&["a", "b", "c"]);
    for column in [
        numbers.clone(),
        large(DataType::LargeList(item(DataType::Int8))),
        large(DataType::List(item(DataType::Utf8))),
        large(DataType::List(item(DataType::LargeUtf8))),
    ] {
        let data_type = column.data_type().to_string();
        let is_text = data_type.contains("Utf8");
        let expected = if is_text { ["0", "1"] } else { ["LABEL_0", "LABEL_1"] };
        for (features, expected) in [(None, expected), (Some(features.as_str()), ["neg", "pos"])] {
            if is_text && features.is_some() {
                continue;
            }
            let file = write(vec![("text", texts.clone()), ("label", column.clone())], features);
            let dataset = read_content("a.parquet", file).unwrap();
            let ids = dataset.examples.iter().map(|example| example.target.label_ids()).collect::<Vec<_>>();
            assert_eq!(ids, [&[1][..], &[], &[0, 1]], "{data_type}");
            assert_eq!(dataset.labels.names(), expected, "{data_type}");
        }
    }
}

#[test]
fn nulls_in_lists_and_lists_of_other_types_are_errors() {
    let mut nulls = ListBuilder::new(Int64Builder::new());
    nulls.append_value([Some(1)]);
    nulls.append_value([Some(0), None]);
    let mut missing = ListBuilder::new(Int64Builder::new());
    missing.append_value([Some(1)]);
    missing.append(false);
    let mut dates = ListBuilder::new(Date32Builder::new());
    dates.append_value([Some(1)]);
    dates.append_value([Some(2)]);
    for (column, expected) in [
        (Arc::new(nulls.finish()) as ArrayRef, "row 2, column \"label\": found null, expected integers"),
        (Arc::new(missing.finish()), "row 2 has no label: column \"label\" is null"),
        (Arc::new(dates.finish()), "column \"label\" holds Date32, expected integers, text or booleans"),
    ] {
        let found =
            message("a.parquet", write(vec![("text", texts_of(&["a", "b"])), ("label", column)], None));
        assert!(found.starts_with(&format!("a.parquet: {expected}")), "{found}");
    }
}

#[test]
fn ids_are_mapped_by_name_to_the_labels_of_the_model() {
    let dir = TestDir::new();
    let path = dir.write("a.parquet", hub_file(vec![0, 1]));
    let read_with = |names: [&str; 2]| {
        let labels = Labels::new(names.map(str::to_owned).to_vec()).unwrap();
        read(&path, "", &ReadOptions::default(), Some(&labels)).unwrap().dataset
    };
    assert_eq!(rows(&read_with(["pos", "neg"])), [("0", 1), ("1", 0)]);
    assert_eq!(rows(&read_with(["LABEL_0", "LABEL_1"])), [("0", 0), ("1", 1)]);
}

#[test]
fn labels_without_a_name_are_errors() {
    assert_eq!(
        message("a.parquet", hub_file(vec![0, 1, 0, 1, 2])),
        "a.parquet: row 5: unknown label 2; the labels are \"neg\" (0), \"pos\" (1)"
    );
    let unlabelled = message("a.parquet", hub_file(vec![-1, -1]));
    assert!(unlabelled.starts_with("a.parquet: row 1 has no label: column \"label\" is -1"), "{unlabelled}");
}

#[test]
fn shards_with_different_label_names_are_an_error() {
    let dir = TestDir::new();
    dir.write("train-0-of-2.parquet", hub_file(vec![0, 1]));
    let swapped = FEATURES.replace(r#""neg", "pos""#, r#""pos", "neg""#);
    let label: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 1, 0]));
    dir.write("train-1-of-2.parquet", write(vec![("text", abcd()), ("label", label)], Some(&swapped)));
    let error = read(&dir.path(""), "train", &ReadOptions::default(), None).unwrap_err().to_string();
    assert!(
        error.contains("the label names are \"pos\", \"neg\", but \"neg\", \"pos\" in the shards before it"),
        "{error}"
    );
}

#[test]
fn unusable_columns_are_named() {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 1.0, 1.0, 0.0]));
    let nulls: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("c"), None]));
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![1, 2, 3, 4]));
    for (columns, expected) in [
        (
            vec![("review", abcd()), ("label", abcd())],
            "a.parquet: no column \"text\"; its columns are \"review\", \"label\"; did you mean \"review\"?",
        ),
        (vec![("text", abcd())], "a.parquet: no column \"label\"; its columns are \"text\""),
        (
            vec![("text", numbers), ("label", abcd())],
            "a.parquet: column \"text\" holds Float64, expected text",
        ),
        (
            vec![("text", abcd()), ("label", dates)],
            "a.parquet: column \"label\" holds Date32, expected integers, text or booleans",
        ),
        (vec![("text", nulls), ("label", abcd())], "a.parquet: row 4, column \"text\" is null"),
        (vec![("text", texts_of(&[])), ("label", texts_of(&[]))], "a.parquet: no rows"),
    ] {
        assert_eq!(message("a.parquet", write(columns, None)), expected);
    }
}

#[test]
fn invalid_utf8_is_an_error_with_the_row() {
    // Some writers store invalid UTF-8 in a text column. This changes one text of "xyz0" to "xyz9".
    let texts: Vec<String> = (0..10).map(|row| format!("xyz{row}")).collect();
    let good = write(
        vec![
            ("text", Arc::new(StringArray::from(texts)) as ArrayRef),
            ("label", Arc::new(Int64Array::from(vec![0; 10]))),
        ],
        None,
    );
    let mut corrupt = good.clone();
    let mut found = 0;
    for at in 0..good.len() - 4 {
        if &good[at..at + 4] == b"xyz7" {
            corrupt[at + 1] = 0xff;
            found += 1;
        }
    }
    assert!(found > 0);
    assert_eq!(message("a.parquet", corrupt), "a.parquet: row 8, column \"text\" is not UTF-8");
    let binary: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"ok", b"\xff", b"a", b"b"]));
    let binary = write(vec![("text", binary), ("label", abcd())], None);
    assert_eq!(message("a.parquet", binary), "a.parquet: row 2, column \"text\" is not UTF-8");
}

#[test]
fn a_truncated_file_is_an_error() {
    let complete = hub_file(vec![0, 1, 0, 1]);
    for length in [4, 5, 100, complete.len() / 2, complete.len() - 9, complete.len() - 1] {
        let found = message("a.parquet", &complete[..length]);
        assert!(found.starts_with("a.parquet: damaged or truncated: "), "{length}: {found}");
    }
}

#[test]
fn corrupt_bytes_never_panic_and_never_add_rows() {
    let dir = TestDir::new();
    let good = hub_file(vec![0, 1, 0, 1, 1, 0, 1]);
    let path = dir.path("a.parquet");
    let mut rejected = 0;
    for at in 4..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut corrupt = good.clone();
            corrupt[at] ^= flip;
            std::fs::write(&path, corrupt).unwrap();
            let read: Result<LoadedDataset, DataError> = read(&path, "train", &ReadOptions::default(), None);
            match read {
                Ok(read) => assert!(read.dataset.len() <= 7, "byte {at}"),
                Err(_) => rejected += 1,
            }
        }
    }
    assert!(rejected > good.len(), "only {rejected} of {} were rejected", 3 * good.len());
}

#[test]
fn an_unsupported_codec_is_named() {
    const LZO: u8 = 6;
    let mut file = labelled(Arc::new(Int64Array::from(vec![0, 1])));
    // The column metadata in Thrift's compact protocol: the end of `path_in_schema`, then the codec (0: none).
    let metadata = b"\x19\x18\x04text\x15\x00";
    let at = file.windows(metadata.len()).position(|bytes| bytes == metadata).unwrap();
    file[at + metadata.len() - 1] = LZO;
    assert_eq!(
        message("a.parquet", file),
        "a.parquet: compressed with LZO, which is not supported; write it with snappy, gzip, zstd, lz4, brotli or no \
         compression"
    );
}

#[test]
fn a_label_map_renames_the_labels_of_the_hub_by_name_or_by_id() {
    for (map, names) in [
        ("0=bad,1=good", ["bad", "good"]),
        ("neg=bad,pos=good", ["bad", "good"]),
        ("pos=good,neg=bad", ["good", "bad"]),
        ("0=neg,1=pos", ["neg", "pos"]),
    ] {
        let options = ReadOptions {
            label_map: Some(map.parse().unwrap()),
            drop_unlabelled: true,
            ..ReadOptions::default()
        };
        let dataset = read_with("a.parquet", hub_file(vec![1, -1, 0]), &options, None).unwrap().dataset;
        assert_eq!(dataset.labels.names(), names, "{map}");
        let found = rows(&dataset).into_iter().map(|(text, id)| (text, names[id])).collect::<Vec<_>>();
        let [neg, pos] = if map.contains("good") { ["bad", "good"] } else { names };
        assert_eq!(found, [("0", pos), ("2", neg)], "{map}");
    }
}
