//! Notes about a tokenizer: what its files do not say and was assumed.

use std::fmt;
use std::path::PathBuf;

/// An assumption that the user should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenizerNote {
    /// A `vocab.txt` without a `do_lower_case` in a `tokenizer_config.json`: texts are lower-cased, as in transformers.
    LowerCaseAssumed {
        /// The `vocab.txt`.
        path: PathBuf,
        /// The vocabulary has tokens with upper-case letters, which no lower-cased text contains.
        has_upper_case: bool,
    },
}

impl fmt::Display for TokenizerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::LowerCaseAssumed { path, has_upper_case } = self;
        let path = path.display();
        write!(f, "{path}: no tokenizer_config.json says do_lower_case: the text is lower-cased; ")?;
        match has_upper_case {
            true => write!(
                f,
                "the vocabulary has upper-case letters, so the model is probably cased: set \
                 \"do_lower_case\": false in tokenizer_config.json"
            ),
            false => {
                write!(f, "set \"do_lower_case\" in tokenizer_config.json to true, or to false if cased")
            }
        }
    }
}
