//! Malformed parquet files: truncated or mutated files, decompression bombs, nested or duplicate columns.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Int32Array, Int64Array, RecordBatch,
    StringArray, StructArray,
};
use arrow_schema::{DataType, Field, Schema};
use embert_hostile::{FuzzTarget, MemoryBound, damaged};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};

use crate::open;

/// The limits of the README: 64 MiB of rows, with one batch twice in memory.
const LIMIT: MemoryBound = MemoryBound { times: 2048, plus: 224 << 20 };

fn write(batch: &RecordBatch, compression: Compression, version: WriterVersion) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .set_max_row_group_row_count(Some(1 << 20))
        .build();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn batch(texts: ArrayRef, labels: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("text", texts), ("label", labels)]).unwrap()
}

fn some_rows() -> RecordBatch {
    let texts = (0..40).map(|row| format!("text {} of some é 電影", row % 7)).collect::<Vec<_>>();
    let labels = (0..40).map(|row| row % 2).collect::<Vec<i64>>();
    batch(Arc::new(StringArray::from(texts)), Arc::new(Int64Array::from(labels)))
}

const COMPRESSIONS: [Compression; 3] = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::LZ4_RAW];

fn gzip() -> Compression {
    Compression::GZIP(parquet::basic::GzipLevel::default())
}

fn zstd() -> Compression {
    Compression::ZSTD(parquet::basic::ZstdLevel::default())
}

/// Returns rows with the same text, which a parquet file stores once.
fn repeated_text(length: usize, rows: usize) -> RecordBatch {
    let text = StringArray::from(vec!["x".repeat(length)]);
    let keys = Int32Array::from(vec![0; rows]);
    let texts = DictionaryArray::<Int32Type>::new(keys, Arc::new(text));
    batch(Arc::new(texts), Arc::new(BooleanArray::from(vec![true; rows])))
}

/// Returns one row with a list of the same text, which a parquet file stores once.
fn repeated_in_list(length: usize, count: i32) -> RecordBatch {
    let texts = StringArray::from(vec!["x".repeat(length)]);
    let keys = Int32Array::from(vec![0; count as usize]);
    let values = DictionaryArray::<Int32Type>::new(keys, Arc::new(texts));
    list_of(Arc::new(values))
}

/// Returns one row with a list of these values.
fn list_of(values: ArrayRef) -> RecordBatch {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let lists = FixedSizeListArray::new(field, values.len() as i32, values, None);
    batch(Arc::new(StringArray::from(vec!["a"])), Arc::new(lists))
}

/// Returns rows with lists of names.
fn some_lists() -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..40 {
        lists.append_value(["joy", "love", "anger"].iter().cycle().skip(row).take(row % 4).map(Some));
    }
    let texts = (0..40).map(|row| format!("text {row}")).collect::<Vec<_>>();
    batch(Arc::new(StringArray::from(texts)), Arc::new(lists.finish()))
}

#[test]
fn decompression_bombs_are_rejected_within_the_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.parquet"), open).within(LIMIT);
    let long =
        batch(Arc::new(StringArray::from(vec!["x".repeat(80 << 20)])), Arc::new(Int64Array::from(vec![1])));
    let bombs = [
        ("a text of 80 MiB", write(&long, zstd(), WriterVersion::PARQUET_1_0)),
        ("a text of 80 MiB in a page of version 2", write(&long, zstd(), WriterVersion::PARQUET_2_0)),
        ("6 GiB of one text", write(&repeated_text(64 << 10, 100_000), zstd(), WriterVersion::PARQUET_1_0)),
        (
            "a list of three million zeros",
            write(
                &list_of(Arc::new(Int64Array::from(vec![0; 3_000_000]))),
                zstd(),
                WriterVersion::PARQUET_1_0,
            ),
        ),
        (
            "a list of a hundred thousand texts of 64 KiB",
            write(&repeated_in_list(64 << 10, 100_000), zstd(), WriterVersion::PARQUET_2_0),
        ),
        ("two million empty rows", write(&repeated_text(0, 2_000_000), zstd(), WriterVersion::PARQUET_2_0)),
    ];
    drop(long);
    for (what, file) in bombs {
        assert!(file.len() < 200_000, "{what}: {} bytes", file.len());
        let error = target.refused(what, file);
        assert!(error.contains("as in a decompression bomb"), "{what}: {error}");
    }
    let repeated = write(&repeated_text(1000, 10_000), zstd(), WriterVersion::PARQUET_1_0);
    target.file("ten thousand rows of one text", repeated).unwrap();
    let list = write(&repeated_in_list(10, 10_000), zstd(), WriterVersion::PARQUET_1_0);
    target.file("a list of ten thousand texts", list).unwrap();
    println!("{}", target.finish(8, 0));
}

#[test]
fn valid_files_are_read_and_invalid_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.parquet"), open).within(LIMIT);
    let plain = |batch: &RecordBatch| write(batch, Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0);
    target.file("an ordinary file", plain(&some_rows())).unwrap();
    target.file("lists of names", plain(&some_lists())).unwrap();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![0, 1]));
    let no_rows = batch(texts.slice(0, 0), labels.slice(0, 0));
    let inner = Arc::new(Field::new("text", DataType::Utf8, false));
    let nested: ArrayRef = Arc::new(StructArray::from(vec![(inner, texts.clone())]));
    let duplicate = Schema::new(
        ["text", "text", "label"]
            .map(|name| match name {
                "label" => Field::new(name, DataType::Int64, false),
                _ => Field::new(name, DataType::Utf8, false),
            })
            .to_vec(),
    );
    let duplicate =
        RecordBatch::try_new(Arc::new(duplicate), vec![texts.clone(), texts.clone(), labels.clone()])
            .unwrap();
    let good = plain(&some_rows());
    let footer = |length: u32| [&good[..good.len() - 8], &length.to_le_bytes(), b"PAR1"].concat();
    for (what, file, expected) in [
        ("an empty file", vec![], "no rows"),
        ("no rows", plain(&no_rows), "no rows"),
        ("a nested column", plain(&batch(nested, labels.clone())), "column \"text\" holds Struct"),
        ("a duplicate column", plain(&duplicate), "two columns are called \"text\""),
        ("swapped columns", plain(&batch(labels.clone(), texts.clone())), "column \"text\" holds Int64"),
        ("only the magic bytes", b"PAR1".to_vec(), "damaged or truncated"),
        ("the magic bytes twice", b"PAR1PAR1".to_vec(), "damaged or truncated"),
        ("no magic bytes at the end", good[..good.len() - 4].to_vec(), "damaged or truncated"),
        ("encrypted", [&good[..good.len() - 4], b"PARE"].concat(), "damaged or truncated"),
        ("a footer of no bytes", footer(0), "damaged or truncated"),
        ("a footer beyond the file", footer(u32::MAX), "damaged or truncated"),
        ("a footer as long as the file", footer(good.len() as u32 - 8), "damaged or truncated"),
        ("magic bytes of another format", b"RIFF    WAVE".to_vec(), "does not begin with PAR1"),
        ("an HTML page", b"<!doctype html>".to_vec(), "an HTML page"),
        ("zeros", [&b"PAR1"[..], &[0; 4096], b"PAR1"].concat(), "damaged or truncated"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(17, 0));
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.parquet"), open).within(LIMIT);
    for (seed, compression) in (0..).zip(COMPRESSIONS.into_iter().chain([gzip(), zstd()])) {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            target.mutations(damaged(&write(&some_rows(), compression, version), 500, seed));
            target.mutations(damaged(&write(&some_lists(), compression, version), 200, seed));
        }
    }
    println!("{}", target.finish(0, 7000));
}
