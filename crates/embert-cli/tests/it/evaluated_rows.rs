//! The rows that `evaluate` reads: all rows that flags name, else the evaluation rows of the run.

use std::fs;
use std::path::Path;

use embert_data::{ReadOptions, read_table};

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, succeeds};

#[test]
fn flags_override_the_data_and_the_limits_of_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "train.csv", &["a", "b"], 40);
    write_csv(path, "old.csv", &["a", "b"], 20);
    write_csv(path, "new.csv", &["a", "b"], 24);
    write_csv(path, "other.csv", &["a", "b"], 30);
    let run = "--train_file train.csv --validation_file old.csv --max_eval_samples 6 --eval_strategy epoch --max_steps 1";
    succeeds(path, &format!("train {SHAPE} {run} --output_dir run"));
    for (flags, rows, name) in [
        ("", "6 texts", "old.csv"),
        ("--dataset new.csv", "24 texts", "new.csv"),
        ("--test_file new.csv", "24 texts", "new.csv"),
        ("--validation_file new.csv", "24 texts", "new.csv"),
        ("--dataset new.csv --max_eval_samples 8", "8 texts", "8 of 24 rows of new.csv"),
        ("--max_eval_samples 10", "10 texts", "old.csv"),
        ("--dataset other.csv --test_file new.csv", "24 texts", "new.csv"),
        ("--dataset train.csv", "40 texts", "train.csv"),
    ] {
        let printed = succeeds(path, &format!("evaluate --model run {flags}"));
        let first = printed.lines().next().unwrap();
        assert!(first.contains(rows) && first.contains(name), "{flags}: {first}");
    }
    let two_files =
        crate::embert(path, "evaluate --model run --validation_file new.csv --test_file other.csv");
    assert!(stderr(&two_files).contains("other.csv is not read"), "{}", stderr(&two_files));
    fs::remove_file(path.join("old.csv")).unwrap();
    let message = fails(path, 3, "evaluate --model run");
    assert!(message.contains("old.csv"), "{message}");
    succeeds(path, "evaluate --model run --dataset new.csv");
    for missing in ["--dataset gone.csv", "--test_file gone.csv", "--validation_file gone.csv"] {
        let message = fails(path, 3, &format!("evaluate --model run {missing}"));
        assert!(message.contains("gone.csv"), "{missing}: {message}");
    }
}

#[test]
fn without_flags_the_held_out_rows_are_evaluated_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "train.csv", &["a", "b"], 40);
    for data in ["--dataset train.csv", "--train_file train.csv"] {
        succeeds(
            path,
            &format!("train {SHAPE} {data} --do_eval --max_steps 2 --output_dir run --overwrite_output_dir"),
        );
        let printed = succeeds(path, "evaluate --model run");
        assert!(printed.lines().next().unwrap().contains("8 rows held out"), "{data}: {printed}");
        let results = fs::read_to_string(path.join("run/eval_results.json")).unwrap();
        let results: serde_json::Value = serde_json::from_str(&results).unwrap();
        let line: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        assert_eq!(line["eval_loss"], results["eval_loss"], "{data}");
    }
    succeeds(path, &format!("train {SHAPE} --dataset train.csv --max_steps 2 --output_dir none"));
    let message = fails(path, 2, "evaluate --model none");
    assert!(message.contains("--dataset"), "{message}");
}

