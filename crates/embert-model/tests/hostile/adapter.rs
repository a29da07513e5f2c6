//! Hostile adapter files: huge ranks, explosive regular expressions, invalid headers and pickles.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_hostile::{FuzzTarget, MemoryBound, damaged, dropped_or_replaced};
use embert_model::{Adapter, AutoConfig, AutoModelForSequenceClassification, ModelError, from_pretrained};
use serde_json::{Value, json};

use crate::pytorch_bytes::with_pickle;
use crate::{fixture, folder_of, parts, run, with_header};

const FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

/// Compiling a regular expression may take 10 MB.
const WITH_PATTERNS: MemoryBound = MemoryBound { times: 128, plus: 40 << 20 };

fn base() -> AutoModelForSequenceClassification {
    let directory = fixture("tiny_bert");
    let config = AutoConfig::from_dir(&directory).unwrap();
    from_pretrained(&directory, &config, 0, &Device::flex()).unwrap().model
}

/// Loads the adapter in the folder of the file and runs its model.
fn open(base: &AutoModelForSequenceClassification) -> impl Fn(&Path) -> Result<(), ModelError> {
    |file| {
        run(&Adapter::open(file.parent().unwrap())?.load(base.clone(), &[])?, 3);
        Ok(())
    }
}

const CASE: &str = "peft/plain";

#[test]
fn invalid_settings_are_refused_by_key() {
    let folder = folder_of(CASE, &FILES);
    let path = folder.path().join(FILES[0]);
    let good = fs::read(&path).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let base = base();
    let mut target = FuzzTarget::new(path, open(&base)).within(WITH_PATTERNS);
    target.file("undamaged", &good).unwrap();
    let wrong = [
        ("r", json!(1_000_000_000), "r: a rank is 1000000000"),
        ("r", json!(0), "r: a rank is 0"),
        ("r", json!(-1), "adapter_config.json"),
        ("r", json!(u64::MAX), "r: a rank is"),
        ("rank_pattern", json!({"query": 1_000_000_000}), "r: a rank is"),
        ("rank_pattern", json!({"(": 2}), "rank_pattern: "),
        ("alpha_pattern", json!({"query": -1.0}), "lora_alpha: "),
        ("lora_alpha", json!(0), "lora_alpha: it is 0"),
        ("lora_dropout", json!(1.5), "lora_dropout: it is 1.5"),
        ("lora_dropout", json!("a"), "adapter_config.json"),
        ("target_modules", json!([]), "target_modules: "),
        ("target_modules", json!("(a*)*b"), "target_modules: "),
        ("target_modules", json!("("), "target_modules: "),
        ("target_modules", json!("(".repeat(100_000)), "target_modules: "),
        ("target_modules", json!("((.*)*)*\\1x"), "target_modules: "),
        ("target_modules", json!("(?:(?:(?:a{1000}){1000}){1000})"), "target_modules: "),
        ("target_modules", json!("\\p{L}{1000}{1000}"), "target_modules: "),
        ("target_modules", json!(7), "adapter_config.json"),
        ("layers_to_transform", json!([-1]), "adapter_config.json"),
        ("layers_to_transform", json!([usize::MAX]), "target_modules: "),
        ("peft_type", json!("PREFIX_TUNING"), "peft_type is"),
        ("use_dora", json!(true), "lora_magnitude_vector"),
        ("use_dora", json!("yes"), "adapter_config.json"),
        ("init_lora_weights", json!("pissa_niter_4"), "init_lora_weights is"),
    ];
    for (key, value, expected) in wrong {
        let mut settings = config.clone();
        settings[key] = value;
        let error = target.refused(key, settings.to_string());
        assert!(error.contains(expected), "{key}: {error:?} lacks {expected:?}");
    }
    for (what, file) in
        [("nothing", vec![]), ("a list", b"[]".to_vec()), ("deep", b"{\"a\":".repeat(1 << 18))]
    {
        target.refused(what, file);
    }
    println!("{}", target.finish(27, 0));
}

#[test]
fn mutated_adapters_never_panic() {
    let folder = folder_of(CASE, &FILES);
    let base = base();
    let [settings, weights] = FILES.map(|file| folder.path().join(file));
    let good = fs::read(&settings).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let mut target = FuzzTarget::new(&settings, open(&base)).within(WITH_PATTERNS);
    let wrong = dropped_or_replaced(&config, 500, 8).into_iter();
    target.mutations(wrong.map(|(what, config)| (what, config.to_string())));
    target.mutations(damaged(&good, 500, 9));
    println!("{}", target.finish(0, 1000));

    fs::write(settings, good).unwrap();
    let good = fs::read(&weights).unwrap();
    let (header, data) = parts(&good);
    let mut target = FuzzTarget::new(&weights, open(&base));
    let wrong = dropped_or_replaced(&header, 500, 10).into_iter();
    target.mutations(wrong.map(|(what, header)| (what, with_header(header.to_string().as_bytes(), data))));
    target.mutations(damaged(&good, 500, 11));
    println!("{}", target.finish(0, 1000));
}

/// The other cases are those of `pytorch_model.bin`, which the same reader reads.
#[test]
fn adapters_of_torch_save_are_read_or_refused() {
    let folder = folder_of(CASE, &FILES[..1]);
    let good = fs::read(fixture("peft/plain.bin")).unwrap();
    let base = base();
    let mut target = FuzzTarget::new(folder.path().join("adapter_model.bin"), open(&base));
    target.file("undamaged", &good).unwrap();
    let error = target.refused("code", with_pickle(b"\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R."));
    assert!(error.contains("the global \"posix.system\" is not allowed"), "{error}");
    let error = target.refused("no tensors", with_pickle(b"\x80\x02}."));
    assert!(error.contains("missing 10 of the model's tensors"), "{error}");
    target.mutations(damaged(&good, 500, 12));
    println!("{}", target.finish(3, 500));
}
