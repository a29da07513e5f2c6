//! Truncation of sentence pairs: selects the text that loses tokens.

use std::fmt;
use std::str::FromStr;

use crate::{Result, TextError};

/// The text of a pair that is truncated: `truncation` in the tokenizers of transformers. The default is `LongestFirst`.
///
/// The text form is `longest_first`, `only_first` or `only_second`. A single text is always truncated itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TruncationStrategy {
    /// Truncates the longer text. If half of the room is too small for the shorter text, both get half of it.
    #[default]
    LongestFirst,
    /// Truncates only the first text.
    OnlyFirst,
    /// Truncates only the second text.
    OnlySecond,
}

impl TruncationStrategy {
    /// Returns the number of tokens to keep of each text, with a sum of at most `room`.
    ///
    /// Returns `None` if the text to truncate would lose all its tokens.
    pub(crate) fn kept(self, lengths: [usize; 2], room: usize) -> Option<[usize; 2]> {
        let [first, second] = lengths;
        if first + second <= room {
            return Some(lengths);
        }
        let beside = |other: usize| room.checked_sub(other).filter(|kept| *kept > 0);
        match self {
            Self::LongestFirst => Some(longest_first(lengths, room)),
            Self::OnlyFirst => beside(second).map(|kept| [kept, second]),
            Self::OnlySecond => beside(first).map(|kept| [first, kept]),
        }
    }
}

/// Of two texts of equal length, the second one counts as the longer one, as in the tokenizers crate.
fn longest_first([first, second]: [usize; 2], room: usize) -> [usize; 2] {
    let shorter = first.min(second).min(room / 2);
    if first <= second { [shorter, room - shorter] } else { [room - shorter, shorter] }
}

impl fmt::Display for TruncationStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LongestFirst => "longest_first",
            Self::OnlyFirst => "only_first",
            Self::OnlySecond => "only_second",
        })
    }
}

impl FromStr for TruncationStrategy {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "longest_first" => Ok(Self::LongestFirst),
            "only_first" => Ok(Self::OnlyFirst),
            "only_second" => Ok(Self::OnlySecond),
            _ => Err(TextError::UnknownTruncationStrategy { found: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::{
        Encoding, TruncationDirection, TruncationParams, TruncationStrategy as Theirs, truncate_encodings,
    };

    use super::*;

    const STRATEGIES: [(TruncationStrategy, Theirs); 3] = [
        (TruncationStrategy::LongestFirst, Theirs::LongestFirst),
        (TruncationStrategy::OnlyFirst, Theirs::OnlyFirst),
        (TruncationStrategy::OnlySecond, Theirs::OnlySecond),
    ];

    /// Returns the lengths after the truncation of the tokenizers crate; `None` if it returns an error.
    fn kept_by_tokenizers(strategy: Theirs, lengths: [usize; 2], room: usize) -> Option<[usize; 2]> {
        let direction = TruncationDirection::Right;
        let params = TruncationParams { direction, max_length: room, strategy, stride: 0 };
        let [first, second] = lengths.map(|length| {
            Encoding::from_tokens(vec![tokenizers::Token::new(0, "a".to_owned(), (0, 1)); length], 0)
        });
        let (first, second) = truncate_encodings(first, Some(second), &params).ok()?;
        Some([first.len(), second.expect("a pair").len()])
    }

    #[test]
    fn kept_lengths_equal_those_of_the_tokenizers_crate() {
        for (strategy, theirs) in STRATEGIES {
            for (first, second, room) in
                (0..12).flat_map(|a| (0..12).flat_map(move |b| (1..26).map(move |r| (a, b, r))))
            {
                assert_eq!(
                    strategy.kept([first, second], room),
                    kept_by_tokenizers(theirs, [first, second], room),
                    "{strategy} {first} {second} {room}"
                );
            }
        }
    }

    #[test]
    fn a_strategy_parses_its_text_form() {
        for (strategy, theirs) in STRATEGIES {
            assert_eq!(strategy.to_string(), theirs.as_ref());
            assert_eq!(format!(" {strategy}").parse::<TruncationStrategy>().unwrap(), strategy);
        }
        for wrong in ["", "longest", "True", "do_not_truncate"] {
            let message = wrong.parse::<TruncationStrategy>().unwrap_err().to_string();
            assert!(message.contains("expected longest_first, only_first or only_second"), "{message}");
        }
    }
}
