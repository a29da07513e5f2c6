//! `state.json`: the state of the run, its recipe, and the SHA-256 of every other file of the checkpoint.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::checksum::{append_checksum, hexadecimal, verify_checksum};
use super::run_files::STATE;
use super::trainer_state::to_value;
use crate::error::{TrainError, at};
use crate::log_entry::LogEntry;
use crate::metrics::MetricDetails;
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
    /// With `load_best_model_at_end`, the step of the checkpoint with the best model.
    pub(crate) best_model: Option<usize>,
    /// The resolved recipe as TOML.
    pub(crate) recipe: String,
    /// [`TrainState`]; serde_json reads each float bit for bit (its feature `float_roundtrip`).
    run: Value,
    /// The details of the evaluations in the log, in order: of single-label classification, confusion matrices.
    #[serde(rename = "confusion_matrices")]
    metric_details: Vec<MetricDetails>,
    /// The SHA-256 of each file by name.
    files: BTreeMap<String, String>,
}

/// The position of a run in its data.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// Number of complete epochs.
    epoch: usize,
    /// Number of optimizer steps in the current epoch.
    steps: usize,
}

impl StateFile {
    /// Describes a checkpoint. Its other files are already in `directory`.
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
            metric_details: metric_details(&state.log_history),
            files: hashes(directory)?,
        })
    }

    /// Returns the text of the file.
    pub(crate) fn to_text(&self) -> String {
        append_checksum(&serde_json::to_string_pretty(self).expect("a state is plain data"))
    }

    /// Reads the file, and checks the SHA-256 of every other file.
    pub(crate) fn read(directory: &Path) -> Result<Self, TrainError> {
        let path = directory.join(STATE);
        let broken = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(broken("no such file; this is not a checkpoint to resume from".to_owned()));
            }
            other => other.map_err(at(&path))?,
        };
        let text = verify_checksum(&bytes)
            .ok_or_else(|| broken("damaged: the SHA-256 in its last line does not match".to_owned()))?;
        let file: Self = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if file.format > FORMAT {
            return Err(broken(format!(
                "written by a newer embert ({}); update embert to resume from it",
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
        let saved = self.metric_details.iter().cloned();
        evaluations.zip(saved).for_each(|(metrics, details)| metrics.restore(details));
        Ok(state)
    }

    fn check_files(&self, directory: &Path) -> Result<(), TrainError> {
        for (name, expected) in &self.files {
            let path = directory.join(name);
            if Path::new(name).file_name() != Some(name.as_ref()) {
                let reason = format!("files: {name:?} is not a plain file name");
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

/// Converts strings to floats: earlier versions wrote floats as strings. The state has no other strings.
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

fn metric_details(log: &[LogEntry]) -> Vec<MetricDetails> {
    let evaluations = log.iter().filter_map(|entry| match entry {
        LogEntry::Evaluation { evaluation, .. } => Some(evaluation.metrics.details()),
        LogEntry::Train(_) => None,
    });
    evaluations.collect()
}

/// Returns the SHA-256 of every file in a directory.
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
        state.best_model.best = Some(BestModel { metric: 1.0 / 3.0, step: 5 });
        let file = StateFile::of(directory, &state, "[train]", 42, 5, Some(5)).unwrap();
        fs::write(directory.join(STATE), file.to_text()).unwrap();
        assert_eq!(StateFile::read(directory).unwrap().state(directory).unwrap(), state);
        serde_json::to_value(&file).unwrap()
    }

    /// Collects the JSON pointer of every value.
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
    fn unexpected_values_with_a_valid_checksum_never_panic() {
        let directory = tempfile::tempdir().unwrap();
        let valid = write(directory.path());
        let mut all = vec![];
        paths(&valid, String::new(), &mut all);
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
            let mut changed = valid.clone();
            *changed.pointer_mut(path).unwrap() = odd.clone();
            let text = append_checksum(&serde_json::to_string_pretty(&changed).unwrap());
            fs::write(directory.path().join(STATE), text).unwrap();
            let read = StateFile::read(directory.path()).and_then(|file| file.state(directory.path()));
            (tried, refused) = (tried + 1, refused + usize::from(read.is_err()));
        }
        println!("{tried} odd states, {refused} refused, no panic");
        assert!(tried > 200 && refused > tried / 2, "{tried} {refused}");
    }

    #[test]
    fn floats_survive_exactly_as_numbers_and_as_strings_of_earlier_versions() {
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
    fn a_file_name_with_a_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut changed = write(directory.path());
        changed["files"] = json!({ "../elsewhere": "0" });
        fs::write(
            directory.path().join(STATE),
            append_checksum(&serde_json::to_string_pretty(&changed).unwrap()),
        )
        .unwrap();
        let error = StateFile::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("\"../elsewhere\" is not a plain file name"), "{error}");
    }
}
