//! Truncation: selects the tokens of a long text, or of two texts, between `[CLS]` and `[SEP]`.

use std::fmt;
use std::str::FromStr;

use crate::{Result, TextError, TruncationStrategy};

/// The number of special tokens of a text: `[CLS]` and `[SEP]`, which truncation never removes.
pub(crate) const NUM_SPECIAL_TOKENS: usize = 2;

/// The side of a long text that is truncated. The default is `Right`.
///
/// The text form is `right`, `left` or `head+tail(128,382)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncation {
    /// Keeps the start: `truncation_side="right"` in transformers.
    #[default]
    Right,
    /// Keeps the end: `truncation_side="left"` in transformers.
    Left,
    /// Keeps the first `head` and the last `tail` tokens of a text that is too long.
    ///
    /// Source: Sun et al. 2019, arXiv 1905.05583, section 5.3.1, with 128 and 382 of 510 tokens.
    HeadTail {
        /// The number of tokens to keep from the start.
        head: usize,
        /// The number of tokens to keep from the end.
        tail: usize,
    },
}

/// A valid `max_length`, with `[CLS]` and `[SEP]`, and the truncation of longer texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    max_length: usize,
    truncation: Truncation,
    strategy: TruncationStrategy,
}

impl Limit {
    /// Checks and returns a limit. `max_length` includes the special tokens, as in transformers.
    ///
    /// # Errors
    ///
    /// - [`TextError::MaxLengthTooLarge`] if `max_length` exceeds the model's `max_position_embeddings`;
    /// - [`TextError::MaxLengthTooSmall`] if it is below 3;
    /// - [`TextError::HeadTailTooLong`] if head and tail do not fit into it.
    pub fn new(max_length: usize, truncation: Truncation, max_position_embeddings: usize) -> Result<Self> {
        if max_length > max_position_embeddings {
            return Err(TextError::MaxLengthTooLarge { max_length, max_position_embeddings });
        }
        if max_length <= NUM_SPECIAL_TOKENS {
            return Err(TextError::MaxLengthTooSmall { max_length });
        }
        if let Truncation::HeadTail { head, tail } = truncation
            && head.saturating_add(tail) > max_length - NUM_SPECIAL_TOKENS
        {
            return Err(TextError::HeadTailTooLong { head, tail, max_length });
        }
        Ok(Self { max_length, truncation, strategy: TruncationStrategy::default() })
    }

    /// Sets the text of a pair that is truncated. It has no effect on single texts.
    pub fn with_strategy(self, strategy: TruncationStrategy) -> Self {
        Self { strategy, ..self }
    }

    /// Checks that the limit can truncate sentence pairs with `num_special_tokens` special tokens.
    pub(crate) fn check_pairs(&self, num_special_tokens: usize) -> Result<()> {
        if self.max_length <= num_special_tokens {
            let needed = num_special_tokens + 1;
            return Err(TextError::MaxLengthTooSmallForPairs { max_length: self.max_length, needed });
        }
        match self.truncation {
            Truncation::HeadTail { head, tail } => Err(TextError::HeadTailOfPairs { head, tail }),
            Truncation::Right | Truncation::Left => Ok(()),
        }
    }

    /// Returns the maximum number of tokens of a sequence, with `[CLS]` and `[SEP]`.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Returns the side that is truncated.
    pub fn truncation(&self) -> Truncation {
        self.truncation
    }

    /// Returns the text of a pair that is truncated.
    pub fn strategy(&self) -> TruncationStrategy {
        self.strategy
    }

    /// Returns the tokens of both texts to keep next to `num_special_tokens` special tokens; `None` if the text to
    /// truncate would lose all its tokens.
    pub(crate) fn keep_pair<'a>(
        &self,
        texts: [&'a [u32]; 2],
        num_special_tokens: usize,
    ) -> Option<[&'a [u32]; 2]> {
        let room = self.max_length - num_special_tokens;
        let kept = self.strategy.kept(texts.map(<[u32]>::len), room)?;
        let keep = |index: usize| match self.truncation {
            Truncation::Left => &texts[index][texts[index].len() - kept[index]..],
            Truncation::Right | Truncation::HeadTail { .. } => &texts[index][..kept[index]],
        };
        Some([keep(0), keep(1)])
    }

    /// Returns the tokens to keep, as a start and an end.
    pub(crate) fn keep<'a>(&self, content: &'a [u32]) -> (&'a [u32], &'a [u32]) {
        let room = self.max_length - NUM_SPECIAL_TOKENS;
        if content.len() <= room {
            return (content, &[]);
        }
        match self.truncation {
            Truncation::Right => (&content[..room], &[]),
            Truncation::Left => (&content[content.len() - room..], &[]),
            Truncation::HeadTail { head, tail } => (&content[..head], &content[content.len() - tail..]),
        }
    }
}

impl fmt::Display for Truncation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("right"),
            Self::Left => f.write_str("left"),
            Self::HeadTail { head, tail } => write!(f, "head+tail({head},{tail})"),
        }
    }
}

