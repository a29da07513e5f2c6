//! The original tsv files of GLUE.

use embert_data::{CsvQuoting, GlueTask, ReadOptions, Target};

use crate::read_with;
use crate::targets::values;

#[test]
fn original_files_of_glue_are_read_with_their_names() {
    for (task, content, names, text, pair) in [
        (
            GlueTask::Mrpc,
            "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tHe said \"no\t\" she said\n0\t9\t6\tA\tb\n",
            &["not_equivalent", "equivalent"][..],
            "He said \"no",
            Some("\" she said"),
        ),
        (
            GlueTask::Rte,
            "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tnot_entailment\n1\tC\tD\tentailment\n",
            &["entailment", "not_entailment"],
            "A",
            Some("B"),
        ),
        (GlueTask::Sst2, "sentence\tlabel\ngood \t1\nbad \t0\n", &["negative", "positive"], "good ", None),
    ] {
        let options = ReadOptions {
            columns: task.tsv_columns(),
            problem_type: Some(task.problem_type()),
            label_map: task.label_map(),
            csv_quoting: CsvQuoting::None,
            ..ReadOptions::default()
        };
        let dataset = read_with("train.tsv", content, &options, None).unwrap().dataset;
        assert_eq!(dataset.labels.names(), names, "{task}");
        assert_eq!(dataset.examples[0].target, Target::Label(1), "{task}");
        let first = &dataset.examples[0];
        assert_eq!((first.text.as_str(), first.text_pair.as_deref()), (text, pair), "{task}");
    }
    let cola = GlueTask::Cola;
    let options = ReadOptions {
        columns: cola.tsv_columns(),
        label_map: cola.label_map(),
        csv_quoting: CsvQuoting::None,
        csv_column_names: cola
            .tsv_header()
            .map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        ..ReadOptions::default()
    };
    let content = "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tThe \"more would.\n";
    let dataset = read_with("train.tsv", content, &options, None).unwrap().dataset;
    assert_eq!(dataset.labels.names(), ["unacceptable", "acceptable"]);
    assert_eq!(crate::rows(&dataset), [("Our friends won't buy this.", 1), ("The \"more would.", 0)]);
    let options = ReadOptions {
        columns: GlueTask::Stsb.tsv_columns(),
        problem_type: Some(GlueTask::Stsb.problem_type()),
        ..ReadOptions::default()
    };
    let content = "sentence1\tsentence2\tscore\nA\tB\t5.000\nC\tD\t0\n";
    let dataset = read_with("train.tsv", content, &options, None).unwrap().dataset;
    assert_eq!(values(&dataset), [[5.0], [0.0]]);
}

const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";

#[test]
fn rows_of_another_width_are_dropped_from_tsv_files_with_a_note() {
    let options = ReadOptions {
        columns: GlueTask::Qqp.tsv_columns(),
        csv_quoting: CsvQuoting::None,
        tsv_drop_uneven_rows: true,
        ..ReadOptions::default()
    };
    let rows =
        "1\t2\t3\tA\tB\t1\n4\t5\tbroken\n6\t7\t8\t\"C\tD\t0\n9\t1\t2\tE\tF\t1\textra\n3\t4\t5\tG\tH\tmaybe\n";
    let kept = &rows[..rows.rfind("3\t4").unwrap()];
    let read = read_with("train.tsv", QQP.to_owned() + kept, &options, None).unwrap();
    assert_eq!(crate::rows(&read.dataset), [("A", 1), ("\"C", 0)]);
    let note = "train.tsv: dropped 2 of 4 rows, which do not have 6 cells";
    assert_eq!(crate::notes(&read, "train.tsv"), [note]);
    let known = Some(&["LABEL_0", "LABEL_1"][..]);
    let named = |header: &str| header.trim().split('\t').map(str::to_owned).collect();
    let without_header = ReadOptions { csv_column_names: Some(named(QQP)), ..options.clone() };
    let strict = ReadOptions { tsv_drop_uneven_rows: false, ..options.clone() };
    for (name, content, options, expected) in [
        ("train.tsv", QQP.to_owned() + rows, &options, "row 5: unknown label \"maybe\""),
        ("train.tsv", rows.to_owned(), &without_header, "row 5: unknown label \"maybe\""),
        ("train.tsv", QQP.to_owned() + rows, &strict, "row 2: found 3 cells, but the header has 6"),
        (
            "train.csv",
            QQP.replace('\t', ",") + "1,2\n",
            &options,
            "row 1: found 2 cells, but the header has 6",
        ),
        (
            "train.tsv",
            QQP.to_owned() + "1\t2\n3\t4\n",
            &options,
            "row 1: found 2 cells, but 6 column names are given",
        ),
    ] {
        let error = read_with(name, content, options, known).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
    let many = (0..10_000).map(|row| if row % 2 == 0 { "x\n" } else { "1\t2\t3\tA\tB\t1\n" });
    let many = QQP.to_owned() + &many.collect::<String>();
    let read = read_with("train.tsv", many + "1\t2\t3\tA\tB\t0\n", &options, None).unwrap();
    assert_eq!(read.dataset.len(), 5001);
}
