//! `optimizer.safetensors`: PyTorch's `exp_avg`, `exp_avg_sq` and `step` of every parameter, keyed by the parameter's path,
//! and the `rows` of a table that have moments, if not all have.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{Moments, TableRows};
use embert_model::{TensorToWrite, write_f32, write_safetensors};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::run_files::OPTIMIZER;
use crate::error::{TrainError, at};
use crate::optimizer_state::{OptimizerState, ParameterState};

const MEAN: &str = ".exp_avg";
const MEAN_OF_SQUARES: &str = ".exp_avg_sq";
const STEP: &str = ".step";
const ROWS: &str = ".rows";

/// Writes the state of every parameter. Only a part of a tensor is copied in host memory at a time.
pub(crate) fn write(state: &OptimizerState, directory: &Path) -> Result<(), TrainError> {
    let path = directory.join(OPTIMIZER);
    let tensors = state.parameters.iter().flat_map(|(parameter, ParameterState { step, rows, moments })| {
        let tensors = [
            (MEAN, Stored::values(&moments.mean)),
            (MEAN_OF_SQUARES, Stored::values(&moments.mean_of_squares)),
            (STEP, Stored::Step(*step)),
        ];
        let rows = rows.iter().map(|rows| (ROWS, Stored::rows(rows)));
        tensors.into_iter().chain(rows).map(move |(kind, tensor)| (format!("{parameter}{kind}"), tensor))
    });
    Ok(write_safetensors(tensors, None, &path)?)
}

/// Reads the state onto a device. Only the bytes of one tensor at a time are in memory.
pub(crate) fn read(directory: &Path, device: &Device) -> Result<OptimizerState, TrainError> {
    let path = directory.join(OPTIMIZER);
    let file = File::open(&path).map_err(at(&path))?;
    parse(file, device).map_err(|reason| TrainError::Checkpoint { path, reason })
}

fn parse(file: impl Read + Seek, device: &Device) -> Result<OptimizerState, String> {
    let mut file = Tensors::open(file)?;
    let names = file.header.tensors().into_keys().collect::<Vec<_>>();
    let (mut parameters, mut num_tensors) = (BTreeMap::new(), 0);
    for parameter in names.iter().filter_map(|name| name.strip_suffix(STEP)) {
        let mean = values(&mut file, format!("{parameter}{MEAN}"), device)?;
        let mean_of_squares = values(&mut file, format!("{parameter}{MEAN_OF_SQUARES}"), device)?;
        let step = step(&mut file, format!("{parameter}{STEP}"))?;
        let rows = rows(&mut file, format!("{parameter}{ROWS}"))?;
        num_tensors += 3 + usize::from(rows.is_some());
        let moments = Moments { mean, mean_of_squares };
        parameters.insert(parameter.to_owned(), ParameterState { step, rows, moments });
    }
    if num_tensors != names.len() {
        return Err("some tensors have no step".to_owned());
    }
    Ok(OptimizerState { parameters })
}

/// Reads a flat tensor, `[num_elements]`.
fn values(file: &mut Tensors<impl Read + Seek>, name: String, device: &Device) -> Result<Tensor<1>, String> {
    let bytes = file.bytes(&name, Dtype::F32)?;
    let values = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect::<Vec<_>>();
    let length = values.len();
    Ok(Tensor::from_data(TensorData::new(values, [length]), device))
}

fn step(file: &mut Tensors<impl Read + Seek>, name: String) -> Result<i32, String> {
    let bytes = file.bytes(&name, Dtype::I32)?.try_into();
    let step = bytes.map(i32::from_le_bytes).map_err(|_| format!("{name} is not one number"))?;
    if (1..i32::MAX).contains(&step) { Ok(step) } else { Err(format!("{name} is {step}")) }
}

/// Reads the numbers of rows, which are sorted. There are none if all rows have moments.
fn rows(file: &mut Tensors<impl Read + Seek>, name: String) -> Result<Option<TableRows>, String> {
    if file.header.info(&name).is_none() {
        return Ok(None);
    }
    let bytes = file.bytes(&name, Dtype::I64)?;
    let numbers = bytes.as_chunks().0.iter().map(|&bytes| u32::try_from(i64::from_le_bytes(bytes)).ok());
    match numbers.collect::<Option<Vec<_>>>() {
        Some(rows) if !rows.is_empty() && rows.is_sorted_by(|a, b| a < b) => Ok(Some(TableRows::new(rows))),
        _ => Err(format!("{name} is not a sorted list of rows")),
    }
}

/// A safetensors file whose tensors are read one at a time.
struct Tensors<F> {
    file: F,
    header: Metadata,
    /// The offset of the first tensor in the file.
    start: u64,
}

impl<F: Read + Seek> Tensors<F> {
    fn open(mut file: F) -> Result<Self, String> {
        let size = file.seek(SeekFrom::End(0)).and_then(|size| file.rewind().map(|()| size));
        let size = size.map_err(|error| error.to_string())?;
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(|error| error.to_string())?;
        let start = u64::from_le_bytes(length).saturating_add(8);
        if start > size {
            return Err(format!("a header of {} bytes does not fit in {size} bytes", start - 8));
        }
        let mut header = vec![0; start as usize - 8];
        file.read_exact(&mut header).map_err(|error| error.to_string())?;
        let header: Metadata = serde_json::from_slice(&header).map_err(|error| format!("header: {error}"))?;
        Ok(Self { file, header, start })
    }

