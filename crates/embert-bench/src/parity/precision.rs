//! Products on operands of half the bits, beside those of fp32.

use burn::tensor::DType;
use embert_kernels::Precision;
use embert_model::Pass;

use super::models::BERT;
use super::reference::{difference, values};
use super::{Answer, Bench};

pub(super) fn bf16(bench: &Bench) -> Answer {
    if !bench.device.supports_dtype(DType::BF16) {
        return Answer::Skipped("the device has no bf16".to_owned());
    }
    let model = bench.model(BERT, &bench.device);
    let [half, full] = [Precision::Bf16, Precision::Fp32]
        .map(|precision| values(bench.logits(&model, Pass { precision, ..Pass::default() })));
    Answer::Difference(difference(&half, &full))
}
