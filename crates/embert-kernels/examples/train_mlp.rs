//! Trains a two-layer classifier on made-up data with fused operations and AdamW.
//!
//! Run: `cargo run --release -p embert-kernels --example train_mlp`

use burn::tensor::{Device, Distribution, Tensor};
use embert_kernels::{
    AdamWStep, GeluApproximation, Moments, Precision, adamw, bias_gelu_linear, cross_entropy_sum,
    keep_freed_memory, linear,
};

fn main() {
    keep_freed_memory();
    let device = Device::flex();
    device.seed(42);
    let normal = |rows, columns, deviation| {
        Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, deviation), &device)
    };
    // 256 points in the plane. The label is 1 inside the unit circle.
    let x = normal(256, 2, 1.0);
    let inside = x.clone().square().sum_dim(1).lower_elem(1.0).int().squeeze_dim::<1>(1);
    let targets = inside.one_hot::<2>(2).float();

    let shapes = [[2, 32], [1, 32], [32, 2]]; // weight, bias, output weight
    let mut parameters = shapes.map(|[rows, columns]| normal(rows, columns, 0.5).reshape([rows * columns]));
    let mut moments = parameters.each_ref().map(|values: &Tensor<1>| {
        let zeros = values.zeros_like();
        Moments { mean: zeros.clone(), mean_of_squares: zeros }
    });
    let clip = Tensor::<1>::ones([1], &device); // the gradient scale: no clipping here
    for step in 1..=200 {
        let tracked = parameters.each_ref().map(|p| Tensor::from_inner(p.clone()).require_grad());
        let [w, b, v] = std::array::from_fn(|i| tracked[i].clone().reshape(shapes[i]));
        let hidden = linear(Tensor::from_inner(x.clone()), w, None, Precision::Fp32); // [256, 32]
        let logits =
            bias_gelu_linear(hidden, Some(b.squeeze_dim(0)), v, GeluApproximation::None, Precision::Fp32); // [256, 2]
        let loss = cross_entropy_sum(logits, Tensor::from_inner(targets.clone())) / 256.0;
        if step % 50 == 0 {
            println!("step {step}: loss {:.4}", loss.clone().into_scalar::<f32>());
        }
        let gradients = loss.backward();
        let settings = AdamWStep {
            learning_rate: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            step,
        };
        for i in 0..parameters.len() {
            let gradient = tracked[i].grad(&gradients).expect("every parameter is used");
            (parameters[i], moments[i]) =
                adamw(parameters[i].clone(), gradient, clip.clone(), moments[i].clone(), &settings);
        }
    }
}
