//! Operations on the CPU, forward and backward, against their references in double precision, on odd shapes.

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use embert_kernels::{
    AttentionOptions, DropoutStream, GeluApproximation, Precision, SequenceLayout, reference,
};

use crate::compare::{BF16, FP32, all_keys, assert_close, run, tensor};

#[test]
fn linear_matches_the_reference() {
    for [rows, input, output] in
        [[1, 1, 1], [7, 5, 3], [65, 129, 47], [200, 96, 144], [8, 384, 2], [130, 770, 50]]
    {
        let shapes = [[rows, input], [input, output], [1, output]];
        let expected = run(shapes, DType::F64, |[x, w, b]| {
            reference::linear(x, w, Some(b.squeeze_dim(0)), Precision::Fp32)
        });
        for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
            let got = run(shapes, DType::F32, |[x, w, b]| {
                embert_kernels::linear(x, w, Some(b.squeeze_dim(0)), precision)
            });
            assert_close(&got, &expected, tolerance, &format!("{rows}x{input}x{output} {precision:?}"));
        }
    }
}

#[test]
fn linear_without_bias_matches_the_reference() {
    let shapes = [[33, 20], [20, 70]];
    let expected = run(shapes, DType::F64, |[x, w]| reference::linear(x, w, None, Precision::Fp32));
    let got = run(shapes, DType::F32, |[x, w]| embert_kernels::linear(x, w, None, Precision::Fp32));
    assert_close(&got, &expected, FP32, "without bias");
}

#[test]
fn query_key_value_matches_the_reference() {
    for [rows, hidden] in [[1, 8], [37, 50], [130, 96]] {
        let (square, row) = ([hidden, hidden], [1, hidden]);
        let shapes = [[rows, hidden], square, square, square, row, row, row];
        let biases = |b: [Tensor<2>; 3]| b.map(|b| Some(b.squeeze_dim(0)));
        let expected = run(shapes, DType::F64, |[x, q, k, v, a, b, c]| {
            reference::concatenated_linear(x, [q, k, v], biases([a, b, c]), Precision::Fp32)
        });
        for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
            let got = run(shapes, DType::F32, |[x, q, k, v, a, b, c]| {
                embert_kernels::query_key_value(x, [q, k, v], biases([a, b, c]), precision)
            });
            assert_close(&got, &expected, tolerance, &format!("{rows}x{hidden} {precision:?}"));
        }
    }
}

/// Frozen inputs get no gradient. The gradient of the key is the same as without frozen inputs.
#[test]
fn frozen_inputs_get_no_gradient() {
    let all = [0, 1, 2, 3].map(|n| tensor([[37, 50], [50, 50], [50, 50], [50, 50]][n], n, DType::F32));
    let gradients = |[x, q, k, v]: [Tensor<2>; 4]| {
        let bias = || Some(tensor([1, 50], 4, DType::F32).detach().squeeze_dim(0));
        let maps = [q.clone(), k.clone(), v.clone()];
        let y = embert_kernels::query_key_value(x.clone(), maps, [bias(), bias(), bias()], Precision::Fp32);
        let gradients = y.powi_scalar(2).sum().backward();
        [x, q, k, v].map(|input| input.grad(&gradients).map(|gradient| gradient.into_data()))
    };
    let [x, q, k, v] = all.clone();
    let [x, q, v] = [x, q, v].map(|frozen| Tensor::from_inner(frozen.inner()));
    let [of_x, of_q, of_k, of_v] = gradients([x, q, k, v]);
    assert!(of_x.is_none() && of_q.is_none() && of_v.is_none());
    assert_eq!(of_k, gradients(all)[2]);
}

#[test]
fn key_value_matches_the_reference() {
    let shapes = [[37, 50], [50, 50], [50, 50], [1, 50], [1, 50]];
    let biases = |b: [Tensor<2>; 2]| b.map(|b| Some(b.squeeze_dim(0)));
    let expected = run(shapes, DType::F64, |[x, k, v, a, b]| {
        reference::concatenated_linear(x, [k, v], biases([a, b]), Precision::Fp32)
    });
    let got = run(shapes, DType::F32, |[x, k, v, a, b]| {
        embert_kernels::key_value(x, [k, v], biases([a, b]), Precision::Fp32)
    });
    assert_close(&got, &expected, FP32, "key and value");
}

