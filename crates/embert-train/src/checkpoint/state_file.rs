//! `state.json`: the state of a checkpoint's run, its recipe, and the SHA-256 of every other file of the checkpoint.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::run_files::STATE;
use super::seal::{hexadecimal, seal, unseal};
use super::trainer_state::to_value;
use crate::error::{TrainError, at};
use crate::log_entry::LogEntry;
use crate::state::TrainState;

/// Format version; incremented on incompatible changes.
const FORMAT: u32 = 1;

/// The keys of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StateFile {
    format: u32,
    embert_version: String,
    step: usize,
    epoch: f64,
    position_in_epoch: Position,
    seed: u64,
    /// The step of the checkpoint with the best model, under `load_best_model_at_end`: this one or one next to it.
    pub(crate) best_model: Option<usize>,
    /// The resolved recipe as TOML.
    pub(crate) recipe: String,
    /// [`TrainState`]; serde_json reads each float bit for bit (its feature `float_roundtrip`).
    run: Value,
    /// Of the evaluations in the log, one after another.
    confusion_matrices: Vec<Vec<Vec<u64>>>,
    /// SHA-256 by name.
    files: BTreeMap<String, String>,
}

/// The position of a run in its data.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// Complete passes over the training examples.
    epoch: usize,
    /// Optimizer steps of the current one.
    steps: usize,
}

impl StateFile {
    /// Describes the checkpoint whose other files are already in `directory`.
    pub(crate) fn of(
        directory: &Path,
        state: &TrainState,
        recipe: &str,
        seed: u64,
        steps_per_epoch: usize,
        best_model: Option<usize>,
    ) -> Result<Self, TrainError> {
        let step = state.step;
        Ok(Self {
            format: FORMAT,
            embert_version: env!("CARGO_PKG_VERSION").to_owned(),
            step,
            epoch: state.epoch,
            position_in_epoch: Position { epoch: step / steps_per_epoch, steps: step % steps_per_epoch },
            seed,
            best_model,
            recipe: recipe.to_owned(),
            run: to_value(state),
            confusion_matrices: confusion_matrices(&state.log_history),
            files: hashes(directory)?,
        })
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        seal(&serde_json::to_string_pretty(self).expect("a state is plain data"))
    }

    /// Reads the file and compares every other one with its hash.
    pub(crate) fn read(directory: &Path) -> Result<Self, TrainError> {
        let path = directory.join(STATE);
        let broken = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(broken("there is no such file: this is no checkpoint to go on from".to_owned()));
            }
            other => other.map_err(at(&path))?,
        };
        let text = unseal(&bytes).ok_or_else(|| {
            broken("damaged: the SHA-256 in its last line is not that of the rest".to_owned())
        })?;
        let file: Self = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if file.format > FORMAT {
            return Err(broken(format!(
                "written by a newer embert ({}); update to go on from it",
                file.embert_version
            )));
        }
        file.check_files(directory)?;
        Ok(file)
    }

    /// Returns the state of the run.
    pub(crate) fn state(&self, directory: &Path) -> Result<TrainState, TrainError> {
        let path = directory.join(STATE);
        let run = with_floats(self.run.clone());
        let mut state: TrainState = serde_json::from_value(run)
            .map_err(|error| TrainError::Checkpoint { path, reason: format!("run: {error}") })?;
        let evaluations = state.log_history.iter_mut().filter_map(|entry| match entry {
            LogEntry::Evaluation { evaluation, .. } => Some(&mut evaluation.metrics),
            LogEntry::Train(_) => None,
        });
        let saved = self.confusion_matrices.iter().cloned();
        evaluations.zip(saved).for_each(|(metrics, matrix)| metrics.restore(matrix));
        Ok(state)
    }

    fn check_files(&self, directory: &Path) -> Result<(), TrainError> {
        for (name, expected) in &self.files {
            let path = directory.join(name);
            if Path::new(name).file_name() != Some(name.as_ref()) {
                let reason = format!("files: {name:?} is not the name of a file in this directory");
                return Err(TrainError::Checkpoint { path: directory.join(STATE), reason });
            }
            let found = hash(&path)?;
            if found != *expected {
                let reason = format!("damaged: its SHA-256 is {found}, not {expected}");
                return Err(TrainError::Checkpoint { path, reason });
            }
        }
        Ok(())
    }
}