impl FromStr for Truncation {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "right" => Ok(Self::Right),
            "left" => Ok(Self::Left),
            other => {
                parse_head_tail(other).ok_or_else(|| TextError::UnknownTruncation { found: text.to_owned() })
            }
        }
    }
}

fn parse_head_tail(text: &str) -> Option<Truncation> {
    let numbers = text.strip_prefix("head+tail(")?.strip_suffix(')')?;
    let (head, tail) = numbers.split_once(',')?;
    Some(Truncation::HeadTail { head: head.trim().parse().ok()?, tail: tail.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(max_length: usize, truncation: Truncation) -> Vec<u32> {
        let limit = Limit::new(max_length, truncation, 512).unwrap();
        let (start, end) = limit.keep(&[1, 2, 3, 4, 5, 6]);
        [start, end].concat()
    }

    #[test]
    fn truncation_keeps_the_right_tokens_and_leaves_room_for_special_tokens() {
        assert_eq!(kept(6, Truncation::Right), [1, 2, 3, 4]);
        assert_eq!(kept(6, Truncation::Left), [3, 4, 5, 6]);
        assert_eq!(kept(6, Truncation::HeadTail { head: 1, tail: 3 }), [1, 4, 5, 6]);
        assert_eq!(kept(6, Truncation::HeadTail { head: 1, tail: 1 }), [1, 6]);
        assert_eq!(kept(8, Truncation::HeadTail { head: 1, tail: 1 }), [1, 2, 3, 4, 5, 6]);
        assert_eq!(kept(8, Truncation::Left), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn invalid_lengths_are_errors_with_the_numbers() {
        let message = |max_length, truncation, positions| {
            Limit::new(max_length, truncation, positions).unwrap_err().to_string()
        };
        let longer = message(513, Truncation::Right, 512);
        assert!(longer.contains("513") && longer.contains("512 positions"), "{longer}");
        assert!(message(2, Truncation::Left, 512).contains("max_length 2"));
        let both = message(256, Truncation::HeadTail { head: 128, tail: 127 }, 512);
        assert!(both.contains("keeps 255") && both.contains("room for 254"), "{both}");
        let huge = message(256, Truncation::HeadTail { head: usize::MAX, tail: 2 }, 512);
        assert!(huge.contains("room for 254"), "{huge}");
        assert!(Limit::new(256, Truncation::HeadTail { head: 128, tail: 126 }, 512).is_ok());
    }

    #[test]
    fn a_limit_that_cannot_truncate_pairs_is_an_error() {
        let message = |max_length, truncation| {
            Limit::new(max_length, truncation, 512).unwrap().check_pairs(3).unwrap_err().to_string()
        };
        let short = message(3, Truncation::Right);
        assert!(short.contains("max_length 3") && short.contains("need 4"), "{short}");
        let both = message(9, Truncation::HeadTail { head: 2, tail: 3 });
        assert!(both.contains("head+tail(2,3)") && both.contains("right or left"), "{both}");
        let limit = Limit::new(4, Truncation::Left, 512).unwrap();
        assert!(limit.check_pairs(3).is_ok());
        assert!(limit.check_pairs(4).unwrap_err().to_string().contains("need 5"));
    }

    #[test]
    fn both_texts_of_a_pair_are_truncated_on_the_same_side() {
        let kept = |truncation, strategy| {
            let limit = Limit::new(8, truncation, 512).unwrap().with_strategy(strategy);
            limit
                .keep_pair([&[1, 2, 3, 4], &[5, 6, 7, 8]], 3)
                .map(|[first, second]| [first.to_vec(), second.to_vec()])
        };
        use TruncationStrategy::{LongestFirst, OnlyFirst, OnlySecond};
        assert_eq!(kept(Truncation::Right, LongestFirst).unwrap(), [vec![1, 2], vec![5, 6, 7]]);
        assert_eq!(kept(Truncation::Left, LongestFirst).unwrap(), [vec![3, 4], vec![6, 7, 8]]);
        assert_eq!(kept(Truncation::Left, OnlyFirst).unwrap(), [vec![4], vec![5, 6, 7, 8]]);
        assert_eq!(kept(Truncation::Right, OnlySecond).unwrap(), [vec![1, 2, 3, 4], vec![5]]);
    }

    #[test]
    fn truncation_parses_its_text_form() {
        for truncation in [Truncation::Right, Truncation::Left, Truncation::HeadTail { head: 128, tail: 382 }]
        {
            assert_eq!(truncation.to_string().parse::<Truncation>().unwrap(), truncation);
        }
        assert_eq!(
            " head+tail(1, 2)".parse::<Truncation>().unwrap(),
            Truncation::HeadTail { head: 1, tail: 2 }
        );
        for wrong in ["", "middle", "head+tail(1)", "head+tail(-1,2)", "head+tail(1,2"] {
            assert!(wrong.parse::<Truncation>().unwrap_err().to_string().contains("head+tail(HEAD,TAIL)"));
        }
    }
}
