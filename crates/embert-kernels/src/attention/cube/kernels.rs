//! Attention as operations of Burn, which its fusion runs in order: on tensor cores if the device has them.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::heads::Heads;
use super::relative_bias::DeviceBias;
use super::{launch, tensor_core};
use crate::autodiff::custom_op;
use crate::cube::list_op::list_op;

/// Returns the output, `[num_tokens, hidden]`. The inputs are query, key and value in one tensor, and the bias if there is
/// one.
pub(super) fn attend<const N: usize>(inputs: [DispatchTensor; N], heads: Heads) -> Tensor<2> {
    custom_op::<Cube, N, 2, _>(inputs, |inputs, _| {
        let specs = inputs.each_ref().map(|x| TensorSpec::new(x.shape(), x.dtype()));
        let [num_tokens, columns] = specs[0].shape.dims();
        let of_output = TensorSpec::new(Shape::from([num_tokens, columns / 3]), specs[0].dtype);
        let of_sums = TensorSpec::new(Shape::from([heads.num_heads, num_tokens]), DType::F32);
        let forward_heads = heads.clone();
        let run = move |tensors| forward(tensors, &forward_heads);
        let outputs = list_op("attention", inputs.to_vec(), &[of_output, of_sums], run);
        let output = outputs[0].clone();
        let backward_fn = move |g: FloatTensor<Cube>, needed: [bool; N]| {
            let saved = outputs.iter().cloned().chain([g]).chain(inputs.iter().cloned()).collect();
            let has_bias_gradient = needed.get(1) == Some(&true);
            let (specs, heads) = (&specs[..1 + usize::from(has_bias_gradient)], heads.clone());
            let run = move |tensors| backward(tensors, has_bias_gradient, &heads);
            let mut gradients = list_op("attention_backward", saved, specs, run).into_iter();
            std::array::from_fn(|_| gradients.next())
        };
        (output, backward_fn)
    })
}

/// Returns the output, and log Σ exp of each row of scores, `[num_heads, num_tokens]`.
fn forward(tensors: Vec<CubeTensor>, heads: &Heads) -> Vec<CubeTensor> {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let query_key_value = tensors.next().expect("query, key and value");
    let bias = DeviceBias::new(tensors.next(), false);
    if uses_tensor_cores(&query_key_value, heads) {
        tensor_core::forward(query_key_value, &bias, heads).into()
    } else {
        launch::forward(query_key_value, &bias, heads).into()
    }
}

/// Returns the gradient of query, key and value, and that of the bias if it is needed.
fn backward(tensors: Vec<CubeTensor>, has_bias_gradient: bool, heads: &Heads) -> Vec<CubeTensor> {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let saved = [(); 4].map(|()| tensors.next().expect("outputs, gradient, and query, key and value"));
    let bias = DeviceBias::new(tensors.next(), has_bias_gradient);
    if uses_tensor_cores(&saved[3], heads) {
        tensor_core::backward(saved, &bias, heads)
    } else {
        launch::backward(saved, &bias, heads)
    }
}

fn uses_tensor_cores(query_key_value: &CubeTensor, heads: &Heads) -> bool {
    let [_, columns] = query_key_value.shape().dims();
    tensor_core::is_supported(query_key_value, heads.precision, columns / 3 / heads.num_heads)
}
