//! The tiny models of the fixtures on a device, beside transformers, PyTorch and PEFT: how far each result is off, and how far
//! it may be.

mod adapters;
mod gradients;
mod layouts;
mod models;
mod precision;
mod reference;
mod steps;
mod tolerance;

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use crate::device;
use tolerance::Tolerance;

/// What every check needs.
struct Bench {
    device: Device,
    fixtures: PathBuf,
}

/// What a check says: the largest difference, or why it cannot be made here.
enum Answer {
    Difference(f64),
    Skipped(String),
}

/// A result, and what it is compared with.
struct Check {
    name: &'static str,
    /// Which of the device's tolerances holds.
    allowed: fn(&Tolerance) -> f64,
    run: fn(&Bench) -> Answer,
}

const CHECKS: [Check; 17] = [
    Check { name: "BERT, hidden states", allowed: |t| t.forward, run: models::bert_hidden_states },
    Check { name: "BERT, logits", allowed: |t| t.forward, run: models::bert_logits },
    Check { name: "BERT, gradients", allowed: |t| t.gradients, run: gradients::bert },
    Check {
        name: "DistilBERT, hidden states",
        allowed: |t| t.forward,
        run: models::distilbert_hidden_states,
    },
    Check { name: "DistilBERT, logits", allowed: |t| t.forward, run: models::distilbert_logits },
    Check { name: "DistilBERT, gradients", allowed: |t| t.gradients, run: gradients::distilbert },
    Check { name: "padded against packed, logits", allowed: |t| t.forward, run: layouts::logits },
    Check { name: "padded against packed, gradients", allowed: |t| t.gradients, run: layouts::gradients },
    Check { name: "PEFT's adapters, logits", allowed: |t| t.forward, run: adapters::logits },
    Check { name: "PEFT's adapters, gradients", allowed: |t| t.gradients, run: adapters::gradients },
    Check { name: "BERT, ten losses with AdamW", allowed: |t| t.losses, run: steps::bert },
    Check { name: "DistilBERT, ten losses with AdamW", allowed: |t| t.losses, run: steps::distilbert },
    Check { name: "bf16 products against fp32, logits", allowed: |t| t.bf16, run: precision::bf16_logits },
    Check {
        name: "bf16 products against fp32, gradients",
        allowed: |t| t.bf16,
        run: precision::bf16_gradients,
    },
    Check { name: "fp16 products against fp32, logits", allowed: |t| t.fp16, run: precision::fp16_logits },
    Check {
        name: "fp16 products against fp32, gradients",
        allowed: |t| t.fp16,
        run: precision::fp16_gradients,
    },
    Check { name: "dropout's masks against the CPU's", allowed: |_| 0.0, run: layouts::dropout_masks },
];

/// `parity [--device NAME] [--fixtures DIR]`: prints a line for each check; an error when one is off by more than allowed.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(|| format!("{option} is followed by a value"))?;
        match option.as_str() {
            "--device" => options.device = Some(value.clone()),
            "--fixtures" => options.fixtures = value.into(),
            other => return Err(format!("parity has no option {other}")),
        }
    }
    let (device, backend) = device::named(options.device.as_deref())?;
    let tolerance = Tolerance::of(backend);
    println!("parity on {backend}, beside {}", options.fixtures.display());
    let bench = Bench { device, fixtures: options.fixtures };
    let failed = CHECKS.iter().filter(|check| !tell(check, &bench, tolerance)).count();
    match failed {
        0 => Ok(()),
        count => {
            Err(format!("{count} of {} checks are off by more than is allowed on {backend}", CHECKS.len()))
        }
    }
}

struct Options {
    device: Option<String>,
    fixtures: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embert-model/tests/fixtures");
        Self { device: None, fixtures }
    }
}

/// Prints a check's line; whether it is as near as it must be.
fn tell(check: &Check, bench: &Bench, tolerance: &Tolerance) -> bool {
    let allowed = (check.allowed)(tolerance);
    let (said, passes) = match (check.run)(bench) {
        Answer::Difference(difference) => {
            (format!("{difference:9.1e} of {allowed:7.0e}"), difference <= allowed)
        }
        Answer::Skipped(why) => (format!("skipped: {why}"), true),
    };
    println!("  {:38} {said}{}", check.name, if passes { "" } else { "  TOO FAR" });
    passes
}
