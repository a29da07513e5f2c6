//! Tables of results, written and read again.

use embert_data::{Column, Columns, DataError, ReadOptions, Table, read_texts};

use crate::{Place, is_built};

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
    for name in ["out.jsonl", "out.csv", "out.tsv", "out.parquet"].into_iter().filter(|name| is_built(name)) {
        results().write(&place.path(name)).unwrap();
        let columns = Columns { text: "label".into(), ..Columns::default() };
        let options = ReadOptions { columns, ..ReadOptions::default() };
        assert_eq!(read_texts(&place.path(name), &options).unwrap().0, ["pos", "a \"b\",\nc\té"], "{name}");
    }
}

#[cfg(feature = "parquet")]
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
    assert!(
        unknown.ends_with("unknown extension \"txt\"; supported are .parquet, .csv, .tsv, .jsonl"),
        "{unknown}"
    );
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

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_has_the_mode_of_any_new_file_and_an_old_one_keeps_its_own() {
        let place = Place::new();
        let other = place.file("other", "");
        results().write(&place.path("out.csv")).unwrap();
        assert_eq!(mode(&place.path("out.csv")), mode(&other));
        for kept in [0o600, 0o640, 0o664] {
            fs::set_permissions(place.path("out.csv"), fs::Permissions::from_mode(kept)).unwrap();
            results().write(&place.path("out.csv")).unwrap();
            assert_eq!(mode(&place.path("out.csv")), kept);
        }
    }

    #[test]
    fn the_target_of_a_link_is_replaced_and_the_link_stays() {
        let place = Place::new();
        place.file("data/old.csv", "old");
        for (link, target) in
            [("old.csv", "data/old.csv"), ("new.csv", "data/new.csv"), ("twice.csv", "old.csv")]
        {
            symlink(target, place.path(link)).unwrap();
            Table::require_writable(&place.path(link)).unwrap();
            results().write(&place.path(link)).unwrap();
            assert!(fs::symlink_metadata(place.path(link)).unwrap().is_symlink(), "{link}");
            assert!(fs::read_to_string(place.path(target)).unwrap().starts_with("label,score"), "{link}");
        }
        assert_eq!(fs::read_dir(place.path("data")).unwrap().count(), 2);
        symlink("loop.csv", place.path("loop.csv")).unwrap();
        assert!(results().write(&place.path("loop.csv")).is_err());
    }

    #[test]
    fn what_cannot_be_written_is_reported_before() {
        let place = Place::new();
        fs::create_dir(place.path("folder.csv")).unwrap();
        let kept = place.file("kept.csv", "kept");
        for (path, expected) in [
            (place.path("folder.csv"), "folder.csv: is a directory"),
            (place.path("no/such/out.csv"), "no/such: "),
            (place.path("out.txt"), "unknown extension \"txt\""),
        ] {
            let error = Table::require_writable(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        Table::require_writable(&kept).unwrap();
        Table::require_writable(&place.path("new.csv")).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
        assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 2);
    }

    #[test]
    fn missing_permissions_are_reported_before() {
        let place = Place::new();
        let file = place.file("file.csv", "kept");
        let inside = place.file("closed/out.csv", "kept").with_file_name("new.csv");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        if fs::OpenOptions::new().append(true).open(&file).is_err() {
            // not the superuser, who may write anything
            assert!(matches!(Table::require_writable(&file), Err(DataError::Io { .. })));
            assert!(matches!(Table::require_writable(&inside), Err(DataError::Io { .. })));
        }
        fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
