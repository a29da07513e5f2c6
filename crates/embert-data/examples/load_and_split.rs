//! Reads a csv file, drops rows without a label, splits the rest: `cargo run -p embert-data --example load_and_split`.

use embert_data::{
    ClassBalance, Columns, DataError, ReadOptions, overlap, read, require_two_classes, stratified_split,
};

const REVIEWS: &str = "review,stars
I liked it,good
\"Long, but funny\",good
,good
A dull film,bad
Never again,bad
I fell asleep,
Boring!<br />Boring!,bad
";

fn main() -> Result<(), DataError> {
    let path = std::env::temp_dir().join(format!("embert-reviews-{}.csv", std::process::id()));
    std::fs::write(&path, REVIEWS).expect("the temporary directory is writable");

    let columns = Columns::new("review", "stars");
    let options = ReadOptions { columns, drop_unlabelled: true, ..ReadOptions::default() };
    let loaded = read(&path, "train", &options, None);
    let _ = std::fs::remove_file(&path);
    let loaded = loaded?;
    for note in &loaded.notes {
        println!("note: {note}");
    }

    require_two_classes(&loaded.dataset)?;
    let split = stratified_split(&loaded.dataset, 2, 42)?;
    println!("train: {}", ClassBalance::of(&split.train));
    println!("eval: {}", ClassBalance::of(&split.held_out));
    println!("{} evaluation texts are also training texts", overlap(&split.held_out, &split.train));
    Ok(())
}
