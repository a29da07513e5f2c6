//! One tensor in a file of a checkpoint: its location, and its values as f32.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use half::{bf16, f16};
use safetensors::Dtype;

use crate::ModelError;

/// The number of values that are read at a time, so that the bytes of a large tensor are not in memory with its values.
const VALUES_PER_READ: usize = 1 << 18;

/// Location, shape and dtype of one tensor in a file.
///
/// Value `[i, j, ..]` is number `offset` + i·`strides[0]` + j·`strides[1]` + … of the storage.
pub(crate) struct StoredTensor {
    pub(crate) path: PathBuf,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    /// The bytes of the storage in the file. Tensors of a PyTorch file may share a storage.
    pub(crate) storage: Range<u64>,
    pub(crate) offset: usize,
    pub(crate) strides: Vec<usize>,
}

impl StoredTensor {
    /// Returns a tensor whose values fill `storage` in row-major order.
    pub(crate) fn contiguous(path: PathBuf, shape: Vec<usize>, dtype: Dtype, storage: Range<u64>) -> Self {
        let strides = row_major(&shape);
        Self { path, shape, dtype, storage, offset: 0, strides }
    }

    /// Reads the values as f32, in row-major order. Fails if one of them is not finite.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let values = self.read_as_f32(name)?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(ModelError::NotFinite { path: self.path.clone(), name: name.into() })
        }
    }

    fn read_as_f32(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        match self.dtype {
            Dtype::F64 => self.values(|bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F32 => self.values(f32::from_le_bytes),
            Dtype::F16 => self.values(|bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.values(|bytes| bf16::from_le_bytes(bytes).to_f32()),
            other => {
                let found = format!("{other:?}");
                Err(ModelError::Type { path: self.path.clone(), name: name.into(), found })
            }
        }
    }

    /// Reads the values, of `N` bytes each.
    fn values<const N: usize>(&self, value: impl Fn([u8; N]) -> f32) -> Result<Vec<f32>, ModelError> {
        let values =
            self.read_values(value).map_err(|source| ModelError::File { path: self.path.clone(), source })?;
        Ok(if self.is_contiguous() { values } else { self.gathered(&values) })
    }

    /// Reads the part of the storage from the first value to the last one.
    fn read_values<const N: usize>(&self, value: impl Fn([u8; N]) -> f32) -> std::io::Result<Vec<f32>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.storage.start + (self.offset * N) as u64))?;
        let count = span(&self.shape, &self.strides).expect("the location is valid");
        let mut values = Vec::with_capacity(count);
        let mut bytes = vec![0; VALUES_PER_READ.min(count) * N];
        while values.len() < count {
            let bytes = &mut bytes[..VALUES_PER_READ.min(count - values.len()) * N];
            file.read_exact(bytes)?;
            values.extend(bytes.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)));
        }
        Ok(values)
    }

    fn is_contiguous(&self) -> bool {
        let expected = row_major(&self.shape);
        let mut dimensions = self.shape.iter().zip(&self.strides).zip(expected);
        dimensions.all(|((&size, &stride), expected)| size == 1 || stride == expected)
    }

    /// Returns the values in row-major order.
    fn gathered(&self, values: &[f32]) -> Vec<f32> {
        let index_of = |mut position: usize| {
            let mut index = 0;
            for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
                index += position % size * stride;
                position /= size;
            }
            index
        };
        (0..self.shape.iter().product()).map(|position| values[index_of(position)]).collect()
    }
}

/// Returns the number of values from the first one to the last one; `None` if it overflows.
pub(crate) fn span(shape: &[usize], strides: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let mut dimensions = shape.iter().zip(strides);
    dimensions.try_fold(1_usize, |span, (size, stride)| span.checked_add((size - 1).checked_mul(*stride)?))
}

/// Returns the strides of a tensor in row-major order.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension]);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shape: &[usize], strides: &[usize]) -> StoredTensor {
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        StoredTensor { path: PathBuf::new(), shape, dtype: Dtype::F32, storage: 0..0, offset: 0, strides }
    }

    // torch.arange(6.).as_strided(shape, strides).flatten().tolist()
    #[test]
    fn views_are_read_in_row_major_order() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let cases: [(&[usize], &[usize], &[f32]); 5] = [
            (&[3, 2], &[1, 3], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
            (&[2, 2], &[3, 1], &[0.0, 1.0, 3.0, 4.0]),
            (&[3], &[2], &[0.0, 2.0, 4.0]),
            (&[2, 2], &[0, 1], &[0.0, 1.0, 0.0, 1.0]),
            (&[1, 2, 3], &[9, 1, 2], &[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]),
        ];
        for (shape, strides, expected) in cases {
            let tensor = stored(shape, strides);
            assert!(!tensor.is_contiguous());
            assert!(span(shape, strides).unwrap() <= values.len());
            assert_eq!(tensor.gathered(&values), expected);
        }
    }

    #[test]
    fn strides_of_dimensions_with_one_value_do_not_matter() {
        assert!(stored(&[1, 3, 1], &[7, 1, 0]).is_contiguous());
        assert!(stored(&[2, 3], &[3, 1]).is_contiguous());
        assert!(stored(&[], &[]).is_contiguous());
        assert_eq!(span(&[], &[]), Some(1));
        assert_eq!(span(&[4, 0], &[usize::MAX, 1]), Some(0));
        assert_eq!(span(&[2, 2], &[usize::MAX, usize::MAX]), None);
    }
}
