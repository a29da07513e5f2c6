//! Each operation of embert-kernels alone, forward and backward, at the shapes of a step of training.

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use embert_kernels::{
    DropoutSite, DropoutStream, SequenceLayout, add_layer_norm, attention, bias_gelu_linear, dropout,
    embeddings, layer_norm, linear, query_key_value,
};
use embert_model::{EncoderConfig, ForwardContext};

use crate::{device, measure::time, texts::texts, work::Work};

/// An operation, how often a step does it, and the seconds of once.
pub(crate) struct Operation {
    pub name: &'static str,
    pub times: usize,
    pub seconds: f64,
}

impl Operation {
    /// The seconds of a step's share.
    pub(crate) fn total(&self) -> f64 {
        self.times as f64 * self.seconds
    }
}

/// The operations of a step on these rows, in their order.
pub(crate) fn measure(work: &Work, rows: &[usize]) -> Vec<Operation> {
    let step = Step::new(work, rows);
    let layers = work.config.num_hidden_layers - 1; // the last is not like them
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

/// The shapes of a step.
struct Step<'a> {
    work: &'a Work,
    device: Device,
    ids: Vec<i32>,
    layout: SequenceLayout,
    site: DropoutSite,
}

impl<'a> Step<'a> {
    fn new(work: &'a Work, rows: &[usize]) -> Self {
        let (device, padding) = device::open();
        let batch = texts(work).batch(rows, padding);
        let stream = DropoutStream { seed: 42, step: 0, first_sequence: 0 };
        Self {
            work,
            device: device.autodiff(),
            ids: batch.ids.iter().map(|&id| id as i32).collect(),
            layout: SequenceLayout { lengths: batch.lengths, padded_to: batch.padded_to },
            site: stream.site(0, 0, work.config.hidden_dropout_prob),
        }
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

    /// The median of forward and backward, with ones for the gradient of the output.
    fn seconds(&self, forward: impl Fn() -> Tensor<2>) -> f64 {
        let both = || {
            let gradients = forward().backward();
            self.device.sync().expect("the device works");
            gradients
        };
        time(both).median
    }

    /// With the LayerNorm and the dropout that follow.
    fn embeddings(&self) -> f64 {
        let config = &self.work.config;
        let (hidden, epsilon) = (config.hidden_size, config.layer_norm_eps);
        let ids = TensorData::new(self.ids.clone(), [self.ids.len()]);
        let ids = Tensor::<1, Int>::from_data(ids, (&self.device, DType::I32));
        let rows = [config.vocab_size, config.max_position_embeddings, config.type_vocab_size.unwrap_or(0)];
        let tables = rows.map(|rows| self.matrix(rows, hidden));
        let [weight, bias] = [self.vector(hidden), self.vector(hidden)];
        self.seconds(|| {
            let [word, position, token_type] = tables.clone();
            let x = embeddings(ids.clone(), &self.layout, word, position, Some(token_type)); // [num_tokens, hidden]
            let x = layer_norm(x, weight.clone(), Some(bias.clone()), epsilon);
            dropout(x, Some(&self.layout), Some(self.site))
        })
    }

    fn query_key_value(&self) -> f64 {
        let hidden = self.work.config.hidden_size;
        let x = self.hidden_states(hidden);
        let weights = [0; 3].map(|_| self.matrix(hidden, hidden));
        let biases = [0; 3].map(|_| Some(self.vector(hidden)));
        let precision = self.work.precision();
        self.seconds(|| query_key_value(x.clone(), weights.clone(), biases.clone(), precision))
    }

    fn attention(&self) -> f64 {
        let (hidden, num_heads) = (self.work.config.hidden_size, self.work.config.num_attention_heads);
        let qkv = self.hidden_states(3 * hidden);
        let precision = self.work.precision();
        self.seconds(|| attention(qkv.clone(), &self.layout, num_heads, Some(self.site), precision))
    }

    fn attention_output(&self) -> f64 {
        let hidden = self.work.config.hidden_size;
        let x = self.hidden_states(hidden);
        let (weight, bias) = (self.matrix(hidden, hidden), self.vector(hidden));
        let precision = self.work.precision();
        self.seconds(|| linear(x.clone(), weight.clone(), Some(bias.clone()), precision))
    }

    fn add_layer_norm(&self) -> f64 {
        let (hidden, epsilon) = (self.work.config.hidden_size, self.work.config.layer_norm_eps);
        let [x, residual] = [0; 2].map(|_| self.hidden_states(hidden));
        let (weight, bias) = (self.vector(hidden), Some(self.vector(hidden)));
        self.seconds(|| {
            let [x, residual] = [x.clone(), residual.clone()];
            add_layer_norm(x, residual, weight.clone(), bias.clone(), epsilon, &self.layout, Some(self.site))
        })
    }

    fn intermediate(&self) -> f64 {
        let (hidden, intermediate) = (self.work.config.hidden_size, self.work.config.intermediate_size);
        let (x, weight) = (self.hidden_states(hidden), self.matrix(hidden, intermediate));
        self.seconds(|| linear(x.clone(), weight.clone(), None, self.work.precision()))
    }

    fn bias_gelu_linear(&self) -> f64 {
        let (hidden, intermediate) = (self.work.config.hidden_size, self.work.config.intermediate_size);
        let (x, bias) = (self.hidden_states(intermediate), Some(self.vector(intermediate)));
        let (weight, output_bias) = (self.matrix(intermediate, hidden), Some(self.vector(hidden)));
        let precision = self.work.precision();
        self.seconds(|| {
            bias_gelu_linear(x.clone(), bias.clone(), weight.clone(), output_bias.clone(), precision)
        })
    }

    fn last_layer(&self) -> f64 {
        let config = EncoderConfig { num_hidden_layers: 1, vocab_size: 1, ..self.work.config.clone() };
        let x = self.hidden_states(config.hidden_size);
        let model = Work { config, ..self.work.clone() }.model(&self.device);
        let dropout = Some(DropoutStream { seed: 42, step: 0, first_sequence: 0 });
        let pass = ForwardContext { precision: self.work.precision(), dropout };
        self.seconds(|| model.encoder().forward_first(x.clone(), &self.layout, pass))
    }
}
