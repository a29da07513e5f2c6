//! Flags of transformers' Trainer and `run_classification.py` that are accepted without effect.

use crate::boolean::is_boolean;
use crate::error::CliError;

/// The values that an accepted flag takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// `--flag`, `--flag true` or `--flag false`.
    Switch,
    /// `--flag VALUE`, any value.
    Value,
    /// `--flag VALUE` with one of these values. Other values would have an effect.
    OneOf(&'static [&'static str]),
    /// `--flag false`. True would have an effect.
    False,
}
use Takes::{False, OneOf, Switch, Value};

const FLAGS: &[(&str, Takes)] = &[
    // embert always does this.
    ("do_train", Switch),
    ("do_predict", False),
    ("shuffle_train_dataset", Switch),
    ("optim", OneOf(&["adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused"])),
    ("ignore_data_skip", False),
    ("eval_delay", OneOf(&["0"])),
    ("model_revision", OneOf(&["main"])),
    ("save_safetensors", OneOf(&["true", "True", "1"])),
    ("remove_unused_columns", Switch),
    ("full_determinism", Switch),
    ("adafactor", False),
    ("push_to_hub", False),
    ("eval_on_start", False),
    ("prediction_loss_only", False),
    ("save_only_model", False),
    // Reports and logs of other tools.
    ("report_to", Value),
    ("run_name", Value),
    ("logging_dir", Value),
    ("logging_strategy", Value),
    ("logging_first_step", Switch),
    ("logging_nan_inf_filter", Switch),
    ("disable_tqdm", Switch),
    ("log_level", Value),
    ("log_level_replica", Value),
    ("log_on_each_node", Switch),
    ("skip_memory_metrics", Switch),
    ("include_inputs_for_metrics", Switch),
    ("include_num_input_tokens_seen", Switch),
    ("include_tokens_per_second", Switch),
    ("metric_name", Value),
    ("max_predict_samples", Value),
    ("hub_model_id", Value),
    ("hub_strategy", Value),
    ("hub_private_repo", Switch),
    // Settings of PyTorch that do not change results.
    ("fp16_opt_level", Value),
    ("fp16_backend", Value),
    ("half_precision_backend", Value),
    ("bf16_full_eval", Switch),
    ("fp16_full_eval", Switch),
    ("torch_compile", Switch),
    ("torch_compile_backend", Value),
    ("torch_compile_mode", Value),
    ("torch_empty_cache_steps", Value),
    ("jit_mode_eval", Switch),
    ("use_ipex", Switch),
    ("use_liger_kernel", Switch),
    ("use_cpu", Switch),
    ("no_cuda", Switch),
    ("use_mps_device", Switch),
    ("gradient_checkpointing_kwargs", Value),
    ("eval_accumulation_steps", Value),
    ("pad_to_max_length", Switch),
    ("length_column_name", Value),
    ("label_names", Value),
    ("past_index", Value),
    // Processes and workers: embert starts its own threads.
    ("dataloader_num_workers", Value),
    ("dataloader_pin_memory", Switch),
    ("dataloader_persistent_workers", Switch),
    ("dataloader_prefetch_factor", Value),
    ("preprocessing_num_workers", Value),
    ("overwrite_cache", Switch),
    ("local_rank", Value),
    ("ddp_backend", Value),
    ("ddp_find_unused_parameters", Switch),
    ("ddp_bucket_cap_mb", Value),
    ("ddp_broadcast_buffers", Switch),
    ("ddp_timeout", Value),
    ("average_tokens_across_devices", Switch),
    ("save_on_each_node", Switch),
    ("tpu_num_cores", Value),
    ("tpu_metrics_debug", Switch),
    ("ray_scope", Value),
    // Files: the hub's settings are environment variables, and every tokenizer is a fast one.
    ("cache_dir", Value),
    ("use_fast_tokenizer", Switch),
    ("trust_remote_code", Switch),
];

/// Splits the arguments into the others and these flags. Expects underscores in flags.
///
/// # Errors
/// A flag with a value that would have an effect.
pub(crate) fn take(arguments: Vec<String>) -> Result<(Vec<String>, Vec<String>), CliError> {
    let (mut kept, mut taken) = (vec![], vec![]);
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        let Some((flag, takes, mut value)) = known(&argument) else {
            kept.push(argument);
            continue;
        };
        if value.is_none() {
            let is_value = |next: &String| match takes {
                Switch | False => is_boolean(next).is_some(),
                Value | OneOf(_) => !next.starts_with("--"),
            };
            value = arguments.next_if(is_value);
        }
        require_harmless(flag, takes, value.as_deref())?;
        taken.push(value.map_or_else(|| format!("--{flag}"), |value| format!("--{flag} {value}")));
    }
    Ok((kept, taken))
}

/// Returns the flag of an argument, and its value if written with `=`.
fn known(argument: &str) -> Option<(&'static str, Takes, Option<String>)> {
    let name = argument.strip_prefix("--")?;
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (name, None),
    };
    FLAGS.iter().find(|(known, _)| *known == name).map(|&(flag, takes)| (flag, takes, value))
}

fn require_harmless(flag: &str, takes: Takes, value: Option<&str>) -> Result<(), CliError> {
    let expected = match takes {
        Switch | Value => return Ok(()),
        False if value.and_then(is_boolean) == Some(false) => return Ok(()),
        OneOf(values) if value.is_some_and(|value| values.contains(&value)) => return Ok(()),
        False => "false".to_owned(),
        OneOf(values) => values.join(" or "),
    };
    let found = value.map_or(String::new(), |value| format!(" {value}"));
    Err(CliError::usage(format!("--{flag}{found} is not supported; embert supports only {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_without_effect_are_removed_with_their_values() {
        for (arguments, kept, taken) in [
            ("train --report_to none --seed 1", "train --seed 1", vec!["--report_to none"]),
            ("train --do_train --seed 1", "train --seed 1", vec!["--do_train"]),
            (
                "train --do_train True --overwrite_cache",
                "train",
                vec!["--do_train True", "--overwrite_cache"],
            ),
            ("train --fp16_opt_level=O1", "train", vec!["--fp16_opt_level O1"]),
            ("train --optim adamw_torch --model x", "train --model x", vec!["--optim adamw_torch"]),
            ("train --push_to_hub false", "train", vec!["--push_to_hub false"]),
            ("train --dataloader_num_workers 4", "train", vec!["--dataloader_num_workers 4"]),
            ("train --learning_rate 1", "train --learning_rate 1", vec![]),
        ] {
            let (found, out) = take(words(arguments)).unwrap();
            assert_eq!(found, words(kept), "{arguments}");
            assert_eq!(out, taken, "{arguments}");
        }
    }

    #[test]
    fn values_with_an_effect_are_refused() {
        for arguments in
            ["--optim adafactor", "--optim", "--push_to_hub", "--do_predict true", "--model_revision v2"]
        {
            let error = take(words(arguments)).unwrap_err();
            assert_eq!(error.code, 2, "{arguments}");
            assert!(error.message.starts_with(arguments), "{}", error.message);
        }
    }
}
