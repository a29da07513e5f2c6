//! Results for a token do not depend on the layout of the batch.

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{AttentionOptions, DropoutSite, DropoutStream, Precision, SequenceLayout, dropout};

use crate::compare::all_keys;

const LENGTHS: [usize; 4] = [5, 1, 7, 3];
const HIDDEN: usize = 8;

fn device() -> Device {
    Device::flex()
}

fn rows(num_rows: usize, salt: usize) -> Vec<f32> {
    (0..num_rows * HIDDEN).map(|i| (((i + salt * 31) * 7919) % 211) as f32 / 105.0 - 1.0).collect()
}

fn tensor(values: Vec<f32>) -> Tensor<2> {
    let num_rows = values.len() / HIDDEN;
    Tensor::from_data(TensorData::new(values, [num_rows, HIDDEN]), &device())
}

/// Returns the packed rows with each sequence padded to `padded_to` rows of `fill`.
fn pad(packed: &[f32], padded_to: usize, fill: f32) -> Vec<f32> {
    pad_to(packed, &LENGTHS, padded_to, fill)
}

fn pad_to(packed: &[f32], lengths: &[usize], padded_to: usize, fill: f32) -> Vec<f32> {
    let mut tokens = packed.chunks(HIDDEN);
    lengths.iter().fold(vec![], |mut padded, &length| {
        padded.extend(tokens.by_ref().take(length).flatten());
        padded.extend(vec![fill; (padded_to - length) * HIDDEN]);
        padded
    })
}

fn unpad(padded: Tensor<2>, padded_to: usize) -> Vec<f32> {
    let values = padded.into_data().try_to_vec::<f32>().unwrap();
    let sequences = values.chunks(padded_to * HIDDEN).zip(LENGTHS);
    sequences.flat_map(|(rows, length)| rows[..length * HIDDEN].to_vec()).collect()
}

fn packed_and_padded(f: impl Fn(&dyn Fn(usize) -> Tensor<2>, &SequenceLayout) -> Tensor<2>) {
    let num_tokens = LENGTHS.iter().sum();
    let packed = SequenceLayout::packed(LENGTHS.to_vec());
    let expected =
        f(&|salt| tensor(rows(num_tokens, salt)), &packed).into_data().try_to_vec::<f32>().unwrap();
    for padded_to in [7, 8, 13] {
        let layout = SequenceLayout::padded(LENGTHS.to_vec(), padded_to);
        let got = f(&|salt| tensor(pad(&rows(num_tokens, salt), padded_to, 9.0)), &layout);
        for (i, (got, expected)) in unpad(got, padded_to).iter().zip(&expected).enumerate() {
            assert!(
                (got - expected).abs() < 1e-6,
                "padded to {padded_to}, element {i}: {got} is not {expected}"
            );
        }
    }
}

/// Computes attention of three inputs.
fn attention(x: [Tensor<2>; 3], layout: &SequenceLayout, site: Option<DropoutSite>) -> Tensor<2> {
    embert_kernels::attention(Tensor::cat(x.to_vec(), 1), None, layout, all_keys(2, site, Precision::Fp32))
}

fn stream(first_sequence: usize) -> DropoutStream {
    DropoutStream { seed: 42, step: 3, first_sequence }
}

#[test]
fn padding_does_not_change_attention() {
    packed_and_padded(|x, layout| attention([0, 1, 2].map(x), layout, None));
}

#[test]
fn padding_does_not_change_attention_dropout() {
    let site = stream(0).site(1, 0, 0.3);
    packed_and_padded(|x, layout| attention([0, 1, 2].map(x), layout, Some(site)));
}

#[test]
fn padding_does_not_change_the_operations_of_a_pre_norm_encoder() {
    let site = stream(0).site(1, 0, 0.3);
    packed_and_padded(|x, layout| {
        let x = [0, 1, 2].map(x);
        let qkv = embert_kernels::rotary_embedding(Tensor::cat(x.to_vec(), 1), layout, 2 * HIDDEN, 4, 100.0);
        let options = AttentionOptions { window: Some(1), ..all_keys(2, Some(site), Precision::Fp32) };
        let y = embert_kernels::attention(qkv, None, layout, options);
        let [x, gate, _] = x;
        let y = embert_kernels::add_residual(y, x.clone(), layout, Some(site));
        let y = embert_kernels::geglu(Tensor::cat(vec![y, gate], 1));
        let means = embert_kernels::mean_pooling(y.clone(), layout); // [batch, hidden]
        y + means.sum().unsqueeze()
    });
}

#[test]
fn padding_does_not_change_dropout() {
    let site = stream(0).site(1, 0, 0.3);
    packed_and_padded(|x, layout| dropout(x(0), Some(layout), Some(site)));
}

