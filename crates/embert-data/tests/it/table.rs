//! Tables of results, written and read again.

use embert_data::{Column, DataError, Table, read_texts};

use crate::Place;

fn results() -> Table {
    Table::default()
        .with_column("label", Column::Text(vec!["pos".into(), "a \"b\",\nc\té".into()]))
        .with_column("score", Column::Number(vec![0.9, 0.75]))
        .with_column("scores", Column::Numbers(vec![vec![0.1, 0.9], vec![]]))
}

#[test]
fn jsonl_has_an_object_for_each_row_in_the_order_of_the_columns() {
    let mut out = Vec::new();
    results().write_jsonl(&mut out).unwrap();
    let expected = concat!(
        "{\"label\":\"pos\",\"score\":0.9,\"scores\":[0.1,0.9]}\n",
        "{\"label\":\"a \\\"b\\\",\\nc\\té\",\"score\":0.75,\"scores\":[]}\n",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn csv_and_tsv_hold_lists_as_json() {
    let place = Place::new();
    results().write(&place.path("out.csv")).unwrap();
    results().write(&place.path("out.tsv")).unwrap();
    assert_eq!(
        std::fs::read_to_string(place.path("out.csv")).unwrap(),
        "label,score,scores\npos,0.9,\"[0.1,0.9]\"\n\"a \"\"b\"\",\nc\té\",0.75,[]\n"
    );
    assert_eq!(
        std::fs::read_to_string(place.path("out.tsv")).unwrap(),
        "label\tscore\tscores\npos\t0.9\t[0.1,0.9]\n\"a \"\"b\"\",\nc\té\"\t0.75\t[]\n"
    );
}

#[test]
fn every_format_gives_the_texts_back() {
    let place = Place::new();
    for name in ["out.jsonl", "out.csv", "out.tsv", "out.parquet"] {
        results().write(&place.path(name)).unwrap();
        assert_eq!(read_texts(&place.path(name), "label").unwrap(), ["pos", "a \"b\",\nc\té"], "{name}");
    }
}

#[test]
fn parquet_holds_numbers_as_numbers_and_lists_as_lists() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    let place = Place::new();
    results().write(&place.path("out.parquet")).unwrap();
    let file = std::fs::File::open(place.path("out.parquet")).unwrap();
    let mut batches = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10).unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert_eq!(batch["score"].as_primitive::<Float32Type>().values()[..], [0.9, 0.75]);
    let lists = batch["scores"].as_list::<i32>();
    assert_eq!(lists.value(0).as_primitive::<Float32Type>().values()[..], [0.1, 0.9]);
    assert_eq!(lists.value_length(1), 0);
}

#[test]
fn a_file_is_replaced_whole_and_nothing_else_is_left_behind() {
    let place = Place::new();
    let path = place.file("out.jsonl", "something longer than what comes ".repeat(50));
    results().write(&path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\"label\":\"pos\""));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_table_that_cannot_be_written_says_why() {
    let place = Place::new();
    let unknown = results().write(&place.path("out.txt")).unwrap_err().to_string();
    assert!(unknown.ends_with("extension \"txt\" is none of .parquet, .csv, .tsv, .jsonl"), "{unknown}");
    let nowhere = results().write(&place.path("no/such/out.csv"));
    assert!(matches!(nowhere, Err(DataError::Io { .. })));
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0);
}

#[test]
#[should_panic(expected = "column \"b\" has another number of rows")]
fn columns_of_different_length_are_a_bug() {
    let _ =
        Table::default().with_column("a", Column::Number(vec![1.0])).with_column("b", Column::Number(vec![]));
}
