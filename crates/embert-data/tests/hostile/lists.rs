//! Lists of labels in Arrow IPC files: a dictionary stores a long text once for many labels.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, FixedSizeListArray, Int32Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Field;
use embert_hostile::{FuzzTarget, MemoryBound, damaged};

use crate::open;

/// Returns a stream of one row with a list of the same text.
fn stream(length: usize, count: usize) -> Vec<u8> {
    let keys = Int32Array::from(vec![0; count]);
    let texts = Arc::new(StringArray::from(vec!["x".repeat(length)]));
    let values: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys, texts));
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let lists: ArrayRef = Arc::new(FixedSizeListArray::new(field, count as i32, values, None));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let batch = RecordBatch::try_from_iter([("text", texts), ("label", lists)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn lists_of_a_long_text_are_rejected_within_the_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let limit = MemoryBound { times: 2048, plus: 224 << 20 };
    let mut target = FuzzTarget::new(folder.path().join("hostile.arrow"), open).within(limit);
    target.file("a list of a hundred short texts", stream(10, 100)).unwrap();
    let error = target.refused("a list of sixty thousand texts of 64 KiB", stream(64 << 10, 60_000));
    assert!(error.contains("as in a decompression bomb"), "{error}");
    target.mutations(damaged(&stream(5, 3), 1000, 1));
    println!("{}", target.finish(2, 1000));
}
