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
