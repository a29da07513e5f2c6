//! DoRA (Liu et al., 2024): y = xW + b − x̃W + m/n · x̃·(W + s·A·B) with x̃ = dropout(x) and the norms n of the
//! columns of W + s·A·B. Without dropout, y = m/n · x·(W + s·A·B) + b.
//!
//! n is a constant for the gradient, as in PEFT.

use burn::tensor::{DType, Tensor};
use embert_kernels::{Precision, add_low_rank, dropout, linear};

use crate::forward_context::LinearContext;
use crate::lora::low_rank::Lora;

/// A linear layer whose output is a part of the columns of y.
pub(crate) struct DoraPart<'a> {
    /// The adapter; `None` if the layer has none.
    pub(crate) lora: Option<&'a Lora>,
    /// W, `[in, out]`.
    pub(crate) weight: Tensor<2>,
    /// The part of b that y contains, `[out]`; `None` means 0.
    pub(crate) bias: Option<Tensor<1>>,
    pub(crate) context: LinearContext<'a>,
}

/// Returns the output of layers with DoRA from y = xW + b. Their columns are concatenated in y.
///
/// # Shapes
/// - `y`, output: `[rows, columns]`
/// - `x`: `[rows, in]`
pub(crate) fn add_dora(parts: &[DoraPart<'_>], y: Tensor<2>, x: &Tensor<2>) -> Tensor<2> {
    if parts.iter().any(DoraPart::drops) {
        return add_with_dropout(parts, y, x);
    }
    let dtype = y.dtype();
    let (y, _) = parts.iter().fold((y, 0), |(y, column), part| {
        (part.add_low_rank(column, y, x.clone()), column + part.weight.dims()[1])
    });
    let scale = Tensor::cat(parts.iter().map(DoraPart::scale).collect(), 1); // [1, columns]
    let scaled = y * scale.clone().cast(dtype);
    if parts.iter().all(|part| part.bias.is_none()) {
        return scaled;
    }
    let bias = Tensor::cat(parts.iter().map(DoraPart::bias).collect(), 1); // [1, columns]
    scaled + (bias.clone() - bias * scale).cast(dtype)
}

/// Each adapter drops other elements of x, so x̃W is a product of its own.
fn add_with_dropout(parts: &[DoraPart<'_>], y: Tensor<2>, x: &Tensor<2>) -> Tensor<2> {
    let changes = parts.iter().map(|part| part.change(x, y.dtype())).collect();
    y + Tensor::cat(changes, 1)
}

impl DoraPart<'_> {
    fn drops(&self) -> bool {
        self.context.forward.dropout.is_some() && self.lora.is_some_and(|lora| lora.dropout > 0.0)
    }

    fn add_low_rank(&self, first_column: usize, y: Tensor<2>, x: Tensor<2>) -> Tensor<2> {
        match self.lora {
            Some(lora) => lora.add(first_column, y, x, self.context),
            None => y,
        }
    }

    /// Returns m/n, `[1, out]`; 1 without an adapter.
    fn scale(&self) -> Tensor<2> {
        let scale = self.lora.and_then(|lora| magnitude_scale(lora, self.weight.clone()));
        scale.unwrap_or_else(|| Tensor::ones([1, self.weight.dims()[1]], &self.weight.device()))
    }

    /// Returns b, `[1, out]`.
    fn bias(&self) -> Tensor<2> {
        let zeros = || Tensor::zeros([1, self.weight.dims()[1]], &self.weight.device());
        self.bias.clone().map_or_else(zeros, Tensor::unsqueeze)
    }

    /// Returns m/n · x̃·(W + s·A·B) − x̃W, `[rows, out]`; 0 without an adapter.
    fn change(&self, x: &Tensor<2>, dtype: DType) -> Tensor<2> {
        let Some(lora) = self.lora else {
            let shape = [x.dims()[0], self.weight.dims()[1]];
            return Tensor::zeros(shape, (&x.device(), dtype));
        };
        let LinearContext { forward, layer, site, layout } = self.context;
        let x = dropout(x.clone(), layout, forward.site(layer, site, lora.dropout)); // [rows, in]
        let product = linear(x.clone(), self.weight.clone(), None, forward.precision); // [rows, out]
        let matrices = [lora.lora_a.val(), lora.lora_b.val()];
        let updated = add_low_rank(product.clone(), x, matrices, lora.scaling, 0, layout, None);
        updated * self.scale().cast(dtype) - product
    }
}

/// Returns m/n, `[1, out]`; `None` without DoRA.
///
/// Each forward pass computes n. This needs one product of the size of W·r and one temporary matrix of the size
/// of W, which the gradient does not keep.
pub(super) fn magnitude_scale(lora: &Lora, weight: Tensor<2>) -> Option<Tensor<2>> {
    let magnitude = lora.lora_magnitude_vector.as_ref()?.val().unsqueeze(); // [1, out]
    Some(magnitude / column_norms(weight, [lora.lora_a.val(), lora.lora_b.val()], lora.scaling))
}

/// Returns n = ‖W + s·A·B‖ of each column, `[1, out]`, as a constant.
pub(super) fn column_norms(weight: Tensor<2>, [a, b]: [Tensor<2>; 2], scaling: f64) -> Tensor<2> {
    let [weight, a, b] = [weight, a, b].map(|tensor| tensor.set_require_grad(false));
    let merged = weight + linear(a, b, None, Precision::Fp32) * scaling; // [in, out]
    (merged.clone() * merged).sum_dim(0).sqrt()
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Device, TensorData, Tolerance};
    use embert_kernels::DropoutStream;

    use super::*;
    use crate::forward_context::ForwardContext;

    fn values(shape: [usize; 2], shift: usize) -> Tensor<2> {
        let values = (0..shape[0] * shape[1]).map(|i| ((i * 7 + shift) as f32).sin()).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn lora(shift: usize) -> Lora {
        Lora {
            lora_a: Param::from_tensor(values([4, 2], shift)),
            lora_b: Param::from_tensor(values([2, 3], shift + 1)),
            lora_magnitude_vector: Some(Param::from_tensor(values([1, 3], shift + 2).squeeze_dim(0))),
            scaling: 0.7,
            dropout: 0.4,
            initial: None,
        }
    }

    /// Returns the output of one layer, in the words of PEFT.
    fn expected(part: &DoraPart<'_>, x: &Tensor<2>) -> Tensor<2> {
        let result = x.clone().matmul(part.weight.clone()); // [rows, out]
        let bias = part.bias.clone().unwrap().unsqueeze::<2>();
        let Some(lora) = part.lora else { return result + bias };
        let LinearContext { forward, layer, site, .. } = part.context;
        let x = dropout(x.clone(), None, forward.site(layer, site, lora.dropout));
        let delta = lora.lora_a.val().matmul(lora.lora_b.val()) * lora.scaling; // [in, out]
        let norm = (part.weight.clone() + delta.clone()).powi_scalar(2).sum_dim(0).sqrt();
        let scale = lora.lora_magnitude_vector.as_ref().unwrap().val().unsqueeze::<2>() / norm; // [1, out]
        let base = x.clone().matmul(part.weight.clone());
        result + bias + (scale.clone() - 1) * base + scale * x.matmul(delta)
    }

    #[test]
    fn outputs_of_concatenated_layers_are_those_of_each_layer() {
        let (first, third, x) = (lora(1), lora(5), values([6, 4], 9));
        let stream = DropoutStream { seed: 1, step: 2, first_sequence: 3 };
        for dropout in [None, Some(stream)] {
            let forward = ForwardContext { dropout, ..ForwardContext::default() };
            let part = |lora, site: usize| DoraPart {
                lora,
                weight: values([4, 3], 20 + site),
                bias: Some(values([1, 3], 30 + site).squeeze_dim(0)),
                context: LinearContext { forward, layer: 0, site, layout: None },
            };
            let parts = [part(Some(&first), 3), part(None, 4), part(Some(&third), 5)];
            let plain = |part: &DoraPart<'_>| x.clone().matmul(part.weight.clone()) + part.bias();
            let y = Tensor::cat(parts.iter().map(plain).collect(), 1);
            let found = add_dora(&parts, y, &x);
            let expected = Tensor::cat(parts.iter().map(|part| expected(part, &x)).collect(), 1);
            found.into_data().assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
        }
    }
}
