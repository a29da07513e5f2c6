//! The golden values of the fixtures, from transformers and PEFT (`generate.py` and `generate_peft.py`).

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::SequenceLayout;
use safetensors::{SafeTensors, View};

/// A file with golden values.
pub(crate) struct Reference(Vec<u8>);

impl Reference {
    pub(crate) fn open(fixtures: &Path, name: &str) -> Self {
        let path = fixtures.join(name);
        Self(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.tensors().names().into_iter().map(String::from).collect()
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        self.bytes(name).as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        self.bytes(name).as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()
    }

    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.integers("lengths").into_iter().map(|length| length as usize).collect()
    }

    pub(crate) fn layout(&self) -> SequenceLayout {
        SequenceLayout::packed(self.lengths())
    }

    /// Returns the ids of the batch, `[num_tokens]`.
    pub(crate) fn input_ids(&self, device: &Device) -> Tensor<1, Int> {
        let ids = self.integers("input_ids").into_iter().map(|id| id as i32).collect::<Vec<_>>();
        let shape = [ids.len()];
        Tensor::from_data(TensorData::new(ids, shape), (device, burn::tensor::DType::I32))
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).expect("the fixture is complete")
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let tensors = self.tensors();
        let tensor = tensors.tensor(name).unwrap_or_else(|_| panic!("no {name} in the fixture"));
        View::data(&tensor).into_owned()
    }
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Returns the largest |a − b| / max(1, |b|). NaN counts as infinity.
pub(crate) fn difference(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(found, expected)| {
        let difference = f64::from((found - expected).abs() / expected.abs().max(1.0));
        if difference.is_nan() { f64::INFINITY } else { difference }
    });
    differences.fold(0.0, f64::max)
}
