//! Measures each operation of embert-kernels, forward and backward, with the shapes of a training step.

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use embert_inference::sequence_layout;
use embert_kernels::{
    AttentionOptions, DropoutSite, DropoutStream, GeluApproximation, SequenceLayout, add_layer_norm,
    attention, bias_gelu_linear, dropout, embeddings, layer_norm, linear, query_key_value,
};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, BERT, EncoderConfig, ForwardContext};

use crate::{
    device,
    measure::time,
    texts::texts,
    workload::{SEED, Workload},
};

/// An operation, its number of calls in a step, and the seconds of a call.
pub(crate) struct Operation {
    pub name: &'static str,
    pub times: usize,
    pub seconds: f64,
}

impl Operation {
    /// Returns the seconds in a step.
    pub(crate) fn total(&self) -> f64 {
        self.times as f64 * self.seconds
    }
}

/// Measures the operations of a step on these rows, in order.
pub(crate) fn measure(workload: &Workload, rows: &[usize]) -> Vec<Operation> {
    let step = Step::new(workload, rows);
    let layers = workload.config.encoder().num_hidden_layers - 1; // without the last layer, which is different
    let operation = |name, times, seconds| Operation { name, times, seconds };
    vec![
        operation("embeddings", 1, step.embeddings()),
        operation("query_key_value", layers, step.query_key_value()),
        operation("attention", layers, step.attention()),
        operation("linear attention.output", layers, step.attention_output()),
        operation("add_layer_norm", 2 * layers, step.add_layer_norm()),
        operation("linear intermediate", layers, step.intermediate()),
        operation("bias_gelu_linear", layers, step.bias_gelu_linear()),
        operation("last layer, first tokens", 1, step.last_layer()),
    ]
}

/// The shapes of a training step.
struct Step<'a> {
    workload: &'a Workload,
    device: Device,
    ids: Vec<i32>,
    layout: SequenceLayout,
    site: DropoutSite,
}

impl<'a> Step<'a> {
    fn new(workload: &'a Workload, rows: &[usize]) -> Self {
        let (device, padding) = device::open();
        let batch = texts(workload).batch(rows, padding);
        let stream = DropoutStream { seed: 42, step: 0, first_sequence: 0 };
        Self {
            workload,
            device: device.autodiff(),
            ids: batch.ids.iter().map(|&id| id as i32).collect(),
            layout: sequence_layout(&batch),
            site: stream.site(0, 0, workload.config.encoder().hidden_dropout_prob),
        }
    }

    fn config(&self) -> &EncoderConfig {
        self.workload.config.encoder()
    }

    fn matrix(&self, rows: usize, columns: usize) -> Tensor<2> {
        Tensor::random([rows, columns], Distribution::Normal(0.0, 0.02), &self.device).require_grad()
    }

    fn vector(&self, columns: usize) -> Tensor<1> {
        Tensor::random([columns], Distribution::Normal(0.0, 0.02), &self.device).require_grad()
    }

    fn hidden_states(&self, columns: usize) -> Tensor<2> {
        self.matrix(self.layout.num_tokens(), columns)
    }

    /// Returns the median seconds of forward and backward, with ones as the gradient of the output.
    fn seconds(&self, forward: impl Fn() -> Tensor<2>) -> f64 {
        let both = || {
            let gradients = forward().backward();
            self.device.sync().expect("the device works");
            gradients
        };
        time(both).median
    }

    /// Includes the LayerNorm and the dropout after the embeddings.
    fn embeddings(&self) -> f64 {
        let config = self.config();
        let (hidden, epsilon) = (config.hidden_size, config.layer_norm_eps);
        let ids = TensorData::new(self.ids.clone(), [self.ids.len()]);
        let ids = Tensor::<1, Int>::from_data(ids, (&self.device, DType::I32));
        let rows = [config.vocab_size, config.max_position_embeddings, config.type_vocab_size.unwrap_or(0)];
        let tables = rows.map(|rows| self.matrix(rows, hidden));
        let [weight, bias] = [self.vector(hidden), self.vector(hidden)];
        self.seconds(|| {
            let [word, position, token_type] = tables.clone();
            let x = embeddings(ids.clone(), &self.layout, word, Some(position), 0, Some(token_type)); // [num_tokens, hidden]
            let x = layer_norm(x, weight.clone(), Some(bias.clone()), epsilon);
            dropout(x, Some(&self.layout), Some(self.site))
        })
    }

    fn query_key_value(&self) -> f64 {
        let hidden = self.config().hidden_size;
        let x = self.hidden_states(hidden);
        let weights = [0; 3].map(|_| self.matrix(hidden, hidden));
        let biases = [0; 3].map(|_| Some(self.vector(hidden)));
        let precision = self.workload.precision();
        self.seconds(|| query_key_value(x.clone(), weights.clone(), biases.clone(), precision))
    }

    fn attention(&self) -> f64 {
        let (hidden, num_heads) = (self.config().hidden_size, self.config().num_attention_heads);
        let qkv = self.hidden_states(3 * hidden);
        let (dropout, precision) = (Some(self.site), self.workload.precision());
        let options = AttentionOptions { num_heads, window: None, dropout, precision };
        self.seconds(|| attention(qkv.clone(), None, &self.layout, options))
    }

    fn attention_output(&self) -> f64 {
        let hidden = self.config().hidden_size;
        let x = self.hidden_states(hidden);
        let (weight, precision) = (self.matrix(hidden, hidden), self.workload.precision());
        self.seconds(|| linear(x.clone(), weight.clone(), None, precision))
    }

    fn add_layer_norm(&self) -> f64 {
        let (hidden, epsilon) = (self.config().hidden_size, self.config().layer_norm_eps);
        let [x, residual] = [0; 2].map(|_| self.hidden_states(hidden));
        let (weight, bias) = (self.vector(hidden), Some(self.vector(hidden)));
        self.seconds(|| {
            let [x, residual] = [x.clone(), residual.clone()];
            let (x_bias, site) = (bias.clone(), Some(self.site));
            add_layer_norm([x, residual], x_bias, weight.clone(), bias.clone(), epsilon, &self.layout, site)
        })
    }

    fn intermediate(&self) -> f64 {
        let (hidden, intermediate) = (self.config().hidden_size, self.config().intermediate_size);
        let (x, weight) = (self.hidden_states(hidden), self.matrix(hidden, intermediate));
        self.seconds(|| linear(x.clone(), weight.clone(), None, self.workload.precision()))
    }

    fn bias_gelu_linear(&self) -> f64 {
        let (hidden, intermediate) = (self.config().hidden_size, self.config().intermediate_size);
        let (x, bias) = (self.hidden_states(intermediate), Some(self.vector(intermediate)));
        let (weight, precision) = (self.matrix(intermediate, hidden), self.workload.precision());
        self.seconds(|| {
            bias_gelu_linear(x.clone(), bias.clone(), weight.clone(), GeluApproximation::None, precision)
        })
    }

    fn last_layer(&self) -> f64 {
        let config = EncoderConfig { num_hidden_layers: 1, vocab_size: 1, ..self.config().clone() };
        let x = self.hidden_states(config.hidden_size);
        let config = AutoConfig::new(&BERT, config);
        let model = AutoModelForSequenceClassification::new(&config, SEED, &self.device);
        let dropout = Some(DropoutStream { seed: 42, step: 0, first_sequence: 0 });
        let pass = ForwardContext { precision: self.workload.precision(), dropout };
        let encoder = model.encoder();
        self.seconds(|| encoder.forward_first(x.clone(), &encoder.context(&self.layout, pass)))
    }
}
