//! Runs a small reader on valid, invalid and mutated files: `cargo run -p embert-hostile --example fuzz_reader`.

use std::fs;
use std::path::Path;

use embert_hostile::{FuzzTarget, MemoryBound, damaged};

/// Reads `name = number` lines. The error names the file and the line, as `FuzzTarget` requires.
fn read_settings(path: &Path) -> Result<(), String> {
    let error = |line: usize, what: &str| format!("{}: line {line}: {what}", path.display());
    let bytes = fs::read(path).map_err(|source| error(0, &source.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| error(0, "not UTF-8"))?;
    for (line, setting) in (1..).zip(text.lines()) {
        let (_, number) = setting.split_once('=').ok_or_else(|| error(line, "no equals sign"))?;
        number.trim().parse::<u32>().map_err(|source| error(line, &source.to_string()))?;
    }
    Ok(())
}

fn main() {
    let folder = std::env::temp_dir().join(format!("embert-hostile-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary directory is writable");

    let good = "rank = 8\nalpha = 16\n";
    let mut target = FuzzTarget::new(folder.join("settings.txt"), read_settings)
        .within(MemoryBound { times: 16, plus: 1 << 20 });
    target.file("two settings", good).expect("the reader accepts a valid file");
    println!("{}", target.refused("a word", "rank = eight\n"));
    target.mutations(damaged(good.as_bytes(), 1000, 42));
    println!("{}", target.finish(2, 1000));

    let _ = fs::remove_dir_all(folder);
}
