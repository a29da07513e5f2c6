//! Tables that are read in chunks and written one after the other.

use std::path::Path;

use embert_data::{Column, DataError, ReadOptions, Table, TableReader, TableWriter, read_table};

use crate::{TestDir, is_supported};

const ROWS: usize = 10_000;

/// Returns a file with rows of several types. The key `late` exists only in the last rows.
fn jsonl_file() -> String {
    let row = |row: usize| {
        let late = if row > 9000 { ",\"late\":[1,{\"a\":null}]" } else { "" };
        let score = if row == 9999 { "2.5".to_owned() } else { row.to_string() };
        format!("{{\"id\":{row},\"text\":\"text \\u00e9 {row}\",\"score\":{score}{late}}}\n\n")
    };
    (0..ROWS).map(row).collect()
}

fn copy(input: &Path, output: &Path) -> Result<usize, DataError> {
    let mut writer = TableWriter::create(output)?;
    let mut tables = 0;
    for table in TableReader::open(input, &ReadOptions::default())? {
        let table = table?;
        assert!((1..=4096).contains(&table.rows()));
        writer.write(&table)?;
        tables += 1;
    }
    writer.finish()?;
    Ok(tables)
}

/// Returns the bytes of a file of text, or the rows of another file as jsonl: its batches may have other sizes.
fn rows_of(path: &Path) -> Vec<u8> {
    if path.extension().is_some_and(|extension| extension != "parquet" && extension != "arrow") {
        return std::fs::read(path).unwrap();
    }
    let mut out = Vec::new();
    read_table(path, &ReadOptions::default()).unwrap().0.write_jsonl(&mut out).unwrap();
    out
}

