//! Notes about a tokenizer: assumptions about settings that its files do not contain.

use std::fmt;
use std::path::PathBuf;

/// An assumption that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenizerNote {
    /// There is a `vocab.txt`, but no `do_lower_case` in a `tokenizer_config.json`. Texts are lower-cased, as in
    /// transformers.
    LowerCaseAssumed {
        /// The `vocab.txt`.
        path: PathBuf,
        /// True if tokens of the vocabulary have upper-case letters, which lower-cased texts do not contain.
        has_upper_case: bool,
    },
}

impl fmt::Display for TokenizerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::LowerCaseAssumed { path, has_upper_case } = self;
        let path = path.display();
        write!(f, "{path}: tokenizer_config.json does not set do_lower_case, so texts are lower-cased; ")?;
        if *has_upper_case {
            write!(
                f,
                "the vocabulary has upper-case letters, so the model is probably cased: set \
                 \"do_lower_case\": false in tokenizer_config.json"
            )
        } else {
            write!(f, "set it to true, or to false for a cased model")
        }
    }
}
