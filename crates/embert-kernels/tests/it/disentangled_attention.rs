//! Disentangled attention on the CPU, forward and backward: against its reference in double precision, and against
//! transformers (`tests/fixtures/generate.py`).

use std::collections::HashMap;

use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::{
    AttentionOptions, DropoutStream, Precision, RelativePositions, RelativeProjections, SequenceLayout,
    disentangled_attention, reference,
};

use crate::compare::{BF16, FP32, all_keys, assert_close, run, tensor};

/// `pos_att_type` of config.json.
#[derive(Clone, Copy, Debug)]
struct PosAttType {
    c2p: bool,
    p2c: bool,
}

const BOTH: PosAttType = PosAttType { c2p: true, p2c: true };
const TYPES: [PosAttType; 3] =
    [BOTH, PosAttType { c2p: true, p2c: false }, PosAttType { c2p: false, p2c: true }];

/// One bucket for each distance up to 5; 8 buckets, which the lengths exceed; and the buckets of DeBERTa-v3.
const POSITIONS: [RelativePositions; 3] = [
    RelativePositions { position_buckets: None, max_relative_positions: 5 },
    RelativePositions { position_buckets: Some(8), max_relative_positions: 24 },
    RelativePositions { position_buckets: Some(256), max_relative_positions: 512 },
];

/// Returns the projections that this type uses.
fn projections(
    [key, query]: [Tensor<2>; 2],
    types: PosAttType,
    positions: RelativePositions,
) -> RelativeProjections {
    RelativeProjections { key: types.c2p.then_some(key), query: types.p2c.then_some(query), positions }
}

type Operation = fn(Tensor<2>, RelativeProjections, &SequenceLayout, AttentionOptions) -> Tensor<2>;

/// One comparison with the reference.
#[derive(Debug)]
struct Setup {
    layout: SequenceLayout,
    num_heads: usize,
    width: usize,
    positions: RelativePositions,
    types: PosAttType,
    rate: f64,
}

impl Setup {
    /// Returns the output without padding rows, which are unspecified, and all gradients.
    fn run(&self, operation: Operation, dtype: DType, precision: Precision) -> Vec<Vec<f64>> {
        let hidden = self.num_heads * self.width;
        let projection = [2 * self.positions.span(), hidden];
        let site = DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, self.rate);
        run([[self.layout.num_tokens(), 3 * hidden], projection, projection], dtype, |[qkv, key, query]| {
            let unused = (key.clone().sum() + query.clone().sum()).mul_scalar(0.0); // they need a gradient, too
            let relative = projections([key, query], self.types, self.positions);
            let qkv = qkv.mul_scalar(2.0);
            let output =
                operation(qkv, relative, &self.layout, all_keys(self.num_heads, Some(site), precision));
            output * self.tokens(dtype) + unused.unsqueeze()
        })
    }

    /// Returns 1 for tokens and 0 for padding, `[num_tokens, 1]`.
    fn tokens(&self, dtype: DType) -> Tensor<2> {
        let sequences = self.layout.lengths.iter().zip(self.layout.rows());
        let tokens = sequences.flat_map(|(&length, rows)| (0..rows).map(move |row| f64::from(row < length)));
        let tokens = TensorData::new(tokens.collect::<Vec<_>>(), [self.layout.num_tokens(), 1]);
        Tensor::from_data(tokens.convert_dtype(dtype), (&Device::flex().autodiff(), dtype))
    }
}

#[test]
fn disentangled_attention_matches_the_reference() {
    let lengths: [&[usize]; 4] = [&[2], &[1, 2, 3], &[33, 7, 64, 1, 129], &[50, 50]];
    for (case, &lengths) in lengths.iter().enumerate() {
        for (position_case, positions) in POSITIONS.into_iter().enumerate() {
            let (num_heads, width) = [(1, 32), (2, 20), (3, 9)][(case + position_case) % 3];
            for (type_case, types) in TYPES.into_iter().enumerate() {
                let rate = [0.0, 0.2][(case + position_case + type_case) % 2];
                let packed = SequenceLayout::packed(lengths.to_vec());
                let padded = SequenceLayout::padded(lengths.to_vec(), 3 + packed.longest());
                for layout in [packed, padded] {
                    let setup = Setup { layout, num_heads, width, positions, types, rate };
                    let expected = setup.run(reference::disentangled_attention, DType::F64, Precision::Fp32);
                    for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                        let got = setup.run(disentangled_attention, DType::F32, precision);
                        assert_close(&got, &expected, tolerance, &format!("{setup:?}, {precision:?}"));
                    }
                }
            }
        }
    }
}

