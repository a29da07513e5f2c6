//! Writing a safetensors file atomically, with one tensor in memory at a time.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo, View};

use crate::ModelError;

/// The header length is padded to a multiple of this.
const ALIGNMENT: usize = 8;

/// Writes tensors to a new file that replaces `path`. The bytes are those of the safetensors crate.
///
/// `serialize_to_file` of that crate creates a file that only its owner can read; this function respects the
/// umask.
///
/// # Errors
/// [`ModelError::File`] if the file cannot be written; [`ModelError::Write`] if the tensors do not form a
/// valid file. An existing file at `path` then stays unchanged.
pub fn write_safetensors<V: View>(
    tensors: impl IntoIterator<Item = (String, V)>,
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

fn header<V: View>(
    tensors: &[(String, V)],
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut end = 0;
    let mut info = |(name, tensor): &(String, V)| {
        let begin = end;
        end += tensor.data_len();
        let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
        (name.clone(), TensorInfo { dtype, shape, data_offsets: (begin, end) })
    };
    let infos = tensors.iter().map(&mut info).collect();
    let mut header = serde_json::to_vec(&Metadata::new(metadata, infos)?)?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    Ok(header)
}

fn write<V: View>(header: &[u8], tensors: &[(String, V)], path: &Path) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header)?;
    for (_, tensor) in tensors {
        file.write_all(&tensor.data())?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::*;

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
