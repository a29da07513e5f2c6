//! Adds a LoRA adapter to a classifier, saves it, loads it again and merges it:
//! `cargo run --release -p embert-model --example lora`.

use std::error::Error;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{
    Adapter, AutoConfig, LoraConfig, ModuleNames, add_adapter, count_parameters, from_pretrained,
    merge_adapter, parameters, save_adapter, save_pretrained,
};

fn main() -> Result<(), Box<dyn Error>> {
    let base_directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_bert");
    let output = tempfile::tempdir()?;
    let device = Device::flex().autodiff();
    let config = AutoConfig::from_dir(&base_directory)?;
    let base = from_pretrained(&base_directory, &config, 42, &device)?.complete(&base_directory)?;

    let target_modules = Some(ModuleNames::Names(vec!["query".into(), "value".into()]));
    let lora = LoraConfig { r: 4, lora_alpha: 8.0, target_modules, ..LoraConfig::default() };
    let model = add_adapter(base.clone(), &lora, 42)?;
    let count = count_parameters(&model);
    println!("{} of {} parameters are trainable", count.trainable, count.all);
    for parameter in parameters(&model).into_iter().filter(|parameter| parameter.is_trainable) {
        println!("  {} {:?}", parameter.name, parameter.shape);
    }

    // A training loop would run here.
    save_adapter(&model, "tiny_bert", output.path())?;
    let merged = merge_adapter(Adapter::open(output.path())?.load(base, &[])?);
    save_pretrained(&merged, &config, output.path())?;
    println!("saved an adapter and a merged model");
    Ok(())
}