/// With one key, P is 1, so only the value has a gradient.
#[test]
fn a_sequence_of_one_token_returns_its_value() {
    let (layout, positions) = (SequenceLayout::packed(vec![1, 1]), POSITIONS[1]);
    let got = run([[2, 24], [16, 8], [16, 8]], DType::F32, |[qkv, pk, pq]| {
        disentangled_attention(
            qkv,
            projections([pk, pq], BOTH, positions),
            &layout,
            all_keys(2, None, Precision::Fp32),
        )
    });
    let values = tensor([2, 24], 0, DType::F32).inner().narrow(1, 16, 8).into_data();
    for (got, value) in got[0].iter().zip(values.iter::<f64>()) {
        assert!((got - value).abs() < 1e-6, "{got} is not {value}");
    }
    let of_relative = got[2].iter().chain(&got[3]);
    assert!(of_relative.into_iter().all(|gradient| gradient.abs() < 1e-6));
}

#[test]
fn padding_rows_have_zero_output_and_zero_gradient() {
    let layout = SequenceLayout::padded(vec![5, 1, 7], 9);
    let got = run([[27, 24], [16, 8], [16, 8]], DType::F32, |[qkv, pk, pq]| {
        let relative = projections([pk, pq], BOTH, POSITIONS[1]);
        disentangled_attention(qkv, relative, &layout, all_keys(2, None, Precision::Fp32))
    });
    for (sequence, length) in [5, 1, 7].into_iter().enumerate() {
        let padding = (sequence * 9 + length)..(sequence + 1) * 9;
        assert!(got[0][padding.start * 8..padding.end * 8].iter().all(|&value| value == 0.0));
        assert!(got[1][padding.start * 24..padding.end * 24].iter().all(|&value| value == 0.0));
    }
}

/// More sequences than groups, so that the gradients of the projections are sums of several sequences.
#[test]
fn disentangled_attention_is_bit_identical_on_any_number_of_threads() {
    let layout = SequenceLayout::packed(vec![40, 3, 41, 70, 1, 12, 12, 90, 33, 34, 35]);
    let results = |threads: usize, precision| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let site = Some(DropoutStream { seed: 1, step: 0, first_sequence: 0 }.site(0, 0, 0.1));
        let shapes = [[layout.num_tokens(), 96], [16, 32], [16, 32]];
        let values = pool.install(|| {
            run(shapes, DType::F32, |[qkv, pk, pq]| {
                let relative = projections([pk, pq], BOTH, POSITIONS[1]);
                disentangled_attention(qkv, relative, &layout, all_keys(2, site, precision))
            })
        });
        values.into_iter().flatten().map(f64::to_bits).collect::<Vec<_>>()
    };
    for precision in [Precision::Fp32, Precision::Bf16] {
        let one = results(1, precision);
        assert!(results(1, precision) == one, "two runs differ");
        assert!(results(2, precision) == one, "two threads differ from one");
        assert!(results(4, precision) == one, "four threads differ from one");
    }
}

/// A constant projection, as in LoRA, gets no gradient, and changes no other gradient.
#[test]
fn frozen_projections_get_no_gradient() {
    let layout = SequenceLayout::packed(vec![20, 30]);
    let [qkv, pk, pq] = [[50, 48], [16, 16], [16, 16]].map(|shape| tensor(shape, shape[0], DType::F32));
    let gradients = |[qkv, pk, pq]: [Tensor<2>; 3]| {
        let relative = projections([pk.clone(), pq.clone()], BOTH, POSITIONS[1]);
        let y = disentangled_attention(qkv.clone(), relative, &layout, all_keys(2, None, Precision::Fp32));
        let gradients = y.powi_scalar(2).sum().backward();
        [qkv, pk, pq].map(|input| input.grad(&gradients).map(|gradient| gradient.into_data()))
    };
    let all = gradients([qkv.clone(), pk.clone(), pq.clone()]);
    let [of_qkv, of_key, of_query] = gradients([qkv, Tensor::from_inner(pk.inner()), pq]);
    assert!(of_key.is_none());
    assert_eq!([of_qkv, of_query], [all[0].clone(), all[2].clone()]);
}

