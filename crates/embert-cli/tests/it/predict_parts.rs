//! `predict` on directories, shards and streams, and the files of `evaluate`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use embert_data::{Column, ReadOptions, Table, TableReader, TableWriter, read_table};

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, succeeds};

fn train(folder: &Path) {
    write_csv(folder, "train.csv", &["apple", "river"], 30);
    succeeds(
        folder,
        &format!("train {SHAPE} --train_file train.csv --max_steps 2 --do_eval --output_dir run"),
    );
}

fn columns(path: &Path) -> Vec<String> {
    let (table, _) = read_table(path, &ReadOptions::default()).unwrap();
    table.column_names().map(str::to_owned).collect()
}

#[test]
fn each_part_of_a_directory_has_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    fs::create_dir_all(path.join("in/year=2025")).unwrap();
    for (name, rows) in [("a.csv", 3), ("b.csv", 5), ("year=2025/c.csv", 4)] {
        write_csv(&path.join("in"), name, &["apple", "river"], rows);
    }
    succeeds(path, "predict --model run --input in --output out");
    let out = |name: &str| path.join("out").join(name);
    for (name, rows) in [("a.csv", 3), ("b.csv", 5), ("year=2025/c.csv", 4)] {
        assert_eq!(columns(&out(name))[..5], ["text", "input_label", "label", "score", "scores"], "{name}");
        assert_eq!(fs::read_to_string(out(name)).unwrap().lines().count(), rows + 1, "{name}");
    }
    fs::remove_file(out("b.csv")).unwrap();
    let before = fs::metadata(out("a.csv")).unwrap().modified().unwrap();
    let output = crate::embert(path, "predict --model run --input in --output out --resume");
    assert!(stderr(&output).contains("2 of 3 parts are complete"), "{}", stderr(&output));
    assert!(out("b.csv").is_file());
    assert_eq!(fs::metadata(out("a.csv")).unwrap().modified().unwrap(), before);
    for shard in 1..=2 {
        succeeds(
            path,
            &format!("predict --model run --input in/*.csv --output shard{shard} --shard {shard}/2"),
        );
        assert_eq!(fs::read_dir(path.join(format!("shard{shard}"))).unwrap().count(), 1);
    }
}

#[test]
fn parts_of_all_formats_of_a_directory_are_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    let input = path.join("in");
    fs::create_dir_all(input.join("sub")).unwrap();
    write_csv(&input, "a.csv", &["apple", "river"], 3);
    write_csv(&input, "b.csv", &["apple", "river"], 2);
    fs::write(input.join("c.jsonl"), "{\"text\": \"apple\"}\n{\"text\": \"river\"}\n").unwrap();
    fs::write(input.join("d.txt"), "apple\n").unwrap();
    fs::write(input.join("sub/e.tsv"), "text\nriver\n").unwrap();
    fs::write(input.join("sub/f.json"), "[{\"text\": \"apple\"}]").unwrap();
    fs::write(input.join("_SUCCESS.csv"), "text\nhidden\n").unwrap();
    let rows =
        [("a.csv", 3), ("b.csv", 2), ("c.jsonl", 2), ("d.jsonl", 1), ("sub/e.tsv", 1), ("sub/f.jsonl", 1)];
    for pattern in ["in", "in/*"] {
        succeeds(path, &format!("predict --model run --input {pattern} --output out"));
        for (name, rows) in rows {
            let name = if pattern == "in" { name } else { name.trim_start_matches("sub/") };
            let (table, _) = read_table(&path.join("out").join(name), &ReadOptions::default()).unwrap();
            assert_eq!(table.rows(), rows, "{pattern}: {name}");
        }
        let output =
            crate::embert(path, &format!("predict --model run --input {pattern} --output out --resume"));
        assert!(stderr(&output).contains("6 of 6 parts are complete"), "{pattern}: {}", stderr(&output));
        fs::remove_dir_all(path.join("out")).unwrap();
    }
}

