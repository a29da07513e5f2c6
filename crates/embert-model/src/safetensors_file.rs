//! Writing a safetensors file atomically, without a copy of a complete tensor in memory.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use burn::tensor::Tensor;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::ModelError;
use crate::device_values::{VALUES_PER_PIECE, values_in_pieces};

/// The header length is padded to a multiple of this.
const ALIGNMENT: usize = 8;

/// A tensor of a new file.
pub trait TensorToWrite {
    /// Returns the type of the values.
    fn dtype(&self) -> Dtype;

    /// Returns the shape.
    fn shape(&self) -> &[usize];

    /// Writes the values in row-major order as little-endian bytes.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes the values of a tensor on a device, [`TensorToWrite::write`] of fp32.
///
/// # Shapes
/// - `values`: `[elements]`
///
/// # Errors
/// Those of `out`.
///
/// # Panics
/// If the values are not fp32.
pub fn write_f32(values: &Tensor<1>, out: &mut dyn Write) -> io::Result<()> {
    values_in_pieces(values.clone()).try_for_each(|piece| write_slice(&piece, out))
}

/// Writes values as little-endian bytes.
pub(crate) fn write_slice(values: &[f32], out: &mut dyn Write) -> io::Result<()> {
    for piece in values.chunks(VALUES_PER_PIECE) {
        out.write_all(&piece.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Writes tensors to a new file that replaces `path`. The bytes are those of the safetensors crate.
///
/// `serialize_to_file` of that crate creates a file that only its owner can read; this function respects the
/// umask.
///
/// # Errors
/// [`ModelError::File`] if the file cannot be written; [`ModelError::Write`] if the tensors do not form a
/// valid file. An existing file at `path` then stays unchanged.
pub fn write_safetensors<T: TensorToWrite>(
    tensors: impl IntoIterator<Item = (String, T)>,
    metadata: Option<HashMap<String, String>>,
    path: &Path,
) -> Result<(), ModelError> {
    let mut tensors = tensors.into_iter().collect::<Vec<_>>();
    tensors.sort_by(|(a, x), (b, y)| y.dtype().cmp(&x.dtype()).then_with(|| a.cmp(b)));
    let header = header(&tensors, metadata)
        .map_err(|error| ModelError::Write { path: path.into(), reason: error.to_string() })?;
    // A resumed run removes files that begin with .tmp.
    let partial = path.with_file_name(format!(".tmp-{}", path.file_name().unwrap_or_default().display()));
    let written = write(&header, &tensors, &partial).and_then(|()| fs::rename(&partial, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        ModelError::File { path: path.into(), source }
    })
}

fn header<T: TensorToWrite>(
    tensors: &[(String, T)],
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut end = 0;
    let mut info = |(name, tensor): &(String, T)| {
        let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
        let begin = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name.clone(), TensorInfo { dtype, shape, data_offsets: (begin, end) })
    };
    let infos = tensors.iter().map(&mut info).collect();
    let mut header = serde_json::to_vec(&Metadata::new(metadata, infos)?)?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    Ok(header)
}

fn write<T: TensorToWrite>(header: &[u8], tensors: &[(String, T)], path: &Path) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header)?;
    for (_, tensor) in tensors {
        tensor.write(&mut file)?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    impl TensorToWrite for TensorView<'_> {
        fn dtype(&self) -> Dtype {
            TensorView::dtype(self)
        }

        fn shape(&self) -> &[usize] {
            TensorView::shape(self)
        }

        fn write(&self, out: &mut dyn Write) -> io::Result<()> {
            out.write_all(self.data())
        }
    }

    fn tensors() -> Vec<(String, TensorView<'static>)> {
        let view = |dtype, shape, data| TensorView::new(dtype, shape, data).unwrap();
        vec![
            ("b".into(), view(Dtype::F32, vec![2], &[1; 8])),
            ("step".into(), view(Dtype::I32, vec![], &[2; 4])),
            ("empty".into(), view(Dtype::F32, vec![0, 3], &[])),
            ("a".into(), view(Dtype::BF16, vec![1, 3], &[3; 6])),
        ]
    }

    #[test]
    fn bytes_equal_those_of_the_safetensors_crate() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.safetensors");
        for metadata in [None, Some(HashMap::from([("format".to_string(), "pt".to_string())]))] {
            write_safetensors(tensors(), metadata.clone(), &path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), safetensors::serialize(tensors(), metadata).unwrap());
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_mode_follows_the_umask() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let [path, other] = ["model.safetensors", "other"].map(|name| directory.path().join(name));
        File::create(&other).unwrap();
        write_safetensors(tensors(), None, &path).unwrap();
        let [mode, expected] = [path, other].map(|path| fs::metadata(path).unwrap().permissions().mode());
        assert_eq!(mode, expected);
    }

    #[test]
    fn a_failure_leaves_no_partial_file() {
        let directory = tempfile::tempdir().unwrap();
        let occupied = directory.path().join("occupied");
        fs::create_dir_all(occupied.join("by a directory")).unwrap();
        let error = write_safetensors(tensors(), None, &occupied).unwrap_err();
        assert!(matches!(&error, ModelError::File { path, .. } if *path == occupied), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
