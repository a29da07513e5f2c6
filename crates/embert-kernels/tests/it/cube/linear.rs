//! Linear layers on GPUs: their biases, alone and three side by side.

use burn::tensor::Tensor;
use embert_kernels::{Precision, reference};

use super::check;

/// The columns are vectors of 1, 2 and 4 elements. There are more rows than those of one cube.
#[test]
fn biases_match_the_reference() {
    for [rows, input, output] in [[1, 3, 7], [70, 8, 6], [200, 16, 36], [3, 4, 520]] {
        let vector = |x: Tensor<2>| x.squeeze_dim::<1>(0);
        let fp32 = Precision::Fp32;
        check(
            &format!("linear of {rows}x{input}x{output}"),
            [[rows, input], [input, output], [1, output]],
            |[x, w, b]| embert_kernels::linear(x, w, Some(vector(b)), fp32),
            |[x, w, b]| reference::linear(x, w, Some(vector(b)), fp32),
        );
        let (weight, bias) = ([input, output], [1, output]);
        check(
            &format!("query, key and value of {rows}x{input}x{output}"),
            [[rows, input], weight, weight, weight, bias, bias, bias],
            |[x, q, k, v, a, b, c]| {
                let biases = [a, b, c].map(|bias| Some(vector(bias)));
                embert_kernels::query_key_value(x, [q, k, v], biases, fp32)
            },
            |[x, q, k, v, a, b, c]| {
                let biases = [a, b, c].map(|bias| Some(vector(bias)));
                reference::concatenated_linear(x, [q, k, v], biases, fp32)
            },
        );
    }
}
