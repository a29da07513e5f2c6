//! Settings that only DeBERTa has: relative positions in attention, and dropout before the pooler.

use embert_kernels::RelativePositions;
use serde::{Deserialize, Serialize};

/// Settings of DeBERTa-v2 and v3, under the names in their config.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DebertaConfig {
    /// Number of buckets of distances in each direction; `None` if each distance is its own bucket.
    pub position_buckets: Option<usize>,
    /// Distance from which on all positions share a bucket; `None` means `max_position_embeddings`.
    pub max_relative_positions: Option<usize>,
    /// The terms of the attention scores that depend on distances.
    pub pos_att_type: PosAttType,
    /// Dropout rate before the pooler.
    pub pooler_dropout: f64,
}

/// The terms of the attention scores that depend on distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Terms", into = "Vec<String>")]
pub struct PosAttType {
    /// Content to position: query and distance.
    pub c2p: bool,
    /// Position to content: distance and key.
    pub p2c: bool,
}

/// `pos_att_type` in config.json: `"p2c|c2p"` or `["p2c", "c2p"]`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected p2c|c2p, or a list of p2c and c2p")]
enum Terms {
    Joined(String),
    List(Vec<String>),
}

impl From<Terms> for PosAttType {
    fn from(terms: Terms) -> Self {
        let names = match terms {
            Terms::Joined(names) => names.to_lowercase().split('|').map(|name| name.trim().into()).collect(),
            Terms::List(names) => names,
        };
        let has = |name: &str| names.iter().any(|found: &String| found == name);
        Self { c2p: has("c2p"), p2c: has("p2c") }
    }
}

impl From<PosAttType> for Vec<String> {
    fn from(PosAttType { c2p, p2c }: PosAttType) -> Self {
        let names = [p2c.then_some("p2c"), c2p.then_some("c2p")];
        names.into_iter().flatten().map(String::from).collect()
    }
}

impl DebertaConfig {
    /// Returns the relative positions of a model with this many positions.
    pub(crate) fn relative_positions(&self, max_position_embeddings: usize) -> RelativePositions {
        RelativePositions {
            position_buckets: self.position_buckets,
            max_relative_positions: self.max_relative_positions.unwrap_or(max_position_embeddings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pos_att_type_is_a_string_or_a_list() {
        for (json, c2p, p2c) in [
            (r#""p2c|c2p""#, true, true),
            (r#"["p2c", "c2p"]"#, true, true),
            (r#"" C2P""#, true, false),
            (r#"["p2c"]"#, false, true),
            ("[]", false, false),
        ] {
            assert_eq!(serde_json::from_str::<PosAttType>(json).unwrap(), PosAttType { c2p, p2c }, "{json}");
        }
        assert!(serde_json::from_str::<PosAttType>("3").is_err());
        let both = PosAttType { c2p: true, p2c: true };
        assert_eq!(serde_json::to_string(&both).unwrap(), r#"["p2c","c2p"]"#);
    }
}
