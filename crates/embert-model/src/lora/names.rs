//! PEFT's names of an adapter's tensors.

/// Every name in adapter_model.safetensors begins so.
const PREFIX: &str = "base_model.model.";
const LORA_A: &str = ".lora_A.weight";
const LORA_B: &str = ".lora_B.weight";

/// The name of an adapter's matrix, `lora_a` or `lora_b`, in this module.
pub(crate) fn adapter_name(module: &str, matrix: &str) -> String {
    format!("{module}{}", if matrix == "lora_a" { LORA_A } else { LORA_B })
}

/// The name of the first matrix of this module's adapter.
pub(crate) fn lora_a_name(module: &str) -> String {
    format!("{module}{LORA_A}")
}

/// Whether a parameter is one of an adapter's matrices.
pub(crate) fn is_adapter(name: &str) -> bool {
    name.ends_with(LORA_A) || name.ends_with(LORA_B)
}

/// The module whose adapter's first matrix has this name.
pub(crate) fn adapted_module(name: &str) -> Option<String> {
    name.strip_suffix(LORA_A).map(String::from)
}

/// The name in adapter_model.safetensors: PEFT wraps an adapted layer, so its own bias is in its `base_layer`.
pub(crate) fn peft_name(name: &str, is_adapted: impl Fn(&str) -> bool) -> String {
    match name.strip_suffix(".bias").filter(|module| is_adapted(module)) {
        Some(module) => format!("{PREFIX}{module}.base_layer.bias"),
        None => format!("{PREFIX}{name}"),
    }
}

/// Whether a file holds this tensor a second time: with `bias="all"` PEFT also writes the biases inside its wrapper of a
/// saved module.
pub(crate) fn is_of_peft_wrapper(name: &str) -> bool {
    [".original_module.", ".modules_to_save."].iter().any(|wrapper| name.contains(wrapper))
}

/// The name in adapter_model.safetensors of the weight of the last linear layer, `[num_labels, hidden]`.
pub(crate) fn peft_head(classifier: &str) -> String {
    format!("{PREFIX}{classifier}.weight")
}
