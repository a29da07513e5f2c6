//! Prints mutations of a JSON document and of its bytes: `cargo run -p embert-hostile --example mutate_json`.

use embert_hostile::{damaged, dropped_or_replaced, replaced};
use serde_json::json;

fn main() {
    let config = json!({"hidden_size": 768, "labels": ["neg", "pos"]});

    println!("one value replaced: {}", replaced(&config, "/labels/1", json!("positive")));
    for (what, document) in dropped_or_replaced(&config, 5, 1) {
        println!("{what}: {document}");
    }
    let bytes = config.to_string().into_bytes();
    for (what, mutated) in damaged(&bytes, 8, 1) {
        println!("{what}: {}", mutated.escape_ascii());
    }
}