#[test]
#[should_panic(expected = "relative projections must be [2 · span, hidden]")]
fn a_projection_of_another_span_is_refused() {
    let [qkv, pk, pq] = [[3, 24], [14, 8], [16, 8]].map(|shape| tensor(shape, 0, DType::F32));
    let relative = projections([pk, pq], BOTH, POSITIONS[1]);
    disentangled_attention(
        qkv,
        relative,
        &SequenceLayout::packed(vec![3]),
        all_keys(2, None, Precision::Fp32),
    );
}

/// The matrices of one case of a fixture.
struct Case {
    positions: RelativePositions,
    matrices: HashMap<String, ([usize; 2], Vec<f64>)>,
}

impl Case {
    fn tensor(&self, name: &str, dtype: DType) -> Option<Tensor<2>> {
        let (shape, values) = self.matrices.get(name)?;
        let data = TensorData::new(values.clone(), *shape).convert_dtype(dtype);
        Some(Tensor::<2>::from_data(data, (&Device::flex().autodiff(), dtype)).require_grad())
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.matrices[name].1.clone()
    }
}

/// Reads `case` lines, each followed by matrices: `name rows columns`, and then the values.
fn cases(text: &str) -> Vec<Case> {
    let (mut words, mut cases) = (text.split_whitespace(), Vec::<Case>::new());
    while let Some(name) = words.next() {
        let mut number = || words.next().expect("a number").parse::<f64>().expect("a number");
        let [first, second] = [number(), number()];
        if name == "case" {
            let position_buckets = (first > 0.0).then_some(first as usize);
            let positions = RelativePositions { position_buckets, max_relative_positions: second as usize };
            cases.push(Case { positions, matrices: HashMap::new() });
            continue;
        }
        let shape = [first as usize, second as usize];
        let values = (0..shape[0] * shape[1]).map(|_| number()).collect();
        cases.last_mut().expect("a case").matrices.insert(name.to_string(), (shape, values));
    }
    cases
}

#[test]
fn relative_positions_are_those_of_transformers() {
    for case in cases(include_str!("../fixtures/relative_positions.txt")) {
        for (expected, distance) in case.values("rows").into_iter().zip(-800..) {
            let row = case.positions.row(distance);
            assert_eq!(row, expected as usize, "{:?}, distance {distance}", case.positions);
        }
    }
}

#[test]
fn disentangled_attention_matches_transformers() {
    let layout = SequenceLayout::packed(vec![13, 6]);
    let operations: [(Operation, DType, f64); 2] = [
        (disentangled_attention, DType::F32, FP32),
        (reference::disentangled_attention, DType::F64, 1e-7), // the fixture has nine digits
    ];
    for case in cases(include_str!("../fixtures/disentangled_attention.txt")) {
        for (operation, dtype, tolerance) in operations {
            let inputs = ["qkv", "key", "query"].map(|name| case.tensor(name, dtype));
            let [qkv, key, query] = inputs.clone();
            let relative = RelativeProjections { key, query, positions: case.positions };
            let output = operation(qkv.unwrap(), relative, &layout, all_keys(2, None, Precision::Fp32));
            let factors = case.tensor("factors", dtype).unwrap().detach();
            let gradients = (output.clone() * factors).sum().backward();
            let of = |tensor: Tensor<2>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
            let names = ["grad.qkv", "grad.key", "grad.query"];
            let of_inputs = inputs.into_iter().zip(names).filter_map(|(input, name)| Some((input?, name)));
            let of_inputs = of_inputs.map(|(input, name)| (of(input.grad(&gradients).unwrap()), name));
            let (got, names): (Vec<_>, Vec<_>) =
                std::iter::once((of(output), "output")).chain(of_inputs).unzip();
            let expected = names.into_iter().map(|name| case.values(name)).collect::<Vec<_>>();
            assert_close(&got, &expected, tolerance, &format!("{:?}, {dtype:?}", case.positions));
        }
    }
}