#[test]
fn streaming_writes_the_same_as_the_complete_table_in_every_pair_of_formats() {
    let dir = TestDir::new();
    let input = dir.write("in.jsonl", jsonl_file());
    let (complete, _) = read_table(&input, &ReadOptions::default()).unwrap();
    assert_eq!(complete.column_names().collect::<Vec<_>>(), ["id", "text", "score", "late"]);
    let formats = ["csv", "tsv", "psv", "jsonl", "parquet", "arrow"].into_iter();
    let formats = formats.filter(|format| is_supported(&format!("a.{format}"))).collect::<Vec<_>>();
    for from in &formats {
        let source = dir.path(&format!("source.{from}"));
        complete.write(&source).unwrap();
        for to in &formats {
            let (streamed, whole) = (dir.path(&format!("streamed.{to}")), dir.path(&format!("whole.{to}")));
            assert_eq!(copy(&source, &streamed).unwrap(), 3, "{from} to {to}");
            read_table(&source, &ReadOptions::default()).unwrap().0.write(&whole).unwrap();
            assert!(rows_of(&streamed) == rows_of(&whole), "{from} to {to}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn types_of_json_are_those_of_the_complete_file() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    let dir = TestDir::new();
    let input = dir.write("in.jsonl", jsonl_file());
    copy(&input, &dir.path("out.parquet")).unwrap();
    let file = std::fs::File::open(dir.path("out.parquet")).unwrap();
    let mut batches = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, ROWS).unwrap();
    let batch = batches.next().unwrap().unwrap();
    let types = batch.schema().fields().iter().map(|field| field.data_type().to_string()).collect::<Vec<_>>();
    assert_eq!(types, ["Int64", "Utf8", "Float64", "Utf8"]);
    assert_eq!(batch["score"].as_primitive::<Float64Type>().value(9999), 2.5);
}

#[test]
fn several_json_files_have_the_keys_of_all() {
    let dir = TestDir::new();
    dir.write("in/a.jsonl", "{\"text\": \"a\", \"v\": 1}\n");
    dir.write("in/b.json", "[{\"v\": 0.5, \"more\": true}]");
    copy(&dir.path("in"), &dir.path("out.jsonl")).unwrap();
    let expected = "{\"text\":\"a\",\"v\":1,\"more\":null}\n{\"text\":null,\"v\":0.5,\"more\":true}\n";
    assert_eq!(std::fs::read_to_string(dir.path("out.jsonl")).unwrap(), expected);
    if is_supported("out.parquet") {
        copy(&dir.path("in"), &dir.path("out.parquet")).unwrap();
        let expected = "{\"text\":\"a\",\"v\":1.0,\"more\":null}\n{\"text\":null,\"v\":0.5,\"more\":true}\n";
        assert_eq!(String::from_utf8(rows_of(&dir.path("out.parquet"))).unwrap(), expected);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_value_that_does_not_fit_its_column_is_an_error_and_leaves_no_file() {
    let dir = TestDir::new();
    let table = |name: &str, value: &str| {
        let path = dir.write(name, format!("{{\"v\": 1}}\n{{\"v\": {value}}}\n"));
        read_table(&path, &ReadOptions::default()).unwrap().0
    };
    for output in ["out.parquet", "out.arrow"] {
        let mut writer = TableWriter::create(&dir.path(output)).unwrap();
        writer.write(&table("a.jsonl", "2")).unwrap();
        let error = writer.write(&table("b.jsonl", "\"x\"")).unwrap_err().to_string();
        assert!(
            error.contains("b.jsonl: row 2, column \"v\": found \"x\", expected a value of the type"),
            "{error}"
        );
        assert!(writer.write(&table("a.jsonl", "2")).is_err());
        assert!(writer.finish().is_err());
        assert!(!dir.path(output).exists());
    }
    assert_eq!(std::fs::read_dir(dir.path("")).unwrap().count(), 2);
}

#[test]
fn other_columns_are_an_error() {
    let table = |name: &str| Table::default().with_column(name, Column::Number(vec![1.0]));
    let mut out = Vec::new();
    let mut writer = TableWriter::jsonl(&mut out);
    writer.write(&table("a")).unwrap();
    let error = writer.write(&table("b")).unwrap_err().to_string();
    assert_eq!(error, "output: the columns of a table are \"b\", but \"a\" in the tables before it");
    writer.write(&table("a")).unwrap();
    writer.finish().unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":1.0}\n{\"a\":1.0}\n");
}

#[test]
fn a_writer_that_is_not_finished_changes_nothing() {
    let dir = TestDir::new();
    let path = dir.write("out.csv", "before");
    let mut writer = TableWriter::create(&path).unwrap();
    writer.write(&Table::default().with_column("a", Column::Number(vec![1.0]))).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(std::fs::read_dir(dir.path("")).unwrap().count(), 1);
}

#[test]
fn rows_keep_their_numbers_in_later_chunks() {
    let dir = TestDir::new();
    let mut csv = "text,label\n".to_owned();
    (0..9000).for_each(|row| csv += &format!("text {row},{}\n", row % 2));
    let bad = csv.clone() + "a,b,c\n";
    let tables = TableReader::open(&dir.write("a.csv", bad), &ReadOptions::default()).unwrap();
    let results = tables.collect::<Vec<_>>();
    assert_eq!(results.len(), 3);
    let error = results[2].as_ref().unwrap_err().to_string();
    assert!(error.contains("row 9001: found 3 cells"), "{error}");
    let jsonl = (0..9000).map(|row| if row == 8000 { "{\"text\":null}\n\n" } else { "{\"text\":\"a\"}\n" });
    let path = dir.write("a.jsonl", jsonl.collect::<String>());
    let tables = TableReader::open(&path, &ReadOptions::default()).unwrap();
    let errors = tables.filter_map(|table| table.unwrap().texts(&ReadOptions::default()).err());
    let errors = errors.map(|error| error.to_string()).collect::<Vec<_>>();
    assert!(errors.len() == 1 && errors[0].contains("row 8001, column \"text\" is null"), "{errors:?}");
}

#[test]
fn notes_are_complete_after_the_last_table() {
    let dir = TestDir::new();
    let path = dir.write("a.csv", "text\n\"a\nb\"\nc\n");
    let mut tables = TableReader::open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(tables.by_ref().count(), 1);
    let notes = tables.take_notes();
    assert!(notes.len() == 1 && notes[0].to_string().contains("quotes make 1 row span"), "{notes:?}");
}

#[cfg(feature = "parquet")]
#[test]
fn arrow_streams_are_written_and_read() {
    let dir = TestDir::new();
    let input = dir.write("in.jsonl", jsonl_file());
    let mut out = Vec::new();
    let mut writer = TableWriter::arrow_stream(&mut out);
    for table in TableReader::open(&input, &ReadOptions::default()).unwrap() {
        writer.write(&table.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let mut copy = TableWriter::create(&dir.path("out.csv")).unwrap();
    let mut rows = 0;
    for table in TableReader::arrow_stream(std::io::Cursor::new(out.clone())).unwrap() {
        let table = table.unwrap();
        rows += table.rows();
        assert_eq!(table.texts(&ReadOptions::default()).unwrap().texts.len(), table.rows());
        copy.write(&table).unwrap();
    }
    copy.finish().unwrap();
    assert_eq!(rows, ROWS);
    read_table(&input, &ReadOptions::default()).unwrap().0.write(&dir.path("whole.arrow")).unwrap();
    read_table(&dir.path("whole.arrow"), &ReadOptions::default())
        .unwrap()
        .0
        .write(&dir.path("whole.csv"))
        .unwrap();
    let read = |name: &str| std::fs::read(dir.path(name)).unwrap();
    assert!(read("out.csv") == read("whole.csv"));
    let cut = TableReader::arrow_stream(std::io::Cursor::new(out[..out.len() / 2].to_vec())).unwrap();
    let error = cut.filter_map(Result::err).next().unwrap().to_string();
    assert!(error.contains("the stream ends within a message"), "{error}");
    assert!(TableReader::arrow_stream(&b"text,label\n"[..]).is_err());
}

#[cfg(feature = "parquet")]
#[test]
fn dictionaries_of_parquet_are_written_to_every_format() {
    use arrow_array::DictionaryArray;
    use arrow_array::types::Int32Type;
    let dir = TestDir::new();
    let texts = (0..5000).map(|row| ["x", "y", "z"][row % 3]);
    let column: DictionaryArray<Int32Type> = texts.clone().map(Some).collect();
    dir.write("in.parquet", crate::parquet_files::write(vec![("text", std::sync::Arc::new(column))], None));
    for name in ["out.arrow", "out.parquet", "out.csv"] {
        copy(&dir.path("in.parquet"), &dir.path(name)).unwrap();
        let (table, _) = read_table(&dir.path(name), &ReadOptions::default()).unwrap();
        let found = table.texts(&ReadOptions::default()).unwrap().texts;
        assert!(found.iter().map(String::as_str).eq(texts.clone()), "{name}");
    }
}

#[test]
fn a_table_without_rows_has_no_tables() {
    let dir = TestDir::new();
    let tables = TableReader::open(&dir.write("a.csv", "text,label\n"), &ReadOptions::default()).unwrap();
    assert_eq!(tables.count(), 0);
    for name in ["a.jsonl", "a.csv", "a.parquet", "a.arrow"].into_iter().filter(|name| is_supported(name)) {
        TableWriter::create(&dir.path(name)).unwrap().finish().unwrap();
        assert!(dir.path(name).exists());
    }
}