#[test]
fn a_part_without_rows_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    fs::create_dir(path.join("in")).unwrap();
    write_csv(&path.join("in"), "a.csv", &["apple", "river"], 3);
    fs::write(path.join("in/b.csv"), "text,label\n").unwrap();
    fs::write(path.join("in/c.csv"), "").unwrap();
    write_csv(&path.join("in"), "d.csv", &["apple", "river"], 2);
    for resume in ["", " --resume"] {
        let output = crate::embert(path, &format!("predict --model run --input in --output out{resume}"));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{message}");
        assert!(message.contains("warning: in/b.csv: this part has no rows"), "{message}");
    }
    let written = ["a", "b", "c", "d"].map(|name| path.join(format!("out/{name}.csv")).is_file());
    assert_eq!(written, [true, false, false, true]);
    fails(path, 3, "predict --model run --input in/b.csv");
}

#[test]
fn wrong_uses_of_parts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("in")).unwrap();
    fs::create_dir_all(path.join("twice")).unwrap();
    write_csv(&path.join("in"), "a.csv", &["apple"], 1);
    fs::write(path.join("twice/a.json"), "[]").unwrap();
    fs::write(path.join("twice/a.jsonl"), "{}").unwrap();
    for (flags, expected) in [
        ("--input in", "--output DIR"),
        ("--input in/a.csv --shard 1/2", "--shard needs"),
        ("--input in/a.csv --resume", "--resume needs"),
        ("--input in --output in/a.csv", "this is a file"),
        ("--input in --output in", "is in --input in"),
        ("--input in --output in/predicted", "is in --input in"),
        ("--input in --output in/../in/new/deep", "is in --input in"),
        ("--input ./in/ --output in/predicted/", "is in --input ./in/"),
        ("--input in/*.csv --output in", "is the file of --input"),
        ("--input twice --output out", "rename one of them"),
        ("--input in --output out --shard 3/2", "2/8"),
        ("--input in --output out --top_k 0", "top_k"),
    ] {
        let message = fails(path, 2, &format!("predict --model ./none {flags}"));
        assert!(message.contains(expected), "{flags}: {message}");
    }
}

#[test]
fn an_arrow_stream_comes_back_with_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path());
    let texts = ["apple one", "river two"].map(str::to_owned).to_vec();
    let table = Table::default()
        .with_column("id", Column::Number(vec![7.0, 8.0]))
        .with_column("text", Column::Text(texts));
    let path = folder.path().join("input");
    let mut writer = TableWriter::arrow_stream(fs::File::create(&path).unwrap());
    writer.write(&table).unwrap();
    writer.finish().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(["predict", "--model", "run", "--arrow_stream"]).current_dir(folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&path).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let tables = TableReader::arrow_stream(std::io::Cursor::new(output.stdout)).unwrap();
    let tables = tables.collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(tables.iter().map(Table::rows).sum::<usize>(), 2);
    assert_eq!(tables[0].column_names().collect::<Vec<_>>(), ["id", "text", "label", "score", "scores"]);
}

#[test]
fn evaluate_writes_rows_and_prints_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    let wrong = "text,label\napple apple,river\nriver river,apple\n";
    fs::write(path.join("wrong.csv"), wrong).unwrap();
    let printed = succeeds(path, "evaluate --model run --dataset wrong.csv --errors 1 --output rows.jsonl");
    assert_eq!(printed.matches(" ✗").count(), 1, "{printed}");
    assert_eq!(columns(&path.join("rows.jsonl")), ["text", "label", "prediction", "score", "scores"]);
    let rows = fs::read_to_string(path.join("rows.jsonl")).unwrap();
    assert!(rows.starts_with("{\"text\":\"apple apple\",\"label\":\"river\","), "{rows}");
    let message = fails(path, 2, "evaluate --model run --dataset wrong.csv --output wrong.csv");
    assert!(message.contains("one of the evaluated files"), "{message}");
}
