//! Forward passes without gradient over texts as long as IMDb's reviews; a step is all of them.

use crate::{case::Case, choice::Choice, comparison, rates, sizes::minilm};

const ROWS: usize = 128;
const MAX_LENGTH: usize = 256;

pub(crate) fn run(choice: &Choice) -> Result<(), String> {
    let cases = [false, true].map(|bf16| Case::evaluation(&minilm(), MAX_LENGTH, bf16, ROWS));
    let cases = choice.among(cases.into(), |case| &case.name);
    println!("  a step is {ROWS} rows, forward");
    match &choice.peer {
        Some(python) => comparison::run(python, &cases),
        None => rates::run(&cases),
    }
}
