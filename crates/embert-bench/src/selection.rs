//! The arguments: benchmarks, rows, and a peer to compare with.

#[derive(Debug, PartialEq)]
pub(crate) struct Selection {
    /// Names of benchmarks; empty for all.
    pub benchmarks: Vec<String>,
    /// Words that the name of a row must contain.
    pub words: Vec<String>,
    /// A Python with transformers.
    pub peer: Option<String>,
}

impl Selection {
    /// Parses the arguments. A word that is not the name of a benchmark selects rows.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>, known: &[&str]) -> Result<Self, String> {
        let mut selection = Self { benchmarks: Vec::new(), words: Vec::new(), peer: None };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--peer" => selection.peer = Some(args.next().ok_or("--peer needs the path of a Python")?),
                name if known.contains(&name) => selection.benchmarks.push(arg),
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ => selection.words.push(arg),
            }
        }
        Ok(selection)
    }

    pub(crate) fn includes(&self, benchmark: &str) -> bool {
        self.benchmarks.is_empty() || self.benchmarks.iter().any(|name| name == benchmark)
    }

    /// Returns the rows whose names contain all words. Prints all names if there is no such row.
    pub(crate) fn filter<T>(&self, rows: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        let names = rows.iter().map(|row| name(row).to_owned()).collect::<Vec<_>>().join(", ");
        let matches = |row: &T| self.words.iter().all(|word| name(row).contains(word.as_str()));
        let selected: Vec<T> = rows.into_iter().filter(matches).collect();
        if selected.is_empty() {
            println!("  no row matches `{}`; rows are: {names}", self.words.join(" "));
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Selection, String> {
        Selection::parse(line.split_whitespace().map(String::from), &["training", "evaluation"])
    }

    #[test]
    fn words_select_benchmarks_and_rows() {
        let selection = parse("training minilm --peer python3 bf16").expect("valid");
        assert!(selection.includes("training") && !selection.includes("evaluation"));
        assert_eq!(selection.peer.as_deref(), Some("python3"));
        let rows = vec!["minilm fp32", "minilm bf16", "bert bf16"];
        assert_eq!(selection.filter(rows, |row| row), ["minilm bf16"]);
        assert!(parse("").expect("valid").includes("evaluation"));
    }

    #[test]
    fn invalid_arguments_are_errors() {
        assert_eq!(parse("--pear x").unwrap_err(), "unknown option --pear");
        assert_eq!(parse("--peer").unwrap_err(), "--peer needs the path of a Python");
    }
}
