//! What the command line asks for: which benchmarks, which of their rows, and a peer to compare with.

#[derive(Debug, PartialEq)]
pub(crate) struct Choice {
    /// Names of benchmarks; empty for all.
    pub benchmarks: Vec<String>,
    /// What a row's name must contain.
    pub words: Vec<String>,
    /// A Python that has transformers.
    pub peer: Option<String>,
}

impl Choice {
    /// A word that is no benchmark's name is a part of rows' names.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>, known: &[&str]) -> Result<Self, String> {
        let mut choice = Self { benchmarks: Vec::new(), words: Vec::new(), peer: None };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--peer" => choice.peer = Some(args.next().ok_or("--peer is followed by a Python")?),
                name if known.contains(&name) => choice.benchmarks.push(arg),
                option if option.starts_with('-') => return Err(format!("there is no option {option}")),
                _ => choice.words.push(arg),
            }
        }
        Ok(choice)
    }

    pub(crate) fn has(&self, benchmark: &str) -> bool {
        self.benchmarks.is_empty() || self.benchmarks.iter().any(|name| name == benchmark)
    }

    /// The rows whose names contain all words; says what there is when none does.
    pub(crate) fn among<T>(&self, rows: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        let names = rows.iter().map(|row| name(row).to_owned()).collect::<Vec<_>>().join(", ");
        let is_wanted = |row: &T| self.words.iter().all(|word| name(row).contains(word.as_str()));
        let wanted: Vec<T> = rows.into_iter().filter(is_wanted).collect();
        if wanted.is_empty() {
            println!("  no row has `{}` in its name; there are: {names}", self.words.join(" "));
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Choice, String> {
        Choice::parse(line.split_whitespace().map(String::from), &["training", "evaluation"])
    }

    #[test]
    fn words_choose_benchmarks_and_rows() {
        let choice = parse("training minilm --peer python3 bf16").expect("valid");
        assert!(choice.has("training") && !choice.has("evaluation"));
        assert_eq!(choice.peer.as_deref(), Some("python3"));
        let rows = vec!["minilm fp32", "minilm bf16", "bert bf16"];
        assert_eq!(choice.among(rows, |row| row), ["minilm bf16"]);
        assert!(parse("").expect("valid").has("evaluation"));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("--pear x").unwrap_err(), "there is no option --pear");
        assert_eq!(parse("--peer").unwrap_err(), "--peer is followed by a Python");
    }
}