/// Returns the gradients of Σ c∘f for three inputs, without padding rows.
fn gradients(lengths: &[usize], padded_to: Option<usize>) -> Vec<Vec<f32>> {
    let layout = SequenceLayout { padded_to, ..SequenceLayout::packed(lengths.to_vec()) };
    let lay_out = |salt| match padded_to {
        None => rows(layout.num_tokens(), salt),
        Some(padded_to) => pad_to(&rows(lengths.iter().sum(), salt), lengths, padded_to, 0.0),
    };
    let autodiff = |values: Vec<f32>| {
        let num_rows = values.len() / HIDDEN;
        let data = TensorData::new(values, [num_rows, HIDDEN]);
        Tensor::<2>::from_data(data, &device().autodiff())
    };
    let inputs: [Tensor<2>; 3] = [0, 1, 2].map(|salt| autodiff(lay_out(salt)).require_grad());
    let site = |number| Some(stream(0).site(1, number, 0.2));
    let y = attention(inputs.clone(), &layout, site(0));
    let ones = Tensor::ones([HIDDEN], &device().autodiff());
    let y = embert_kernels::add_layer_norm(
        [y, inputs[0].clone()],
        None,
        ones.clone(),
        Some(ones),
        1e-5,
        &layout,
        site(1),
    );
    let found = (y * autodiff(lay_out(7))).sum().backward();
    let of = |input: &Tensor<2>| input.grad(&found).expect("a gradient").into_data().try_to_vec().unwrap();
    let gradients: Vec<Vec<f32>> = inputs.iter().map(of).collect();
    let unpadded = |values: Vec<f32>| match padded_to {
        None => values,
        Some(padded_to) => values
            .chunks(padded_to * HIDDEN)
            .zip(lengths)
            .flat_map(|(rows, &length)| rows[..length * HIDDEN].to_vec())
            .collect(),
    };
    gradients.into_iter().map(unpadded).collect()
}

#[test]
fn padding_does_not_change_gradients() {
    for case in 0..20u64 {
        let draw = |i: u64, below: u64| embert_kernels::mix64(case << 8 | i) % below;
        let lengths = (0..=draw(0, 6)).map(|i| 1 + draw(i + 1, 70) as usize).collect::<Vec<_>>();
        let longest = *lengths.iter().max().unwrap();
        let packed = gradients(&lengths, None);
        let padded = gradients(&lengths, Some(longest + draw(99, 9) as usize));
        for (packed, padded) in packed.iter().flatten().zip(padded.iter().flatten()) {
            assert!((packed - padded).abs() < 1e-5, "{lengths:?}: {packed} is not {padded}");
        }
    }
}

#[test]
fn two_small_batches_draw_the_dropout_of_one_large_batch() {
    let drop = |lengths: &[usize], first_sequence| {
        let layout = SequenceLayout::packed(lengths.to_vec());
        let x = Tensor::<2>::ones([layout.num_tokens(), HIDDEN], &device());
        let site = stream(first_sequence).site(0, 2, 0.5);
        dropout(x, Some(&layout), Some(site)).into_data().try_to_vec::<f32>().unwrap()
    };
    let halves = [drop(&LENGTHS[..2], 0), drop(&LENGTHS[2..], 2)].concat();
    assert_eq!(drop(&LENGTHS, 0), halves);
}

#[test]
fn dropout_masks_differ_by_seed_step_layer_and_site() {
    let mask = |seed, step, layer, number| {
        let site = DropoutStream { seed, step, first_sequence: 0 }.site(layer, number, 0.5);
        dropout(Tensor::ones([16, HIDDEN], &device()), None, Some(site))
            .into_data()
            .try_to_vec::<f32>()
            .unwrap()
    };
    let masks = [mask(1, 2, 3, 4), mask(2, 2, 3, 4), mask(1, 3, 3, 4), mask(1, 2, 4, 4), mask(1, 2, 3, 5)];
    for (i, one) in masks.iter().enumerate() {
        let agreeing = masks[..i].iter().map(|other| one.iter().zip(other).filter(|(a, b)| a == b).count());
        assert!(
            agreeing.into_iter().all(|same| (40..=88).contains(&same)),
            "random masks agree in 64 of 128 elements, ± 4 sigma"
        );
    }
}

#[test]
fn attention_does_not_cross_sequences() {
    let x = |salt| tensor(rows(LENGTHS.iter().sum(), salt));
    let all = attention([0, 1, 2].map(x), &SequenceLayout::packed(LENGTHS.to_vec()), None);
    let third = |salt| x(salt).slice(6..13);
    let separate = attention([0, 1, 2].map(third), &SequenceLayout::packed(vec![7]), None);
    let all = all.slice(6..13).into_data();
    all.assert_approx_eq::<f32>(&separate.into_data(), burn::tensor::Tolerance::absolute(1e-6));
}
