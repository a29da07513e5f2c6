//! Reference values in `golden.safetensors`, `golden_distilbert.safetensors` and `peft.safetensors`.

use std::fs;

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::SequenceLayout;
use safetensors::SafeTensors;

use crate::fixtures;

/// Values computed by transformers or PEFT for a tiny model.
pub(crate) struct Golden(Vec<u8>);

impl Golden {
    /// Reads the values of the tiny BERT.
    pub(crate) fn read() -> Self {
        Self::of("golden.safetensors")
    }

    /// Reads the values of the tiny DistilBERT, for the same batch.
    pub(crate) fn of_distilbert() -> Self {
        Self::of("golden_distilbert.safetensors")
    }

    pub(crate) fn of(file: &str) -> Self {
        Self(fs::read(fixtures().join(file)).expect("the fixture is committed"))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.0).expect("the fixture is valid");
        file.names().into_iter().map(String::from).collect()
    }

    /// Returns the values of a tensor.
    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        self.bytes(name).as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        self.bytes(name).as_chunks::<8>().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()
    }

    pub(crate) fn layout(&self) -> SequenceLayout {
        SequenceLayout::packed(self.integers("lengths").into_iter().map(|length| length as usize).collect())
    }

    pub(crate) fn input_ids(&self, device: &Device) -> Tensor<1, Int> {
        let ids = self.integers("input_ids");
        let shape = [ids.len()];
        Tensor::from_data(TensorData::new(ids, shape), device)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.0).expect("the fixture is valid");
        file.tensor(name).unwrap_or_else(|_| panic!("no {name} in the fixture")).data().to_vec()
    }
}

/// Compares values with an absolute tolerance, which is relative for values above 1.
pub(crate) fn assert_close(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance, "{what}[{i}]: {got} is not {expected}");
    }
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}
