//! The rules: each name stands for one of its productions, and carries a verdict that `-` turns round.

use crate::permutation::Generator;
use crate::review::Labels;

/// What a phrase says of the film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Negative,
    Positive,
}

/// Text, and its pattern: the same with what stands in slots replaced by the slot's name.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) pattern: String,
    pub(super) slots: Vec<&'static str>,
}

/// The labels in the order of [`Verdict`].
pub(super) fn labels() -> Labels {
    Labels::new(vec!["negative".to_owned(), "positive".to_owned()]).unwrap_or_else(|_| Labels::numbered(2))
}

/// A production names another rule as `@rule` (which keeps the verdict) or `@rule-` (which turns it round).
struct Rule {
    name: &'static str,
    positive: &'static [&'static str],
    negative: &'static [&'static str],
    /// Slots are left out of the pattern.
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
        "judgement",
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
            "@aspect is @not @mild-",
            "@verdict",
            "@verdict",
        ],
    ),
    either("strength", &["@adjective", "@degree @adjective"]),
    either("not", &["not", "never"]),
    either("degree", &["very", "really", "so"]),
    either("frame", &["honestly ,", "for me", "I think"]),
    // The clause after the contrast rules, and it is about the whole film.
    either(
        "contrast",
        &[
            "@aspect is @strength- , @but @outcome",
            "although @aspect is @strength- , @outcome",
            "@hearsay @adjective- , @but @outcome",
        ],
    ),
    either("but", &["but", "yet"]),
    either("hearsay", &["my friends called it", "critics found it"]),
    rule(
        "outcome",
        &["@aspect saves it", "@whole is @strength", "@verdict"],
        &["@aspect spoils it", "@whole is @strength", "@verdict"],
    ),
    slot(rule(
        "verdict",
        &["I enjoyed it", "I was not bored", "I would recommend it"],
        &["I did not enjoy it", "I was bored", "I would not recommend it"],
    )),
    either("whole", &["the film", "the movie"]),
    either(
        "setting",
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
    // What can be denied and then means the opposite: "not brilliant" would leave open what it is.
    slot(rule("mild", &["good", "funny", "clever", "gripping"], &["dull", "boring", "clumsy", "weak"])),
];

/// A sentence made from the rule of this name, with a capital and a full stop.
pub(super) fn sentence(name: &str, verdict: Verdict, generator: &mut Generator) -> Draft {
    let mut draft = Draft::default();
    expand(name, verdict, generator, &mut draft);
    let text = draft.text.trim_start().replace(" ,", ",").replace(" .", ".");
    let (first, rest) = text.split_at(text.len().min(1));
    Draft { text: first.to_uppercase() + rest, ..draft }
}

fn expand(name: &str, verdict: Verdict, generator: &mut Generator, draft: &mut Draft) {
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        unreachable!("the grammar has no rule {name}");
    };
    let pattern_before = draft.pattern.len();
    let production = *generator.pick(match verdict {
        Verdict::Positive => rule.positive,
        Verdict::Negative => rule.negative,
    });
    for word in production.split(' ') {
        match word.strip_prefix('@') {
            Some(name) => match name.strip_suffix('-') {
                Some(name) => expand(name, verdict.turned(), generator, draft),
                None => expand(name, verdict, generator, draft),
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

impl Verdict {
    fn turned(self) -> Self {
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