    fn bytes(&mut self, name: &str, dtype: Dtype) -> Result<Vec<u8>, String> {
        let info = self.header.info(name).ok_or_else(|| format!("it has no {name}"))?;
        if info.dtype != dtype {
            return Err(format!("{name} is {:?}, not {dtype:?}", info.dtype));
        }
        let (begin, end) = info.data_offsets;
        let mut bytes = Vec::new();
        let start = self.file.seek(SeekFrom::Start(self.start + begin as u64));
        let read = start.and_then(|_| self.file.by_ref().take((end - begin) as u64).read_to_end(&mut bytes));
        match read {
            Ok(length) if length == end - begin => Ok(bytes),
            Ok(_) => Err(format!("it ends in {name}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A tensor that is read from the device only when it is written.
enum Stored {
    Values(Box<Tensor<1>>, [usize; 1]),
    Step(i32),
    Rows(TableRows, [usize; 1]),
}

impl Stored {
    fn values(values: &Tensor<1>) -> Self {
        Self::Values(Box::new(values.clone()), values.dims())
    }

    fn rows(rows: &TableRows) -> Self {
        Self::Rows(rows.clone(), [rows.as_slice().len()])
    }
}

impl TensorToWrite for Stored {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Values(..) => Dtype::F32,
            Self::Step(_) => Dtype::I32,
            Self::Rows(..) => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Values(_, shape) | Self::Rows(_, shape) => shape,
            Self::Step(_) => &[],
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Values(values, _) => write_f32(values, out),
            Self::Step(step) => out.write_all(&step.to_le_bytes()),
            Self::Rows(rows, _) => {
                rows.as_slice().iter().try_for_each(|&row| out.write_all(&i64::from(row).to_le_bytes()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::Cursor;

    use safetensors::serialize;
    use safetensors::tensor::TensorView;

    use super::*;

    /// Parses a file with one parameter `p` of three values, and these tensors instead of its own.
    fn parse_with(changed: &[(&str, Dtype, &[u8], usize)]) -> Result<OptimizerState, String> {
        let moments = [1.0f32, 2.0, 3.0].map(f32::to_le_bytes).concat();
        let (step, rows) = (1i32.to_le_bytes(), [4i64, 7, 9].map(i64::to_le_bytes).concat());
        let mut tensors = BTreeMap::from([
            ("p.exp_avg", (Dtype::F32, &moments[..], vec![3])),
            ("p.exp_avg_sq", (Dtype::F32, &moments[..], vec![3])),
            ("p.step", (Dtype::I32, &step[..], vec![])),
            ("p.rows", (Dtype::I64, &rows[..], vec![3])),
        ]);
        tensors.extend(changed.iter().map(|&(name, dtype, bytes, len)| (name, (dtype, bytes, vec![len]))));
        let views = tensors.into_iter().map(|(name, (dtype, bytes, shape))| {
            (name, TensorView::new(dtype, shape, bytes).expect("a size that fits"))
        });
        parse(Cursor::new(serialize(views, None::<HashMap<_, _>>).unwrap()), &Device::flex())
    }

    #[test]
    fn a_file_has_the_moments_of_some_rows() {
        let state = parse_with(&[]).unwrap().parameters.remove("p").unwrap();
        assert_eq!((state.step, state.rows.unwrap().as_slice()), (1, &[4, 7, 9][..]));
    }

    #[test]
    fn a_written_state_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = parse_with(&[]).unwrap();
        write(&state, folder.path()).unwrap();
        let read = read(folder.path(), &Device::flex()).unwrap();
        let described = |state: &OptimizerState| {
            let ParameterState { step, rows, moments } = &state.parameters["p"];
            (*step, rows.clone(), moments.mean.to_data(), moments.mean_of_squares.to_data())
        };
        assert_eq!(described(&read), described(&state));
    }

    #[test]
    fn rows_that_are_not_a_sorted_list_are_an_error() {
        let bytes = |rows: &[i64]| rows.iter().flat_map(|row| row.to_le_bytes()).collect::<Vec<_>>();
        for rows in [&[4, 9, 7][..], &[4, 4, 7], &[-1, 4, 7], &[4, 7, 1 << 32], &[]] {
            let error = parse_with(&[("p.rows", Dtype::I64, &bytes(rows), rows.len())]).unwrap_err();
            assert_eq!(error, "p.rows is not a sorted list of rows", "{rows:?}");
        }
        let error = parse_with(&[("p.rows", Dtype::F32, &[0; 12], 3)]).unwrap_err();
        assert_eq!(error, "p.rows is F32, not I64");
        let error = parse_with(&[("q.rows", Dtype::I64, &bytes(&[1]), 1)]).unwrap_err();
        assert_eq!(error, "some tensors have no step");
    }

    #[test]
    fn a_short_file_is_an_error() {
        let moments = [0; 4];
        let view = |bytes| TensorView::new(Dtype::F32, vec![1], bytes).unwrap();
        let file = serialize([("p.exp_avg", view(&moments))], None::<HashMap<_, _>>).unwrap();
        let error = |bytes: &[u8]| parse(Cursor::new(bytes.to_vec()), &Device::flex()).unwrap_err();
        assert_eq!(error(&file), "some tensors have no step");
        assert_eq!(error(&[]), "failed to fill whole buffer");
        assert_eq!(error(&[255; 9]), "a header of 18446744073709551607 bytes does not fit in 9 bytes");
        assert!(error(&[b"\x02\0\0\0\0\0\0\0".as_slice(), b"[]"].concat()).starts_with("header: "));
        let step = [1, 0, 0, 0];
        let step = TensorView::new(Dtype::I32, vec![], &step).unwrap();
        let file =
            serialize([("p.exp_avg", view(&moments)), ("p.step", step)], None::<HashMap<_, _>>).unwrap();
        assert_eq!(error(&file), "it has no p.exp_avg_sq");
        assert_eq!(error(&file[..file.len() - 5]), "it ends in p.exp_avg");
    }
}