#[test]
fn operations_without_biases_match_the_references() {
    let (shapes, fp32) = ([[7, 12], [12, 12], [1, 12]], Precision::Fp32);
    let layout = SequenceLayout::packed(vec![3, 4]);
    let expected = run(shapes, DType::F64, |[x, w, g]| {
        let (maps, g) = ([w.clone(), w.clone(), w.clone()], g.squeeze_dim::<1>(0));
        let y = reference::concatenated_linear(x.clone(), maps, [None, None, None], fp32).narrow(1, 12, 12);
        let y = reference::layer_norm(y, g.clone(), None, 1e-5);
        let y = reference::bias_gelu_linear(reference::bias_gelu(y, None, EXACT), None, w, EXACT, fp32);
        reference::add_layer_norm([y, x], None, g, None, 1e-5, &layout, None)
    });
    let got = run(shapes, DType::F32, |[x, w, g]| {
        let (maps, g) = ([w.clone(), w.clone(), w.clone()], g.squeeze_dim::<1>(0));
        let y = embert_kernels::query_key_value(x.clone(), maps, [None, None, None], fp32).narrow(1, 12, 12);
        let y = embert_kernels::layer_norm(y, g.clone(), None, 1e-5);
        let y =
            embert_kernels::bias_gelu_linear(embert_kernels::bias_gelu(y, None, EXACT), None, w, EXACT, fp32);
        embert_kernels::add_layer_norm([y, x], None, g, None, 1e-5, &layout, None)
    });
    assert_close(&got, &expected, 2.0 * FP32, "without biases");
}

/// A tensor on a device without autodiff is a constant, even if other inputs are on the graph.
#[test]
fn an_input_without_autodiff_is_a_constant() {
    let weight = || tensor([12, 5], 1, DType::F32).inner();
    let product = |weight: Tensor<2>| {
        run([[7, 12]], DType::F32, |[x]| embert_kernels::linear(x, weight.clone(), None, Precision::Fp32))
    };
    assert_eq!(product(weight()), product(Tensor::from_inner(weight())));
}

#[test]
fn add_low_rank_matches_the_reference() {
    let layout = SequenceLayout::packed(vec![3, 70, 1]);
    for ([columns, first_column, output], input, rank) in
        [([50, 0, 50], 33, 1), ([150, 50, 50], 64, 4), ([40, 20, 20], 7, 40)]
    {
        let shapes = [[74, columns], [74, input], [input, rank], [rank, output]];
        for rate in [0.0, 0.3] {
            let site = DropoutStream { seed: 1, step: 2, first_sequence: 5 }.site(0, 3, rate);
            let expected = run(shapes, DType::F64, |[y, x, a, b]| {
                reference::add_low_rank(y, x, [a, b], 8.0, first_column, Some(&layout), Some(site))
            });
            let got = run(shapes, DType::F32, |[y, x, a, b]| {
                embert_kernels::add_low_rank(y, x, [a, b], 8.0, first_column, Some(&layout), Some(site))
            });
            assert_close(&got, &expected, FP32, &format!("rank {rank}, rate {rate}"));
        }
    }
}

#[test]
fn layer_norms_match_the_references() {
    for (lengths, hidden) in [(vec![1], 1), (vec![3, 1], 17), (vec![100, 33], 384)] {
        let layout = SequenceLayout::packed(lengths);
        let rows = layout.num_tokens();
        let shapes = [[rows, hidden], [rows, hidden], [1, hidden], [1, hidden], [1, hidden]];
        for rate in [0.0, 0.3] {
            let site = DropoutStream { seed: 1, step: 2, first_sequence: 5 }.site(0, 1, rate);
            let expected = run(shapes, DType::F64, |[x, r, w, b, c]| {
                let (w, [b, c]) = (w.squeeze_dim(0), [b, c].map(|bias| Some(bias.squeeze_dim(0))));
                reference::add_layer_norm([x, r], c, w, b, 1e-5, &layout, Some(site))
            });
            let got = run(shapes, DType::F32, |[x, r, w, b, c]| {
                let (w, [b, c]) = (w.squeeze_dim(0), [b, c].map(|bias| Some(bias.squeeze_dim(0))));
                embert_kernels::add_layer_norm([x, r], c, w, b, 1e-5, &layout, Some(site))
            });
            assert_close(&got, &expected, 2.0 * FP32, &format!("{rows}x{hidden}, rate {rate}"));
        }
        let shapes = [shapes[0], shapes[2], shapes[3]];
        let expected = run(shapes, DType::F64, |[x, w, b]| {
            reference::layer_norm(x, w.squeeze_dim(0), Some(b.squeeze_dim(0)), 1e-5)
        });
        let got = run(shapes, DType::F32, |[x, w, b]| {
            embert_kernels::layer_norm(x, w.squeeze_dim(0), Some(b.squeeze_dim(0)), 1e-5)
        });
        assert_close(&got, &expected, 2.0 * FP32, &format!("{rows}x{hidden}, layer_norm"));
    }
}

