//! Names of adapter tensors in PEFT.

/// Prefix of every name in adapter_model.safetensors.
const PREFIX: &str = "base_model.model.";
const LORA_A: &str = ".lora_A.weight";
const LORA_B: &str = ".lora_B.weight";
const MAGNITUDE: &str = ".lora_magnitude_vector";

/// Returns the name of a parameter of the adapter of `module`. `field` is its field in
/// [`Lora`](crate::lora::Lora).
pub(crate) fn adapter_name(module: &str, field: &str) -> String {
    match field {
        "lora_a" => lora_a_name(module),
        "lora_b" => format!("{module}{LORA_B}"),
        _ => format!("{module}{MAGNITUDE}"),
    }
}

/// Returns the name of matrix A of the adapter of `module`.
pub(crate) fn lora_a_name(module: &str) -> String {
    format!("{module}{LORA_A}")
}

/// Returns true if a parameter belongs to an adapter.
pub(crate) fn is_adapter(name: &str) -> bool {
    name.ends_with(LORA_A) || name.ends_with(LORA_B) || is_magnitude(name)
}

/// Returns true if a parameter is the magnitude vector of DoRA.
pub(crate) fn is_magnitude(name: &str) -> bool {
    name.ends_with(MAGNITUDE)
}

/// Returns the module of the adapter whose matrix A has this name.
pub(crate) fn adapted_module(name: &str) -> Option<String> {
    name.strip_suffix(LORA_A).map(String::from)
}

/// Returns the name in adapter_model.safetensors. PEFT stores the bias of an adapted layer under
/// `base_layer`.
pub(crate) fn peft_name(name: &str, is_adapted: impl Fn(&str) -> bool) -> String {
    match name.strip_suffix(".bias").filter(|module| is_adapted(module)) {
        Some(module) => format!("{PREFIX}{module}.base_layer.bias"),
        None => format!("{PREFIX}{name}"),
    }
}

/// Returns true if the tensor is a duplicate. With `bias="all"`, PEFT also saves the biases in its wrapper of
/// a module in `modules_to_save`.
pub(crate) fn is_in_peft_wrapper(name: &str) -> bool {
    [".original_module.", ".modules_to_save."].iter().any(|wrapper| name.contains(wrapper))
}

/// Returns the name of the classifier's weight, `[num_labels, hidden]`, in adapter_model.safetensors.
pub(crate) fn peft_classifier_weight(classifier: &str) -> String {
    format!("{PREFIX}{classifier}.weight")
}
