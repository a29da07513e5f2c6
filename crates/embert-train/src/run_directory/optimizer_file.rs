//! `optimizer.safetensors`: PyTorch's `exp_avg`, `exp_avg_sq` and `step` of every parameter, keyed by the parameter's path,
//! and the `rows` of a table that have moments, if not all have.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{Moments, TableRows};
use embert_model::{TensorToWrite, write_f32, write_safetensors};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

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

/// Reads the state onto a device.
pub(crate) fn read(directory: &Path, device: &Device) -> Result<OptimizerState, TrainError> {
    let path = directory.join(OPTIMIZER);
    let bytes = fs::read(&path).map_err(at(&path))?;
    parse(&bytes, device).map_err(|reason| TrainError::Checkpoint { path, reason })
}

fn parse(bytes: &[u8], device: &Device) -> Result<OptimizerState, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let (mut parameters, mut num_tensors) = (BTreeMap::new(), 0);
    for name in file.names() {
        let Some(parameter) = name.strip_suffix(STEP) else { continue };
        let mean = values(&file, format!("{parameter}{MEAN}"), device)?;
        let mean_of_squares = values(&file, format!("{parameter}{MEAN_OF_SQUARES}"), device)?;
        let (step, rows) = (step(&file, name)?, rows(&file, format!("{parameter}{ROWS}"))?);
        num_tensors += 3 + usize::from(rows.is_some());
        let moments = Moments { mean, mean_of_squares };
        parameters.insert(parameter.to_owned(), ParameterState { step, rows, moments });
    }
    if num_tensors != file.len() {
        return Err("some tensors have no step".to_owned());
    }
    Ok(OptimizerState { parameters })
}

/// Reads a flat tensor, `[num_elements]`.
fn values(file: &SafeTensors<'_>, name: String, device: &Device) -> Result<Tensor<1>, String> {
    let view = tensor(file, &name, Dtype::F32)?;
    let (values, _) = view.data().as_chunks();
    let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect::<Vec<_>>();
    let length = values.len();
    Ok(Tensor::from_data(TensorData::new(values, [length]), device))
}

fn step(file: &SafeTensors<'_>, name: &str) -> Result<i32, String> {
    let bytes = tensor(file, name, Dtype::I32)?.data().try_into();
    let step = bytes.map(i32::from_le_bytes).map_err(|_| format!("{name} is not one number"))?;
    if (1..i32::MAX).contains(&step) { Ok(step) } else { Err(format!("{name} is {step}")) }
}

/// Reads the numbers of rows, which are sorted. There are none if all rows have moments.
fn rows(file: &SafeTensors<'_>, name: String) -> Result<Option<TableRows>, String> {
    if file.tensor(&name).is_err() {
        return Ok(None);
    }
    let (numbers, _) = tensor(file, &name, Dtype::I64)?.data().as_chunks();
    let numbers = numbers.iter().map(|&bytes| u32::try_from(i64::from_le_bytes(bytes)).ok());
    match numbers.collect::<Option<Vec<_>>>() {
        Some(rows) if !rows.is_empty() && rows.is_sorted_by(|a, b| a < b) => Ok(Some(TableRows::new(rows))),
        _ => Err(format!("{name} is not a sorted list of rows")),
    }
}

fn tensor<'a>(file: &SafeTensors<'a>, name: &str, dtype: Dtype) -> Result<TensorView<'a>, String> {
    let view = file.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() == dtype { Ok(view) } else { Err(format!("{name} is {:?}, not {dtype:?}", view.dtype())) }
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

    use safetensors::serialize;

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
        parse(&serialize(views, None::<HashMap<_, _>>).unwrap(), &Device::flex())
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
}