/// Returns the value with floats in place of texts: earlier versions wrote a float as text. No other text is in it.
fn with_floats(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(with_floats).collect(),
        Value::Object(items) => items.into_iter().map(|(key, item)| (key, with_floats(item))).collect(),
        Value::String(text) => {
            let number = text.parse().ok().and_then(Number::from_f64);
            number.map_or(Value::String(text), Value::Number)
        }
        other => other,
    }
}

fn confusion_matrices(log: &[LogEntry]) -> Vec<Vec<Vec<u64>>> {
    let evaluations = log.iter().filter_map(|entry| match entry {
        LogEntry::Evaluation { evaluation, .. } => Some(evaluation.metrics.confusion_matrix.clone()),
        LogEntry::Train(_) => None,
    });
    evaluations.collect()
}

/// The hash of every file of a directory.
fn hashes(directory: &Path) -> Result<BTreeMap<String, String>, TrainError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, hash(&path)?);
    }
    Ok(files)
}

fn hash(path: &Path) -> Result<String, TrainError> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(at(path))? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            count => digest.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::best_model::BestModel;

    fn write(directory: &Path) -> Value {
        fs::write(directory.join("weights"), "w").unwrap();
        let mut state = TrainState { step: 7, epoch: 1.4, loss_sum: 0.1 + 0.2, ..TrainState::default() };
        state.judged.best = Some(BestModel { metric: 1.0 / 3.0, step: 5 });
        let file = StateFile::of(directory, &state, "[train]", 42, 5, Some(5)).unwrap();
        fs::write(directory.join(STATE), file.to_text()).unwrap();
        assert_eq!(StateFile::read(directory).unwrap().state(directory).unwrap(), state);
        serde_json::to_value(&file).unwrap()
    }

    /// Every value of a tree, by the way to it.
    fn paths(value: &Value, path: String, all: &mut Vec<String>) {
        all.push(path.clone());
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                paths(value, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), all)
            }),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(i, value)| paths(value, format!("{path}/{i}"), all))
            }
            _ => {}
        }
    }

    #[test]
    fn a_sealed_file_of_any_content_is_read_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let whole = write(directory.path());
        let mut all = vec![];
        paths(&whole, String::new(), &mut all);
        let huge = "9".repeat(400);
        let odd = [
            json!(null),
            json!(-1),
            json!(u64::MAX),
            json!("NaN"),
            json!(huge),
            json!([]),
            json!({}),
            json!([[[]]]),
        ];
        let (mut tried, mut refused) = (0, 0);
        for (path, odd) in all[1..].iter().flat_map(|path| odd.iter().map(move |odd| (path, odd))) {
            let mut changed = whole.clone();
            *changed.pointer_mut(path).unwrap() = odd.clone();
            let text = seal(&serde_json::to_string_pretty(&changed).unwrap());
            fs::write(directory.path().join(STATE), text).unwrap();
            let read = StateFile::read(directory.path()).and_then(|file| file.state(directory.path()));
            (tried, refused) = (tried + 1, refused + usize::from(read.is_err()));
        }
        println!("{tried} odd states, {refused} refused, no panic");
        assert!(tried > 200 && refused > tried / 2, "{tried} {refused}");
    }

    #[test]
    fn every_bit_of_a_float_survives_as_a_number_and_as_the_text_of_earlier_versions() {
        let mut bits = 1_u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let float = f64::from_bits(bits);
            if float.is_finite() {
                let written = json!({ "x": [float, float.to_string()] }).to_string();
                let read = with_floats(serde_json::from_str(&written).unwrap());
                let read = [0, 1].map(|index| read["x"][index].as_f64().unwrap().to_bits());
                assert_eq!(read, [bits; 2], "{written}");
            }
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut whole = write(directory.path());
        whole["files"] = json!({ "../elsewhere": "0" });
        fs::write(directory.path().join(STATE), seal(&serde_json::to_string_pretty(&whole).unwrap()))
            .unwrap();
        let error = StateFile::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("\"../elsewhere\" is not the name of a file"), "{error}");
    }
}