#[test]
fn f1_is_computed_for_pos_label() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "train.csv", &["fraud", "legit"], 40);
    let train =
        format!("train {SHAPE} --dataset train.csv --eval_strategy epoch --max_steps 1 --learning_rate 0");
    let f1 = |printed: &str| {
        let line: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        [&line["eval_f1"], &line["eval_per_class"]["fraud"]["f1"], &line["eval_per_class"]["legit"]["f1"]]
            .map(|value| value.as_f64().unwrap())
    };
    succeeds(path, &format!("{train} --output_dir default"));
    let printed = succeeds(path, "evaluate --model default --dataset train.csv");
    let [headline, fraud, legit] = f1(&printed);
    assert_eq!(headline, legit);
    assert!(printed.contains("F1 (legit)") && printed.contains("weighted mean"), "{printed}");
    assert_ne!(fraud, legit, "the F1 scores of an untrained model differ");
    for name in ["fraud", "Fraud"] {
        let printed =
            succeeds(path, &format!("evaluate --model default --dataset train.csv --pos_label {name}"));
        assert_eq!(f1(&printed)[0], fraud, "{name}");
        assert!(printed.contains("F1 (fraud)"), "{printed}");
    }
    succeeds(path, &format!("{train} --pos_label fraud --output_dir run"));
    let results = fs::read_to_string(path.join("run/all_results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!(results["eval_f1"], results["eval_per_class"]["fraud"]["f1"]);
    assert!(results["eval_f1_weighted"].is_f64(), "{results}");
    let card = fs::read_to_string(path.join("run/README.md")).unwrap();
    assert!(
        card.contains("| fraud |") && card.contains("F1 of fraud") && card.contains("F1, weighted"),
        "{card}"
    );
    for command in ["evaluate --model default --dataset train.csv".to_owned(), train] {
        let message = fails(
            path,
            2,
            &format!("{command} --pos_label frod --output_dir no").replace(
                "evaluate --model default --dataset train.csv --pos_label frod --output_dir no",
                "evaluate --model default --dataset train.csv --pos_label frod",
            ),
        );
        assert!(message.contains("frod") && message.contains("fraud, legit"), "{message}");
    }
}

/// Writes the rows of a csv file as parquet or arrow.
fn convert(csv: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    read_table(csv, &ReadOptions::default()).unwrap().0.write(to).unwrap();
}

#[test]
fn offline_the_validation_split_is_evaluated_if_the_cache_has_no_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 20);
    let repo = path.join("hub/datasets--owner--reviews");
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::write(repo.join("refs/main"), "c0").unwrap();
    let split = |split: &str| repo.join(format!("snapshots/c0/{split}-00000-of-00001.parquet"));
    convert(&path.join("rows.csv"), &split("train"));
    let train = format!("train {SHAPE} --dataset owner/reviews --do_eval --max_steps 1 --output_dir run");
    let message = fails(path, 1, &train);
    assert!(message.contains("has no test-*.parquet"), "{message}");
    convert(&path.join("rows.csv"), &split("validation"));
    let printed = succeeds(path, &train);
    assert!(printed.contains("split validation, because there is no test"), "{printed}");
    let message = fails(path, 1, "evaluate --model run --dataset owner/reviews --test_split_name dev");
    assert!(message.contains("has no dev-*.parquet"), "{message}");
}

#[test]
fn a_saved_dataset_of_any_split_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, split, rows) in [("first", "validation[:40]", 40), ("second", "train+test", 20)] {
        write_csv(path, "rows.csv", &["a", "b"], rows);
        convert(&path.join("rows.csv"), &path.join(name).join("data-00000-of-00001.arrow"));
        let files = r#"[{"filename": "data-00000-of-00001.arrow"}]"#;
        let state = format!("{{\"_data_files\": {files}, \"_split\": \"{split}\"}}");
        fs::write(path.join(name).join("state.json"), state).unwrap();
    }
    let files = "--train_file first --validation_file second";
    let printed = succeeds(path, &format!("train {SHAPE} {files} --do_eval --max_steps 1 --output_dir run"));
    assert!(printed.contains("eval (second): 20 texts"), "{printed}");
    let printed = succeeds(path, "evaluate --model run --test_file first");
    assert!(printed.lines().next().unwrap().contains("40 texts"), "{printed}");
    let message = fails(path, 3, "evaluate --model run --dataset second");
    assert!(message.contains("no split test") && message.contains("the splits \"train\""), "{message}");
}

#[test]
fn rows_of_another_width_in_the_original_files_of_qqp_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("QQP")).unwrap();
    for (file, rows) in [("train", 24), ("dev", 8)] {
        let rows =
            (0..rows).map(|n| format!("{n}\t1\t2\tfilm {n}\tmovie {n}\t{}\n", n % 2)).collect::<String>();
        let header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";
        fs::write(path.join(format!("QQP/{file}.tsv")), format!("{header}9\t1\tbroken\n{rows}")).unwrap();
    }
    let task = "--task_name qqp --dataset QQP --do_eval --max_steps 1 --output_dir run";
    let output = crate::embert(path, &format!("train {SHAPE} {task}"));
    let notes = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{notes}");
    for note in ["train.tsv: dropped 1 of 25 rows, which do not have 6 cells", "dev.tsv: dropped 1 of 9 rows"]
    {
        assert!(notes.contains(note), "{notes}");
    }
}

