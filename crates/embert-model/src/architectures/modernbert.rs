//! ModernBERT (Warner et al., 2024), Ettin and mmBERT: norms before the blocks, rotary positions, windows, gated
//! feed-forward networks and no biases.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::architecture::{Architecture, Head, gelu};
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::{EncoderConfig, Positions};
use crate::modernbert_config::{ClassifierPooling, LayerType, ModernBertConfig};

/// ModernBERT. PEFT has no default target modules for it.
pub static MODERNBERT: Architecture = Architecture {
    model_type: "modernbert",
    models: "answerdotai/ModernBERT-base, answerdotai/ModernBERT-large, jhu-clsp/ettin-encoder-150m, jhu-clsp/mmBERT-base",
    classifier_class: "ModernBertForSequenceClassification",
    tokenizer_class: "PreTrainedTokenizerFast",
    has_word_pieces: false,
    default_config,
    keys,
    base_model_prefix: "model",
    layers: "layers",
    embeddings: &["embeddings"],
    ignored: &[],
    renames: &[
        ("embeddings.word_embeddings", "embeddings.tok_embeddings"),
        ("embeddings.layer_norm", "embeddings.norm"),
        ("attn.wqkv", "attn.Wqkv"),
        ("attn.wo", "attn.Wo"),
        ("mlp.wi", "mlp.Wi"),
        ("mlp.wo", "mlp.Wo"),
        ("encoder.final_norm", "final_norm"),
    ],
    has_pooler: false,
    final_norm: Some("final_norm"),
    head: Head {
        dense: Some(("head.dense", gelu)),
        pretrained_dense: true,
        drops_input: false,
        norm: Some("head.norm"),
        classifier: "classifier",
    },
    lora_target_modules: &[],
};

/// The settings of ModernBERT-base, with the pooling of ModernBertConfig.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 50368,
        positions: Positions::None,
        max_position_embeddings: 8192,
        type_vocab_size: None,
        num_hidden_layers: 22,
        intermediate_size: 1152,
        layer_norm_eps: 1e-5,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        classifier_dropout: Some(0.0),
        pad_token_id: Some(50283),
        modernbert: Some(default_modernbert()),
        ..EncoderConfig::default()
    }
}

fn default_modernbert() -> ModernBertConfig {
    ModernBertConfig {
        global_attn_every_n_layers: 3,
        layer_types: None,
        global_rope_theta: 160_000.0,
        local_rope_theta: 10_000.0,
        local_attention: 128,
        mlp_dropout: 0.0,
        classifier_pooling: ClassifierPooling::Cls,
        initializer_cutoff_factor: 2.0,
    }
}

/// The ids of special tokens. The tokenizer decides, not the model.
const TOKEN_IDS: [(&str, u32); 4] =
    [("bos_token_id", 50281), ("eos_token_id", 50282), ("cls_token_id", 50281), ("sep_token_id", 50282)];

/// The type of each layer is written, so their number is limited before memory is allocated.
const MAX_LAYERS: usize = 10_000;

/// Below it, drawing new weights again beyond the cutoff would take too long.
const MIN_CUTOFF: f64 = 0.1;

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.size("vocab_size", &mut config.vocab_size)?;
    keys.size("hidden_size", &mut config.hidden_size)?;
    keys.size("intermediate_size", &mut config.intermediate_size)?;
    keys.size("num_hidden_layers", &mut config.num_hidden_layers)?;
    keys.size("num_attention_heads", &mut config.num_attention_heads)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.positive("norm_eps", &mut config.layer_norm_eps)?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.rate("attention_dropout", &mut config.attention_probs_dropout_prob)?;
    keys.rate("embedding_dropout", &mut config.hidden_dropout_prob)?;
    keys.rate("classifier_dropout", config.classifier_dropout.get_or_insert(0.0))?;
    let modernbert = config.modernbert.get_or_insert_with(default_modernbert);
    keys.rate("mlp_dropout", &mut modernbert.mlp_dropout)?;
    keys.size("local_attention", &mut modernbert.local_attention)?;
    keys.value("classifier_pooling", &mut modernbert.classifier_pooling)?;
    keys.value("initializer_cutoff_factor", &mut modernbert.initializer_cutoff_factor)?;
    if modernbert.initializer_cutoff_factor < MIN_CUTOFF {
        let found = modernbert.initializer_cutoff_factor;
        return Err(
            keys.error(format!("initializer_cutoff_factor is {found}; it must be at least {MIN_CUTOFF}"))
        );
    }
    layer_types(modernbert, config.num_hidden_layers, keys)?;
    rope_thetas(modernbert, keys)?;
    for key in ["attention_bias", "mlp_bias", "norm_bias", "classifier_bias"] {
        keys.require(key, false)?;
    }
    keys.require("hidden_activation", "gelu".to_string())?;
    keys.require("classifier_activation", "gelu".to_string())?;
    keys.value("pad_token_id", &mut config.pad_token_id)?;
    for (key, id) in TOKEN_IDS {
        keys.preserve(key, json!(id))?;
    }
    head_size(config, keys)
}