const EXACT: GeluApproximation = GeluApproximation::None;

type Gelu = fn(Tensor<2>, Option<Tensor<1>>, GeluApproximation) -> Tensor<2>;

#[test]
fn bias_gelu_matches_the_reference() {
    for [rows, columns] in [[1, 1], [5, 33], [130, 100]] {
        let shapes = [[rows, columns], [1, columns]];
        for approximation in [EXACT, GeluApproximation::Tanh] {
            let gelu = |gelu: Gelu| {
                move |[x, b]: [Tensor<2>; 2]| gelu(x.mul_scalar(6.0), Some(b.squeeze_dim(0)), approximation)
            };
            let expected = run(shapes, DType::F64, gelu(reference::bias_gelu));
            let got = run(shapes, DType::F32, gelu(embert_kernels::bias_gelu));
            assert_close(&got, &expected, FP32, &format!("{rows}x{columns} {approximation:?}"));
        }
    }
}

#[test]
fn bias_gelu_linear_matches_the_reference() {
    for [rows, input, output] in [[1, 3, 2], [70, 130, 33]] {
        let shapes = [[rows, input], [1, input], [input, output]];
        for approximation in [EXACT, GeluApproximation::Tanh] {
            let expected = run(shapes, DType::F64, |[x, b, w]| {
                reference::bias_gelu_linear(x, Some(b.squeeze_dim(0)), w, approximation, Precision::Fp32)
            });
            for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                let got = run(shapes, DType::F32, |[x, b, w]| {
                    embert_kernels::bias_gelu_linear(x, Some(b.squeeze_dim(0)), w, approximation, precision)
                });
                let what = format!("{rows}x{input}x{output} {approximation:?} {precision:?}");
                assert_close(&got, &expected, tolerance, &what);
            }
        }
    }
}

#[test]
fn first_tokens_match_the_reference() {
    let layout = SequenceLayout::packed(vec![70, 1, 40]);
    let expected = run([[111, 33]], DType::F32, |[x]| reference::first_tokens(x, &layout));
    assert_eq!(run([[111, 33]], DType::F32, |[x]| embert_kernels::first_tokens(x, &layout)), expected);
}

#[test]
fn cross_entropy_matches_the_reference() {
    for [rows, labels] in [[1, 2], [8, 2], [200, 3], [5, 1000]] {
        let stretched = |x: Tensor<2>| x.mul_scalar(40.0);
        let targets = |dtype| tensor([rows, labels], 9, dtype).detach().abs();
        let expected = run([[rows, labels]], DType::F64, |[x]| {
            reference::cross_entropy_sum(stretched(x), targets(DType::F64)).unsqueeze()
        });
        let got = run([[rows, labels]], DType::F32, |[x]| {
            embert_kernels::cross_entropy_sum(stretched(x), targets(DType::F32)).unsqueeze()
        });
        assert_close(&got, &expected, FP32, &format!("{rows}x{labels}"));
    }
}

#[test]
fn cross_entropy_of_non_finite_logits_is_nan() {
    for bad in [f32::NAN, f32::INFINITY] {
        let device = Device::flex().autodiff();
        let logits = Tensor::<2>::from_data([[0.5, 0.25], [bad, 1.0]], &device).require_grad();
        let targets = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &device);
        let loss = embert_kernels::cross_entropy_sum(logits.clone(), targets);
        assert!(loss.clone().into_scalar::<f32>().is_nan());
        let gradient = logits.grad(&loss.backward()).unwrap().into_data().iter::<f32>().collect::<Vec<_>>();
        assert!(gradient[..2].iter().all(|g| g.is_finite()) && gradient[2..].iter().all(|g| g.is_nan()));
    }
}

#[test]
fn dropout_matches_the_reference() {
    let layout = SequenceLayout::packed(vec![70, 3]);
    for (rate, columns) in [(0.1, 33), (0.5, 64), (0.999, 1)] {
        let site = DropoutStream { seed: 3, step: 1, first_sequence: 0 }.site(2, 2, rate);
        for layout in [Some(&layout), None] {
            let got = run([[73, columns]], DType::F32, |[x]| embert_kernels::dropout(x, layout, Some(site)));
            let expected = run([[73, columns]], DType::F32, |[x]| reference::dropout(x, layout, Some(site)));
            assert_eq!(got, expected);
        }
    }
}

