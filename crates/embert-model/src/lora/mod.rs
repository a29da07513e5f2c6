//! Low-rank adapters: y + s·dropout(x)·A·B (Hu et al., 2021); W + s·A·B is never made while a model trains.

mod adapter_config;
mod adapter_model;
mod config;
mod count;
mod insert;
mod matching;
mod merge;
mod trained;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_kernels::add_low_rank;

use crate::Linear;
use crate::pass::LinearPass;

pub use adapter_model::{Adapter, save_adapter};
pub use config::{LoraBias, LoraConfig, ModuleNames};
pub use count::{ParameterCount, count_parameters};
pub use insert::add_adapter;
pub(crate) use insert::insert;
pub use merge::merge_adapter;
pub(crate) use trained::Trained;

/// The name of the file beside an adapter that holds the config of its model, with the names of the labels. It is not
/// `config.json`: transformers would take the directory for a complete model.
pub const ADAPTER_MODEL_CONFIG: &str = "model_config.json";

/// What is learnt beside a frozen linear layer: s·dropout(x)·A·B.
#[derive(Module, Debug)]
pub struct Lora {
    /// A, `[in, r]`: the transpose of what PyTorch and the files hold.
    pub lora_a: Param<Tensor<2>>,
    /// B, `[r, out]`: likewise.
    pub lora_b: Param<Tensor<2>>,
    /// s: `lora_alpha / r`, or `lora_alpha / √r`.
    pub scaling: f64,
    /// `lora_dropout`
    pub dropout: f64,
}

impl Lora {
    /// y + s·dropout(x)·A·B.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, out]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add(&self, y: Tensor<2>, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        self.add_from(0, y, x, at)
    }

    /// The same in the columns of y from `first_column` on.
    fn add_from(&self, first_column: usize, y: Tensor<2>, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        let site = at.pass.site(at.layer, at.site, self.dropout);
        let matrices = [self.lora_a.val(), self.lora_b.val()];
        add_low_rank(y, x, matrices, self.scaling, first_column, at.layout, site)
    }
}

/// What the adapters of maps side by side add to them, each in its own columns.
///
/// # Shapes
/// - `y`, output: `[rows, N · out]`
/// - `x`: `[rows, in]`
pub(crate) fn add_side_by_side<const N: usize>(
    maps: [(&Linear, LinearPass<'_>); N],
    y: Tensor<2>,
    x: &Tensor<2>,
) -> Tensor<2> {
    let width = y.dims()[1] / N;
    maps.into_iter().enumerate().fold(y, |y, (number, (map, at))| match &map.lora {
        Some(lora) => lora.add_from(number * width, y, x.clone(), at),
        None => y,
    })
}