/// Checks that a head has pairs of columns, which the rotary position embedding rotates.
fn head_size(config: &EncoderConfig, keys: &ConfigKeys<'_>) -> Result<(), ModelError> {
    let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
    keys.divisible(("hidden_size", hidden), ("num_attention_heads", heads))?;
    if (hidden / heads).is_multiple_of(2) {
        return Ok(());
    }
    Err(keys.error(format!("hidden_size / num_attention_heads is {}; it must be even", hidden / heads)))
}

/// Reads `layer_types`, or `global_attn_every_n_layers` of older files, and writes both if the types follow it.
fn layer_types(
    modernbert: &mut ModernBertConfig,
    num_layers: usize,
    keys: &mut ConfigKeys<'_>,
) -> Result<(), ModelError> {
    if num_layers > MAX_LAYERS {
        let reason = format!("num_hidden_layers is {num_layers}; the maximum is {MAX_LAYERS}");
        return Err(keys.error(reason));
    }
    keys.size("global_attn_every_n_layers", &mut modernbert.global_attn_every_n_layers)?;
    let derived = |modernbert: &ModernBertConfig| {
        (0..num_layers).map(|layer| modernbert.layer_type(layer)).collect::<Vec<_>>()
    };
    let mut types = modernbert.layer_types.take().unwrap_or_else(|| derived(modernbert));
    keys.value("layer_types", &mut types)?;
    if types.len() != num_layers {
        let found = types.len();
        return Err(keys.error(format!("layer_types has {found} entries for {num_layers} layers")));
    }
    if types == derived(modernbert) {
        return Ok(());
    }
    let second = types.iter().skip(1).position(|&layer| layer == LayerType::FullAttention);
    modernbert.global_attn_every_n_layers = second.map_or(num_layers, |skipped| skipped + 1);
    if types == derived(modernbert) {
        keys.record("global_attn_every_n_layers", modernbert.global_attn_every_n_layers);
    } else {
        modernbert.layer_types = Some(types);
        keys.omit("global_attn_every_n_layers");
    }
    Ok(())
}

/// Reads `rope_parameters`, or the keys of older files, and writes both.
fn rope_thetas(modernbert: &mut ModernBertConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.require("rope_scaling", Value::Null)?;
    keys.omit("rope_scaling");
    keys.positive("global_rope_theta", &mut modernbert.global_rope_theta)?;
    keys.positive("local_rope_theta", &mut modernbert.local_rope_theta)?;
    let mut parameters = None;
    keys.value("rope_parameters", &mut parameters)?;
    if let Some(RopeParameters { full_attention, sliding_attention }) = parameters {
        let global = (&mut modernbert.global_rope_theta, full_attention, "full_attention");
        let local = (&mut modernbert.local_rope_theta, sliding_attention, "sliding_attention");
        for (theta, rope, layer_type) in [global, local] {
            rope.map_or(Ok(()), |rope| rope.read(theta))
                .map_err(|reason| keys.error(format!("rope_parameters.{layer_type}.{reason}")))?;
        }
    }
    let [global, local] = [modernbert.global_rope_theta, modernbert.local_rope_theta];
    keys.record("global_rope_theta", global);
    keys.record("local_rope_theta", local);
    let [full_attention, sliding_attention] = [global, local].map(|theta| Some(Rope::new(theta)));
    keys.record("rope_parameters", RopeParameters { full_attention, sliding_attention });
    Ok(())
}

/// `rope_parameters` of transformers 5.
#[derive(Debug, Serialize, Deserialize)]
struct RopeParameters {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Rope {
    rope_type: Option<String>,
    rope_theta: Option<f64>,
}

impl Rope {
    fn new(theta: f64) -> Self {
        Self { rope_type: Some("default".into()), rope_theta: Some(theta) }
    }

    /// Replaces `theta`, if the file has one. The error begins with the key.
    fn read(self, theta: &mut f64) -> Result<(), String> {
        if let Some(rope_type) = self.rope_type.filter(|rope_type| rope_type != "default") {
            return Err(format!("rope_type is {rope_type}; only default is supported"));
        }
        *theta = self.rope_theta.unwrap_or(*theta);
        let is_positive = *theta > 0.0;
        if is_positive { Ok(()) } else { Err(format!("rope_theta is {theta}; it must be greater than 0")) }
    }
}

/// The distribution of new weights: normal, with mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NewWeights {
    pub(crate) standard_deviation: f64,
    /// The largest value, in standard deviations; `None` without a limit.
    pub(crate) cutoff: Option<f64>,
}

impl EncoderConfig {
    /// Returns the distribution of a new matrix with this name.
    pub(crate) fn new_weights(&self, name: &str) -> NewWeights {
        let range = self.initializer_range;
        let Some(modernbert) = &self.modernbert else {
            return NewWeights { standard_deviation: range, cutoff: None };
        };
        let is_output = ["Wo.weight", "head.dense.weight"].iter().any(|end| name.ends_with(end));
        let standard_deviation = match name {
            "classifier.weight" => (self.hidden_size as f64).powf(-0.5),
            _ if is_output => range / (2.0 * self.num_hidden_layers as f64).sqrt(),
            _ => range,
        };
        NewWeights { standard_deviation, cutoff: Some(modernbert.initializer_cutoff_factor) }
    }
}
