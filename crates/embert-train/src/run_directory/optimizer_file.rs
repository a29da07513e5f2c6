//! `optimizer.safetensors`: PyTorch's `exp_avg`, `exp_avg_sq` and `step` of every parameter, keyed by the parameter's path.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::Moments;
use embert_model::write_safetensors;
use safetensors::tensor::{TensorView, View};
use safetensors::{Dtype, SafeTensors};

use super::run_files::OPTIMIZER;
use crate::error::{TrainError, at};
use crate::optimizer::{OptimizerState, ParameterState};

const MEAN: &str = ".exp_avg";
const MEAN_OF_SQUARES: &str = ".exp_avg_sq";
const STEP: &str = ".step";

/// Writes the state of every parameter. Only one tensor at a time is in memory.
pub(crate) fn write(state: &OptimizerState, directory: &Path) -> Result<(), TrainError> {
    let path = directory.join(OPTIMIZER);
    let tensors = state.parameters.iter().flat_map(|(parameter, ParameterState { step, moments })| {
        [
            (format!("{parameter}{MEAN}"), Stored::values(&moments.mean)),
            (format!("{parameter}{MEAN_OF_SQUARES}"), Stored::values(&moments.mean_of_squares)),
            (format!("{parameter}{STEP}"), Stored::Step(*step)),
        ]
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
    let mut parameters = BTreeMap::new();
    for name in file.names() {
        let Some(parameter) = name.strip_suffix(STEP) else { continue };
        let mean = values(&file, format!("{parameter}{MEAN}"), device)?;
        let mean_of_squares = values(&file, format!("{parameter}{MEAN_OF_SQUARES}"), device)?;
        let step = step(&file, name)?;
        let moments = Moments { mean, mean_of_squares };
        parameters.insert(parameter.to_owned(), ParameterState { step, moments });
    }
    if parameters.len() * 3 != file.len() {
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

fn tensor<'a>(file: &SafeTensors<'a>, name: &str, dtype: Dtype) -> Result<TensorView<'a>, String> {
    let view = file.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() == dtype { Ok(view) } else { Err(format!("{name} is {:?}, not {dtype:?}", view.dtype())) }
}

/// A tensor that is read from the device only when it is written.
enum Stored {
    Values(Box<Tensor<1>>, [usize; 1]),
    Step(i32),
}

impl Stored {
    fn values(values: &Tensor<1>) -> Self {
        Self::Values(Box::new(values.clone()), values.dims())
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Values(..) => Dtype::F32,
            Self::Step(_) => Dtype::I32,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Values(_, shape) => shape,
            Self::Step(_) => &[],
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(match self {
            Self::Values(values, _) => {
                let values =
                    values.as_ref().clone().into_data().try_to_vec::<f32>().expect("moments are f32");
                values.into_iter().flat_map(f32::to_le_bytes).collect()
            }
            Self::Step(step) => step.to_le_bytes().to_vec(),
        })
    }

    fn data_len(&self) -> usize {
        match self {
            Self::Values(_, [length]) => length * size_of::<f32>(),
            Self::Step(_) => size_of::<i32>(),
        }
    }
}