#[test]
fn without_data_a_model_without_its_runs_rows_is_not_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 24);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir base"));
    let lora = "--lora_r 4 --lora_target_modules query,value --max_seq_length 24 --do_eval";
    succeeds(
        path,
        &format!("train --model base --dataset rows.csv {lora} --max_steps 1 --output_dir adapter"),
    );
    succeeds(path, "merge --model adapter --output merged");
    for recipe in [None, Some("[data]\nmax_seq_length = 16\nclean = true\n")] {
        if let Some(recipe) = recipe {
            fs::write(path.join("merged/recipe.toml"), recipe).unwrap();
        }
        for flags in ["", " --max_eval_samples 8"] {
            let message = fails(path, 2, &format!("evaluate --model merged{flags}"));
            assert!(message.contains("--dataset") && message.contains("--test_file"), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        succeeds(path, "evaluate --model merged --test_file rows.csv");
    }
}

#[test]
fn rows_that_changed_since_the_run_are_not_its_own_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let write = |name: &str, rows: usize| write_csv(path, name, &["a", "b"], rows);
    let edit = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(path.join(name)).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        fs::write(path.join(name), text.replace(from, to)).unwrap();
    };
    for (at, (data, file, flags)) in [
        ("--dataset train.csv", "train.csv", ""),
        ("--train_file train.csv --clean --max_eval_samples 5", "train.csv", ""),
        ("--train_file train.csv --validation_file eval.csv", "eval.csv", ""),
        (
            "--train_file train.csv --test_file eval.csv --max_train_samples 20",
            "eval.csv",
            " --max_eval_samples 6",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        write("train.csv", 40);
        write("eval.csv", 20);
        let run = format!("run{at}");
        succeeds(path, &format!("train {SHAPE} {data} --do_eval --max_steps 1 --output_dir {run}"));
        let evaluate = format!("evaluate --model {run}{flags}");
        succeeds(path, &evaluate);
        let changes: [&dyn Fn(); 3] =
            [&|| write(file, 60), &|| edit(file, "kind,a", "sort,a"), &|| edit(file, "kind,a", "kind,b")];
        for change in changes {
            write("train.csv", 40);
            write("eval.csv", 20);
            succeeds(path, &evaluate);
            change();
            let message = fails(path, 3, &evaluate);
            assert!(message.contains(file) && message.contains("changed"), "{data}: {message}");
            assert!(message.contains("--test_file") && message.lines().count() == 1, "{message}");
            succeeds(path, &format!("evaluate --model {run} --test_file {file}"));
        }
        // A run of an older version saved no fingerprint.
        let results = path.join(&run).join("all_results.json");
        let text = fs::read_to_string(&results).unwrap();
        assert!(text.contains("eval_data_fingerprint"), "{text}");
        fs::write(&results, text.replace("eval_data_fingerprint", "another_key")).unwrap();
        succeeds(path, &evaluate);
    }
}

#[test]
fn the_text_column_is_not_the_label_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = (0..24).map(|row| format!("word {row},more {row},{0},{0}\n", row % 2)).collect::<String>();
    fs::write(path.join("rows.csv"), format!("text,second,label,flag\n{rows}")).unwrap();
    let train = format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir run");
    for (flags, flag) in [
        ("--text_column_name label", "--text_column_name"),
        ("--text_column_name text,label", "--text_column_name"),
        ("--label_column_name text", "--text_column_name"),
        ("--text_column_name flag --label_columns label,flag", "--text_column_name"),
        ("--text_pair_column_name label", "--text_pair_column_name"),
        ("--text_pair_column_name flag --label_column_name flag", "--text_pair_column_name"),
    ] {
        for command in [train.clone(), "check --dataset rows.csv".to_owned()] {
            let message = fails(path, 2, &format!("{command} {flags}"));
            assert!(message.contains(flag) && message.contains("label column"), "{flags}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        assert!(!path.join("run").exists());
    }
    succeeds(path, &train);
    let message = fails(path, 2, "evaluate --model run --dataset rows.csv --text_column_name label");
    assert!(message.contains("--text_column_name"), "{message}");
    succeeds(path, "predict --model run --input rows.csv --text_column_name label");
}
