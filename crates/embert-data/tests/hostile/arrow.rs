//! Malformed arrow files and streams: truncated or mutated messages, and decompression bombs.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, LargeStringArray, NullArray, RecordBatch,
    RecordBatchOptions, StringArray, StringViewArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use embert_hostile::{FuzzTarget, MemoryBound, damaged};

use crate::open;

/// The limits of the README: 64 MiB of rows, with one batch several times in memory.
const LIMIT: MemoryBound = MemoryBound { times: 2048, plus: 256 << 20 };

fn batch(texts: ArrayRef, labels: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("text", texts), ("label", labels)]).unwrap()
}

fn some_rows() -> RecordBatch {
    let texts = (0..40).map(|row| format!("text {} of some é 電影", row % 7)).collect::<Vec<_>>();
    let labels = (0..40).map(|row| row % 2).collect::<Vec<i64>>();
    batch(Arc::new(StringArray::from(texts)), Arc::new(Int64Array::from(labels)))
}

fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::default().try_with_compression(compression).unwrap()
}

fn stream(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer =
        StreamWriter::try_new_with_options(&mut out, &batch.schema(), options(compression)).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

fn file(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer =
        FileWriter::try_new_with_options(&mut out, &batch.schema(), options(compression)).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

/// Returns rows with the same text, which the file stores once.
fn repeated_text(length: usize, rows: usize) -> RecordBatch {
    let text = StringArray::from(vec!["x".repeat(length)]);
    let texts = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![0; rows]), Arc::new(text));
    batch(Arc::new(texts), Arc::new(Int64Array::from(vec![1; rows])))
}

#[test]
fn decompression_bombs_are_rejected_within_the_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.arrow"), open).within(LIMIT);
    let zstd = Some(CompressionType::ZSTD);
    let long =
        batch(Arc::new(StringArray::from(vec!["x".repeat(80 << 20)])), Arc::new(Int64Array::from(vec![1])));
    let rows = 10_000_000;
    let nulls = RecordBatch::try_new_with_options(
        Arc::new(Schema::new(vec![
            Field::new("text", DataType::Null, true),
            Field::new("label", DataType::Null, true),
        ])),
        vec![Arc::new(NullArray::new(rows)), Arc::new(NullArray::new(rows))],
        &RecordBatchOptions::new(),
    );
    for (what, content) in [
        ("a text of 80 MiB", stream(&long, zstd)),
        ("6 GiB of one text", file(&repeated_text(64 << 10, 100_000), zstd)),
        ("ten million null rows", stream(&nulls.unwrap(), None)),
    ] {
        assert!(content.len() < 500_000, "{what}: {} bytes", content.len());
        let error = target.refused(what, content);
        assert!(error.contains("as in a decompression bomb"), "{what}: {error}");
    }
    let mut lie = stream(&some_rows(), Some(CompressionType::LZ4_FRAME));
    let at = lie.windows(4).position(|bytes| bytes == b"\x04\x22\x4d\x18").unwrap(); // the start of an LZ4 frame
    lie[at - 8..at].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let error = target.refused("a buffer that claims a terabyte", lie);
    assert!(error.contains("as in a decompression bomb"), "{error}");
    target.file("ten thousand rows of one text", stream(&repeated_text(1000, 10_000), zstd)).unwrap();
    println!("{}", target.finish(5, 0));
}

#[test]
fn valid_files_are_read_and_invalid_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.arrow"), open).within(LIMIT);
    let (good, labels): (_, ArrayRef) = (some_rows(), Arc::new(Int64Array::from(vec![0, 1])));
    for (what, content) in [
        ("a stream", stream(&good, None)),
        ("a file", file(&good, None)),
        ("lz4", file(&good, Some(CompressionType::LZ4_FRAME))),
        ("zstd", stream(&good, Some(CompressionType::ZSTD))),
        ("a stream without an end", stream(&good, None)[..stream(&good, None).len() - 8].to_vec()),
        ("large text", file(&batch(Arc::new(LargeStringArray::from(vec!["a", "b"])), labels.clone()), None)),
        ("views", file(&batch(Arc::new(StringViewArray::from(vec!["a", "b"])), labels.clone()), None)),
    ] {
        target.file(what, content).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let content = stream(&good, None);
    let length = |length: u32| [&[0xff; 4][..], &length.to_le_bytes(), &content[8..]].concat();
    for (what, content, expected) in [
        ("an empty file", vec![], "no rows"),
        ("no rows", stream(&good.slice(0, 0), None), "no rows"),
        (
            "swapped columns",
            stream(&batch(labels.clone(), texts.clone()), None),
            "column \"text\" holds Int64",
        ),
        ("only the magic bytes", b"ARROW1\0\0".to_vec(), "the first message is not a schema"),
        ("feather version 1", b"FEA1abcdefgh".to_vec(), "a feather file of version 1"),
        ("csv", b"text,label\na,1\n".to_vec(), "damaged or truncated"),
        ("parquet", b"PAR1".to_vec(), "a parquet file; name it .parquet"),
        ("a length beyond the file", length(u32::MAX), "the stream ends within a message"),
        ("a length of one", length(1), "damaged or truncated"),
        ("zeros", vec![0; 4096], "the first message is not a schema"),
        ("half a file", content[..content.len() / 2].to_vec(), "the stream ends within a message"),
    ] {
        let error = target.refused(what, content);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(18, 0));
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.arrow"), open).within(LIMIT);
    let dictionary = repeated_text(10, 5);
    let views = batch(
        Arc::new(StringViewArray::from(vec!["short", "a text that is too long for a view"])),
        Arc::new(Int64Array::from(vec![0, 1])),
    );
    let contents = [
        stream(&some_rows(), None),
        file(&some_rows(), None),
        stream(&some_rows(), Some(CompressionType::LZ4_FRAME)),
        file(&some_rows(), Some(CompressionType::ZSTD)),
        stream(&dictionary, None),
        file(&views, None),
    ];
    for (seed, content) in (50..).zip(contents) {
        target.mutations(damaged(&content, 800, seed));
    }
    println!("{}", target.finish(0, 4800));
}
