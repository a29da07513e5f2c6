//! Tables of results: written, then read again.

use embert_data::{Column, Columns, DataError, ReadOptions, Table, read_texts};

use crate::{TestDir, is_supported};

fn results() -> Table {
    Table::default()
        .with_column("label", Column::Text(vec!["pos".into(), "a \"b\",\nc\té".into()]))
        .with_column("score", Column::Number(vec![0.9, 0.75]))
        .with_column("scores", Column::Numbers(vec![vec![0.1, 0.9], vec![]]))
}

#[test]
fn jsonl_has_one_object_per_row_in_column_order() {
    let mut out = Vec::new();
    results().write_jsonl(&mut out).unwrap();
    let expected = concat!(
        "{\"label\":\"pos\",\"score\":0.9,\"scores\":[0.1,0.9]}\n",
        "{\"label\":\"a \\\"b\\\",\\nc\\té\",\"score\":0.75,\"scores\":[]}\n",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn csv_and_tsv_store_lists_as_json() {
    let dir = TestDir::new();
    results().write(&dir.path("out.csv")).unwrap();
    results().write(&dir.path("out.tsv")).unwrap();
    assert_eq!(
        std::fs::read_to_string(dir.path("out.csv")).unwrap(),
        "label,score,scores\npos,0.9,\"[0.1,0.9]\"\n\"a \"\"b\"\",\nc\té\",0.75,[]\n"
    );
    assert_eq!(
        std::fs::read_to_string(dir.path("out.tsv")).unwrap(),
        "label\tscore\tscores\npos\t0.9\t[0.1,0.9]\n\"a \"\"b\"\",\nc\té\"\t0.75\t[]\n"
    );
}

#[test]
fn texts_survive_a_round_trip_in_every_format() {
    let dir = TestDir::new();
    for name in
        ["out.jsonl", "out.csv", "out.tsv", "out.parquet"].into_iter().filter(|name| is_supported(name))
    {
        results().write(&dir.path(name)).unwrap();
        let columns = Columns::new("label", "label");
        let options = ReadOptions { columns, ..ReadOptions::default() };
        assert_eq!(read_texts(&dir.path(name), &options).unwrap().texts, ["pos", "a \"b\",\nc\té"], "{name}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_stores_numbers_and_lists_in_their_types() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    let dir = TestDir::new();
    results().write(&dir.path("out.parquet")).unwrap();
    let file = std::fs::File::open(dir.path("out.parquet")).unwrap();
    let mut batches = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10).unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert_eq!(batch["score"].as_primitive::<Float32Type>().values()[..], [0.9, 0.75]);
    let lists = batch["scores"].as_list::<i32>();
    assert_eq!(lists.value(0).as_primitive::<Float32Type>().values()[..], [0.1, 0.9]);
    assert_eq!(lists.value_length(1), 0);
}

#[test]
fn a_file_is_replaced_completely_and_no_temporary_file_remains() {
    let dir = TestDir::new();
    let path = dir.write("out.jsonl", "something longer than what comes ".repeat(50));
    results().write(&path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\"label\":\"pos\""));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn write_errors_name_the_cause() {
    let dir = TestDir::new();
    let unknown = results().write(&dir.path("out.txt")).unwrap_err().to_string();
    assert!(
        unknown.ends_with("unknown extension \"txt\"; supported are .parquet, .arrow, .csv, .tsv, .jsonl"),
        "{unknown}"
    );
    let missing_directory = results().write(&dir.path("no/such/out.csv"));
    assert!(matches!(missing_directory, Err(DataError::Io { .. })));
    assert_eq!(std::fs::read_dir(dir.path("")).unwrap().count(), 0);
}

#[test]
#[should_panic(expected = "column \"b\" must have as many rows")]
fn columns_of_different_length_panic() {
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
    fn new_files_have_the_default_mode_and_existing_files_keep_theirs() {
        let dir = TestDir::new();
        let other = dir.write("other", "");
        results().write(&dir.path("out.csv")).unwrap();
        assert_eq!(mode(&dir.path("out.csv")), mode(&other));
        for kept in [0o600, 0o640, 0o664] {
            fs::set_permissions(dir.path("out.csv"), fs::Permissions::from_mode(kept)).unwrap();
            results().write(&dir.path("out.csv")).unwrap();
            assert_eq!(mode(&dir.path("out.csv")), kept);
        }
    }

    #[test]
    fn writing_through_a_symbolic_link_replaces_its_target() {
        let dir = TestDir::new();
        dir.write("data/old.csv", "old");
        for (link, target) in
            [("old.csv", "data/old.csv"), ("new.csv", "data/new.csv"), ("twice.csv", "old.csv")]
        {
            symlink(target, dir.path(link)).unwrap();
            Table::require_writable(&dir.path(link)).unwrap();
            results().write(&dir.path(link)).unwrap();
            assert!(fs::symlink_metadata(dir.path(link)).unwrap().is_symlink(), "{link}");
            assert!(fs::read_to_string(dir.path(target)).unwrap().starts_with("label,score"), "{link}");
        }
        assert_eq!(fs::read_dir(dir.path("data")).unwrap().count(), 2);
        symlink("loop.csv", dir.path("loop.csv")).unwrap();
        assert!(results().write(&dir.path("loop.csv")).is_err());
    }

    #[test]
    fn require_writable_reports_paths_that_cannot_be_written() {
        let dir = TestDir::new();
        fs::create_dir(dir.path("folder.csv")).unwrap();
        let kept = dir.write("kept.csv", "kept");
        for (path, expected) in [
            (dir.path("folder.csv"), "folder.csv: is a directory"),
            (dir.path("no/such/out.csv"), "no/such: "),
            (dir.path("out.txt"), "unknown extension \"txt\""),
        ] {
            let error = Table::require_writable(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        Table::require_writable(&kept).unwrap();
        Table::require_writable(&dir.path("new.csv")).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
        assert_eq!(fs::read_dir(dir.path("")).unwrap().count(), 2);
    }

    #[test]
    fn require_writable_reports_missing_permissions() {
        let dir = TestDir::new();
        let file = dir.write("file.csv", "kept");
        let inside = dir.write("closed/out.csv", "kept").with_file_name("new.csv");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(dir.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        if fs::OpenOptions::new().append(true).open(&file).is_err() {
            // root can write to any file, so this does not apply to root
            assert!(matches!(Table::require_writable(&file), Err(DataError::Io { .. })));
            assert!(matches!(Table::require_writable(&inside), Err(DataError::Io { .. })));
        }
        fs::set_permissions(dir.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
