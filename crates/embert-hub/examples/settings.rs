//! Prints the settings that the current environment variables produce:
//! `HF_HOME=/data/hf cargo run -p embert-hub --example settings`.

use embert_hub::HubSettings;

fn main() {
    let settings = HubSettings::from_variables(|name| std::env::var(name).ok());
    println!("endpoint: {}", settings.endpoint);
    println!("cache:    {}", settings.cache.display());
    println!("token:    {}", if settings.token.is_some() { "set" } else { "not set" });
    println!("offline:  {}", settings.offline);
}
