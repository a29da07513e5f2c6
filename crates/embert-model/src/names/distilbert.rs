//! DistilBERT's names for what BERT's layers hold.

/// Parts of a path, the longer first, and what DistilBERT calls them.
const PARTS: [(&str, &str); 9] = [
    ("attention.self_attention.query", "attention.q_lin"),
    ("attention.self_attention.key", "attention.k_lin"),
    ("attention.self_attention.value", "attention.v_lin"),
    ("attention.output.dense", "attention.out_lin"),
    ("attention.output.layer_norm", "sa_layer_norm"),
    ("intermediate.dense", "ffn.lin1"),
    ("output.dense", "ffn.lin2"),
    ("output.layer_norm", "output_layer_norm"),
    ("embeddings.layer_norm", "embeddings.LayerNorm"),
];

/// The name of a parameter of the encoder, from its path.
pub(super) fn hugging_face_name(path: &str) -> String {
    match PARTS.iter().find(|(ours, _)| path.contains(ours)) {
        Some((ours, theirs)) => path.replace(ours, theirs),
        None => path.to_string(),
    }
}
