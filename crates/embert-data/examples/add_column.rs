//! Adds a column of results to a jsonl table and writes csv: `cargo run -p embert-data --example add_column`.

use embert_data::{Column, DataError, ReadOptions, Table, clean, read_table};

const ROWS: &str = r#"{"id": 9007199254740993, "text": "Great!<br />I &lt;3 it.", "label": "old"}
{"id": 2, "text": "a < b", "label": null}
"#;

fn main() -> Result<(), DataError> {
    let directory = std::env::temp_dir();
    let input = directory.join(format!("embert-rows-{}.jsonl", std::process::id()));
    let output = input.with_extension("csv");
    std::fs::write(&input, ROWS).expect("the temporary directory is writable");
    Table::require_writable(&output)?;

    let (table, _notes) = read_table(&input, &ReadOptions::default())?;
    let texts = table.texts(&ReadOptions::default())?.texts;
    let cleaned = texts.iter().map(|text| clean(text)).collect::<Vec<_>>();
    let num_words = cleaned.iter().map(|text| text.split(' ').count() as f32).collect();
    let table = table
        .with_reserved_names(&["label", "num_words"]) // the input's `label` becomes `input_label`
        .with_column("label", Column::Text(cleaned))
        .with_column("num_words", Column::Number(num_words));
    table.write(&output)?;

    print!("{}", std::fs::read_to_string(&output).expect("the file was written"));
    for path in [input, output] {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}
