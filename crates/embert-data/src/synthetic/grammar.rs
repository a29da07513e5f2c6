//! The grammar of synthetic reviews: rules that expand into text for a given sentiment.

use crate::dataset::Labels;
use crate::permutation::Generator;

/// The sentiment of a phrase about the film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sentiment {
    Negative,
    Positive,
}

/// A text and its pattern: the text with the name of the slot in place of each slot.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) pattern: String,
    pub(super) slots: Vec<&'static str>,
}

/// Returns the label names, in the order of [`Sentiment`].
pub(super) fn labels() -> Labels {
    Labels::new(vec!["negative".to_owned(), "positive".to_owned()]).unwrap_or_else(|_| Labels::numbered(2))
}

/// A rule expands into one of its productions. `@rule` in a production expands another rule; `@rule-` expands it with
/// the opposite sentiment.
struct Rule {
    name: &'static str,
    positive: &'static [&'static str],
    negative: &'static [&'static str],
    /// In the pattern, the name of a slot replaces its text.
    is_slot: bool,
}

const fn rule(
    name: &'static str,
    positive: &'static [&'static str],
    negative: &'static [&'static str],
) -> Rule {
    Rule { name, positive, negative, is_slot: false }
}

const fn either(name: &'static str, productions: &'static [&'static str]) -> Rule {
    rule(name, productions, productions)
}

const fn slot(rule: Rule) -> Rule {
    Rule { is_slot: true, ..rule }
}

const RULES: &[Rule] = &[
    either(
        "opinion",
        &[
            "@claim .",
            "@claim .",
            "@claim .",
            "@claim .",
            "@claim and @claim .",
            "@frame @claim .",
            "@contrast .",
            "@contrast .",
        ],
    ),
    either(
        "claim",
        &[
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @strength",
            "@aspect is @not @negatable-",
            "@reaction",
            "@reaction",
        ],
    ),
    either("strength", &["@adjective", "@degree @adjective"]),
    either("not", &["not", "never"]),
    either("degree", &["very", "really", "so"]),
    either("frame", &["honestly ,", "for me", "I think"]),
    // The second clause decides the sentiment.
    either(
        "contrast",
        &[
            "@aspect is @strength- , @but @outcome",
            "although @aspect is @strength- , @outcome",
            "@other_opinion @adjective- , @but @outcome",
        ],
    ),
    either("but", &["but", "yet"]),
    either("other_opinion", &["my friends called it", "critics found it"]),
    rule(
        "outcome",
        &["@aspect saves it", "@film is @strength", "@reaction"],
        &["@aspect spoils it", "@film is @strength", "@reaction"],
    ),
    slot(rule(
        "reaction",
        &["I enjoyed it", "I was not bored", "I would recommend it"],
        &["I did not enjoy it", "I was bored", "I would not recommend it"],
    )),
    either("film", &["the film", "the movie"]),
    either(
        "neutral",
        &[
            "I @saw it @when .",
            "I @saw it @with .",
            "I @saw it @when @with .",
            "the story @follows @hero @place .",
            "it runs for @length .",
            "@hero and @hero meet @place .",
            "it was @made @place .",
            "the book came first .",
            "@when we had seats @seats .",
            "@hero is played by @actor .",
        ],
    ),
    either("saw", &["saw", "watched", "rented"]),
    either("when", &["last night", "on a rainy Sunday", "at a late show", "two days ago", "after work"]),
    either(
        "with",
        &["with my brother", "with two friends", "with my family", "on my own", "with a full house"],
    ),
    either("follows", &["follows", "is about", "begins with"]),
    slot(either(
        "hero",
        &["a young doctor", "an old soldier", "a thief", "two sisters", "a lonely teacher", "a detective"],
    )),
    either(
        "place",
        &["in Paris", "in a small town", "by the sea", "during the war", "on a train", "in space"],
    ),
    either("length", &["two hours", "ninety minutes", "almost three hours"]),
    either("made", &["made", "shot", "set"]),
    either("seats", &["near the front", "at the back"]),
    either("actor", &["a newcomer", "a famous singer", "someone from television"]),
    slot(either(
        "aspect",
        &[
            "the plot",
            "the script",
            "the dialogue",
            "the acting",
            "the cast",
            "the lead",
            "the ending",
            "the pacing",
            "the music",
            "the camera work",
            "the editing",
            "the humour",
            "the direction",
            "the opening",
        ],
    )),
    slot(rule(
        "adjective",
        &["great", "superb", "good", "funny", "clever", "gripping"],
        &["awful", "terrible", "dull", "boring", "clumsy", "weak"],
    )),
    // Adjectives whose negation has the opposite sentiment. "not brilliant" would be ambiguous.
    slot(rule("negatable", &["good", "funny", "clever", "gripping"], &["dull", "boring", "clumsy", "weak"])),
];

/// Expands a rule into a sentence with a capital letter and a full stop.
pub(super) fn sentence(name: &str, sentiment: Sentiment, generator: &mut Generator) -> Draft {
    let mut draft = Draft::default();
    expand(name, sentiment, generator, &mut draft);
    let text = draft.text.trim_start().replace(" ,", ",").replace(" .", ".");
    let (first, rest) = text.split_at(text.len().min(1));
    Draft { text: first.to_uppercase() + rest, ..draft }
}

fn expand(name: &str, sentiment: Sentiment, generator: &mut Generator, draft: &mut Draft) {
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        unreachable!("the grammar has no rule {name}");
    };
    let pattern_before = draft.pattern.len();
    let production = *generator.pick(match sentiment {
        Sentiment::Positive => rule.positive,
        Sentiment::Negative => rule.negative,
    });
    for word in production.split(' ') {
        match word.strip_prefix('@') {
            Some(name) => match name.strip_suffix('-') {
                Some(name) => expand(name, sentiment.inverted(), generator, draft),
                None => expand(name, sentiment, generator, draft),
            },
            None => draft.push(word),
        }
    }
    if rule.is_slot {
        draft.pattern.truncate(pattern_before);
        draft.pattern.push_str(" @");
        draft.pattern.push_str(name);
        draft.slots.push(production);
    }
}

impl Sentiment {
    fn inverted(self) -> Self {
        match self {
            Self::Negative => Self::Positive,
            Self::Positive => Self::Negative,
        }
    }
}

impl Draft {
    pub(super) fn join(sentences: impl Iterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for sentence in sentences {
            let space = if joined.text.is_empty() { "" } else { " " };
            joined.text = joined.text + space + &sentence.text;
            joined.pattern.push_str(&sentence.pattern);
            joined.slots.extend(sentence.slots);
        }
        joined
    }

    fn push(&mut self, word: &str) {
        for line in [&mut self.text, &mut self.pattern] {
            line.push(' ');
            line.push_str(word);
        }
    }
}