/// Returns the outputs and gradients of the operations of one layer, as bits.
fn layer(threads: usize, precision: Precision) -> Vec<Vec<u64>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let layout = Arc::new(SequenceLayout::packed(vec![90, 3, 41, 200]));
    let stream = DropoutStream { seed: 1, step: 0, first_sequence: 0 };
    let hidden = 96;
    let wide = 4 * hidden;
    let shapes = [
        [334, 3 * hidden],
        [hidden, wide],
        [1, wide],
        [wide, hidden],
        [1, hidden],
        [hidden, 4],
        [4, hidden],
        [2 * 200 - 1, 3],
    ];
    let outputs = pool.install(|| {
        run(shapes, DType::F32, |[qkv, first, first_bias, second, bias, a, b, relative_bias]| {
            let x = qkv.clone().narrow(1, 0, hidden);
            let qkv = embert_kernels::rotary_embedding(qkv, &layout, 2 * hidden, hidden / 3, 10000.0);
            let options =
                AttentionOptions { window: Some(40), ..all_keys(3, Some(stream.site(0, 0, 0.1)), precision) };
            let y = embert_kernels::attention(qkv, Some(relative_bias.clone()), &layout, options);
            let weight = bias.clone().squeeze_dim(0);
            let site = Some(stream.site(0, 1, 0.1));
            let [c, beta] = [(); 2].map(|()| Some(weight.clone()));
            let y = embert_kernels::add_layer_norm([y, x], c, weight, beta, 1e-12, &layout, site);
            let square = first.clone().narrow(1, 0, hidden);
            let y = embert_kernels::linear(y, first.clone(), None, precision);
            let bias = Some(bias.squeeze_dim(0));
            let y = embert_kernels::bias_gelu_linear(
                y,
                Some(first_bias.squeeze_dim(0)),
                second.clone(),
                EXACT,
                precision,
            );
            let gated = embert_kernels::linear(y.clone(), first.clone(), None, precision); // [334, wide]
            let gated = embert_kernels::geglu_linear(gated, second.narrow(0, 0, wide / 2), precision);
            let y = embert_kernels::add_residual(gated, y, &layout, site);
            let means = embert_kernels::mean_pooling(y.clone(), &layout); // [4, hidden]
            let query = embert_kernels::first_tokens(y.clone(), &layout); // [4, hidden]
            let (weights, biases) = ([square.clone(), square], [bias.clone(), bias]);
            let key_value = embert_kernels::key_value(y.clone(), weights, biases, precision);
            let key_value =
                embert_kernels::add_low_rank(key_value, y, [a, b], 2.0, hidden, Some(&layout), site);
            let options = all_keys(3, site, precision);
            let relative_bias = Some(relative_bias);
            let y = embert_kernels::first_token_attention(query, key_value, relative_bias, &layout, options);
            let y = y + means;
            let loss = embert_kernels::cross_entropy_sum(y.clone(), y.clone().detach().abs());
            y + loss.unsqueeze()
        })
    });
    outputs.into_iter().map(|values| values.into_iter().map(f64::to_bits).collect()).collect()
}

#[test]
fn results_are_bit_identical_on_any_number_of_threads() {
    for precision in [Precision::Fp32, Precision::Bf16] {
        let one = layer(1, precision);
        assert!(layer(1, precision) == one, "two runs differ");
        assert!(layer(2, precision) == one, "two threads differ from one");
        assert!(layer(4, precision) == one, "four threads differ from one");
    }
}

/// Results are bit-identical with cached weights, also after a weight was changed in place.
#[test]
fn cached_weights_change_no_bit() {
    let weights = || tensor([200, 96], 1, DType::F32).detach();
    let product = |weight: &Tensor<2>, salt| {
        let x = tensor([33, 200], salt, DType::F32).detach();
        embert_kernels::linear(x, weight.clone(), None, Precision::Bf16).into_data()
    };
    let run = || {
        let weight = weights();
        let before = [2, 3].map(|salt| product(&weight, salt));
        let weight = weight.mul_scalar(3.0); // in place if no other tensor shares the memory
        [before, [2, 3].map(|salt| product(&weight, salt))]
    };
    let expected = run();
    assert_ne!(expected[0], expected[1]);
    assert_eq!(embert_kernels::with_constant_weights(run), expected);
}
