//! Opens a cached model in offline mode, and shows the error for a model that is not cached:
//! `cargo run -p embert-hub --example offline`.

use std::error::Error;
use std::fs;

use embert_hub::{Hub, HubSettings};

fn main() -> Result<(), Box<dyn Error>> {
    // The cache that a download creates. A real cache has links to blobs in the snapshot folder.
    let cache = tempfile::tempdir()?;
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let repo = cache.path().join("models--me--tiny-bert");
    fs::create_dir_all(repo.join("refs"))?;
    fs::create_dir_all(repo.join("snapshots").join(commit))?;
    fs::write(repo.join("refs/main"), commit)?;
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::write(repo.join("snapshots").join(commit).join(file), "{}")?;
    }

    let hub = Hub::new(HubSettings {
        endpoint: "https://huggingface.co".into(),
        cache: cache.path().to_owned(),
        token: None,
        offline: true,
    });
    let mut on_progress = |progress: embert_hub::HubProgress<'_>| {
        println!("{}: {} of {} bytes", progress.file, progress.bytes_done, progress.bytes_total);
    };
    println!("cached: {}", hub.model("me/tiny-bert", "main", &mut on_progress)?.display());
    let error = hub.model("me/other", "main", &mut on_progress).unwrap_err();
    println!("not cached: {error}");
    Ok(())
}
