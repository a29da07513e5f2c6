//! Parity checks: compares tiny models on a device with golden values of transformers, PyTorch and PEFT.

mod adapters;
mod gradients;
mod layouts;
mod models;
mod operations;
mod precision;
mod reference;
mod steps;
mod tolerance;

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use crate::device;
use models::{BERT, DISTILBERT, FAMILIES, Fixture};
use tolerance::Tolerance;

/// The input of every check.
struct Context {
    device: Device,
    fixtures: PathBuf,
}

/// The result of a check: the largest difference, or the reason why the device cannot run it.
enum CheckResult {
    Difference(f64),
    Skipped(String),
}

type OfModel = fn(&Context, Fixture) -> CheckResult;
type OfDevice = fn(&Context) -> CheckResult;

/// A check with this function, and its tolerance.
struct Check<F> {
    name: &'static str,
    /// Selects the tolerance of the backend.
    allowed: fn(&Tolerance) -> f64,
    run: F,
}

/// The checks of each model.
const MODEL_CHECKS: [Check<OfModel>; 3] = [
    Check { name: "hidden states", allowed: |t| t.forward, run: models::hidden_states },
    Check { name: "logits", allowed: |t| t.forward, run: models::logits },
    Check { name: "gradients", allowed: |t| t.gradients, run: gradients::compare },
];

const CHECKS: [Check<OfDevice>; 17] = [
    Check { name: "attention, wide heads", allowed: |t| t.forward, run: operations::attention_fp32 },
    Check { name: "attention, wide heads in TF32", allowed: |t| t.tf32, run: operations::attention_tf32 },
    Check { name: "attention, wide heads in bf16", allowed: |t| t.bf16, run: operations::attention_bf16 },
    Check { name: "attention, wide heads in fp16", allowed: |t| t.fp16, run: operations::attention_fp16 },
    Check { name: "padded against packed, logits", allowed: |t| t.forward, run: layouts::logits },
    Check { name: "padded against packed, gradients", allowed: |t| t.gradients, run: layouts::gradients },
    Check { name: "PEFT's adapters, logits", allowed: |t| t.forward, run: adapters::logits },
    Check { name: "PEFT's adapters, gradients", allowed: |t| t.gradients, run: adapters::gradients },
    Check { name: "BERT, ten losses with AdamW", allowed: |t| t.losses, run: steps::bert },
    Check { name: "DistilBERT, ten losses with AdamW", allowed: |t| t.losses, run: steps::distilbert },
    Check { name: "TF32 products against fp32, logits", allowed: |t| t.tf32, run: precision::tf32_logits },
    Check {
        name: "TF32 products against fp32, gradients",
        allowed: |t| t.tf32,
        run: precision::tf32_gradients,
    },
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

/// Runs `parity [--device NAME] [--fixtures DIR]`: prints a line for each check, and fails if a check fails.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--device" => options.device = Some(value.clone()),
            "--fixtures" => options.fixtures = value.into(),
            other => return Err(format!("unknown option {other} of parity")),
        }
    }
    let (device, backend) = device::named(options.device.as_deref())?;
    println!("parity on {backend}, compared with {}", options.fixtures.display());
    let context = Context { device, fixtures: options.fixtures };
    match context.failed_checks(Tolerance::of(backend)) {
        0 => Ok(()),
        1 => Err(format!("a check exceeds the tolerance of {backend}")),
        count => Err(format!("{count} checks exceed the tolerance of {backend}")),
    }
}

impl Context {
    /// Runs all checks, and returns how many of them fail.
    fn failed_checks(&self, tolerance: &Tolerance) -> usize {
        let of_model = |fixture: &Fixture| {
            let checks = MODEL_CHECKS.iter().map(|Check { name, allowed, run }| {
                let name = format!("{}, {name}", fixture.name);
                report(&name, allowed(tolerance), run(self, *fixture))
            });
            checks.filter(|passes| !passes).count()
        };
        let others =
            CHECKS.iter().map(|Check { name, allowed, run }| report(name, allowed(tolerance), run(self)));
        [BERT, DISTILBERT].iter().map(of_model).sum::<usize>()
            + others.filter(|passes| !passes).count()
            + FAMILIES.iter().map(of_model).sum::<usize>()
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

/// Prints the line of a check. Returns true if it passes.
fn report(name: &str, allowed: f64, result: CheckResult) -> bool {
    let (outcome, passes) = match result {
        CheckResult::Difference(difference) => {
            (format!("{difference:9.1e} of {allowed:7.0e}"), difference <= allowed)
        }
        CheckResult::Skipped(why) => (format!("skipped: {why}"), true),
    };
    println!("  {name:38} {outcome}{}", if passes { "" } else { "  FAILED" });
    passes
}
