//! A run never removes, changes or moves a file that is not from a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use embert_train::{
    Checkpoint, ModelCard, OnExisting, RunDirectory, RunSettings, TrainConfig, TrainError, fit,
};

use crate::tiny::{self, Examples};

const CARD: fn() -> ModelCard = ModelCard::default;

fn config() -> TrainConfig {
    TrainConfig { max_steps: Some(4), save_steps: 2.into(), learning_rate: 1e-3, ..TrainConfig::default() }
}

fn with_settings<T>(make: impl FnOnce(RunSettings<'_>) -> T) -> T {
    let (config, model_config, tokenizer) = (config(), tiny::config(0.0), tiny::tokenizer());
    make(RunSettings {
        config: &config,
        model_config: &model_config,
        tokenizer: &tokenizer,
        recipe: "seed = 1\n",
    })
}

/// Trains and finishes a run in its directory.
fn finish(run: RunDirectory) -> Result<PathBuf, TrainError> {
    finish_after(run, || ())
}

/// Trains, calls `meanwhile` and finishes the run.
fn finish_after(mut run: RunDirectory, meanwhile: impl FnOnce()) -> Result<PathBuf, TrainError> {
    let examples = Examples::new(20);
    let fitted = fit(tiny::model(0.0), examples.train_only(), &config(), &mut |event| {
        run.record(&event)?;
        tiny::CONTINUE
    });
    let fitted = fitted.unwrap();
    meanwhile();
    run.finish(&fitted.model, &fitted.report, None, &CARD())
}

fn create(output_dir: &Path, on_existing: OnExisting) -> Result<RunDirectory, TrainError> {
    with_settings(|settings| RunDirectory::create(output_dir, on_existing, settings))
}

fn resume(from: &Path, output_dir: &Path) -> Result<RunDirectory, TrainError> {
    let from = Checkpoint::open(from).unwrap();
    with_settings(|settings| RunDirectory::resume(&from, output_dir, OnExisting::Refuse, settings))
}

/// Creates a finished run at `out` in a new folder.
fn finished_run() -> (tempfile::TempDir, PathBuf) {
    let folder = tiny::folder();
    let output_dir = folder.path().join("out");
    finish(create(&output_dir, OnExisting::Refuse).unwrap()).unwrap();
    (folder, output_dir)
}

/// Creates entries in `root`: `path/` is an empty directory, `path -> target` a link, any other path a file.
fn make(root: &Path, layout: &[&str]) {
    for entry in layout {
        if let Some((link, target)) = entry.split_once(" -> ") {
            #[cfg(unix)]
            std::os::unix::fs::symlink(root.join(target), root.join(link)).unwrap();
            continue;
        }
        let path = root.join(entry);
        fs::create_dir_all(if entry.ends_with('/') { &path } else { path.parent().unwrap() }).unwrap();
        if !entry.ends_with('/') {
            fs::write(&path, format!("mine: {entry}")).unwrap();
        }
    }
}

/// Returns every entry of a directory tree: bytes of files, targets of links.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let content = match path.symlink_metadata().unwrap().file_type() {
            kind if kind.is_symlink() => {
                fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes()
            }
            kind if kind.is_dir() => {
                found.extend(tree(&path));
                b"a directory".to_vec()
            }
            _ => fs::read(&path).unwrap(),
        };
        found.insert(path, content);
    }
    found
}

/// Asserts that each way to start a run in `out` fails with `named` in the error, and changes no file.
#[track_caller]
fn assert_refused(folder: &Path, named: &str) {
    let output_dir = folder.join("out");
    let before = tree(folder);
    let error = RunDirectory::check(&output_dir, OnExisting::Replace).unwrap_err();
    assert!(matches!(error, TrainError::NotARun { .. } | TrainError::Foreign { .. }), "{named}: {error}");
    let error = error.to_string();
    assert!(error.contains(named) && error.contains("choose another output_dir"), "{named}: {error}");
    assert_eq!(create(&output_dir, OnExisting::Replace).unwrap_err().to_string(), error);
    create(&output_dir, OnExisting::Refuse).unwrap_err();
    assert!(tree(folder) == before, "{named}: something changed");
}

#[test]
fn a_directory_without_a_run_is_an_error() {
    let layouts: [(&[&str], &str); 12] = [
        (&["out/data.csv", "out/src/main.py", "out/README.md", "out/config.json"], "contains data.csv"),
        (
            &["out/README.md", "out/config.json", "out/vocab.txt"],
            "out is not a run directory, and contains README.md",
        ),
        (&["out/.bashrc", "out/Documents/letter.txt"], "contains .bashrc"),
        (&["out/.git/HEAD", "out/train.py"], "contains .git"),
        (&["out/recipe.toml", "out/data.csv"], "contains data.csv"),
        (&["out/recipe.toml", "out/metrics.jsonl"], "contains metrics.jsonl"),
        (&["out/trainer_state.json", "out/config.json", "out/model.safetensors"], "contains config.json"),
        (&["out/checkpoint-3/pytorch_model.bin"], "checkpoint-3/pytorch_model.bin"),
        (&["out/checkpoint-3"], "out/checkpoint-3"),
        (&["out/empty/"], "contains empty"),
        (&["out.partial/notes.txt"], "out.partial is not a run directory, and contains notes.txt"),
        (&["out.partial.tmp/notes.txt"], "out.partial.tmp is not"),
    ];
    for (layout, named) in layouts {
        let folder = tiny::folder();
        make(folder.path(), layout);
        assert_refused(folder.path(), named);
    }
}

#[test]
fn a_foreign_entry_that_a_run_cannot_keep_is_an_error() {
    let layouts: [(&[&str], &str); 6] = [
        (&["out/checkpoint-4/notes.txt"], "out/checkpoint-4/notes.txt"),
        (&["out/checkpoint-4/more/x"], "out/checkpoint-4/more"),
        (&["out/checkpoint-9/model.safetensors"], "out/checkpoint-9"),
        (&["out.old/mine.txt"], "out.old"),
        (&["out.old/recipe.toml", "out.old/metrics.jsonl", "out.old/trainer_state.json"], "out.old"),
        (&["out.partial/precious.txt"], "out.partial"),
    ];
    for (layout, named) in layouts {
        let (folder, _) = finished_run();
        make(folder.path(), layout);
        assert_refused(folder.path(), named);
    }
}

#[cfg(unix)]
#[test]
fn links_with_names_of_run_files_are_errors_and_not_followed() {
    for (removed, link) in [
        ("README.md", "out/README.md -> elsewhere/README.md"),
        ("checkpoint-2", "out/checkpoint-2 -> elsewhere"),
        ("none", "out.partial -> elsewhere"),
        ("none", "out.partial.tmp -> elsewhere"),
        ("none", "out.old -> elsewhere"),
    ] {
        let (folder, output_dir) = finished_run();
        make(folder.path(), &["elsewhere/README.md", "elsewhere/state.json"]);
        let _ = fs::remove_file(output_dir.join(removed));
        let _ = fs::remove_dir_all(output_dir.join(removed));
        make(folder.path(), &[link]);
        assert_refused(folder.path(), link.split_once(" -> ").unwrap().0);
    }
}

const FOREIGN: [&str; 7] = [
    "out/notes.txt",
    "out/plots/loss/one.png",
    "out/.git/HEAD",
    "out/empty/",
    "out/checkpoint-best/model.safetensors",
    "out/checkpoint-2.bak/notes",
    "out/readings.tmp",
];

/// Returns the foreign entries of `out`, with their contents.
fn foreign(output_dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_foreign = |path: &Path| {
        let top = path.strip_prefix(output_dir).unwrap().components().next().unwrap();
        let top = format!("out/{}", top.as_os_str().to_string_lossy());
        ["link"].iter().any(|name| top.ends_with(name))
            || FOREIGN
                .iter()
                .any(|entry| entry.trim_end_matches('/').split('/').nth(1) == top.split('/').nth(1))
    };
    tree(output_dir).into_iter().filter(|(path, _)| is_foreign(path)).collect()
}

fn with_foreign_files() -> (tempfile::TempDir, PathBuf) {
    let (folder, output_dir) = finished_run();
    make(folder.path(), &FOREIGN);
    make(folder.path(), &["elsewhere/data.csv", "out/link -> elsewhere"]);
    (folder, output_dir)
}

fn names_in(directory: &Path) -> Vec<String> {
    let names =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn replacing_a_run_keeps_foreign_files() {
    let (folder, output_dir) = with_foreign_files();
    fs::write(output_dir.join("model.safetensors"), "old").unwrap();
    fs::create_dir(output_dir.join("checkpoint-9")).unwrap(); // from a longer run
    let (before, elsewhere) = (foreign(&output_dir), tree(&folder.path().join("elsewhere")));
    assert!(before.len() > 7);
    finish(create(&output_dir, OnExisting::Replace).unwrap()).unwrap();
    assert!(foreign(&output_dir) == before);
    assert!(tree(&folder.path().join("elsewhere")) == elsewhere);
    assert!(fs::read(output_dir.join("model.safetensors")).unwrap() != b"old");
    assert!(!output_dir.join("checkpoint-9").exists());
    assert_eq!(names_in(folder.path()), ["elsewhere", "out"]);
}

#[test]
fn a_file_that_a_user_adds_during_a_run_stays_and_does_not_stop_it() {
    for added in
        ["checkpoint-2/predictions.csv", "checkpoint-4/more/x", "notes.txt", "checkpoint-9/x", "plots/"]
    {
        let folder = tiny::folder();
        let output_dir = folder.path().join("out");
        let run = create(&output_dir, OnExisting::Refuse).unwrap();
        let partial_dir = run.partial_dir().to_owned();
        finish_after(run, || make(&partial_dir, &[added])).unwrap();
        assert!(output_dir.join(added).exists(), "{added}");
        assert!(output_dir.join("checkpoint-2/state.json").exists() && !partial_dir.exists(), "{added}");
    }
}

#[test]
fn resuming_a_run_keeps_foreign_files() {
    let (folder, output_dir) = with_foreign_files();
    let before = foreign(&output_dir);
    finish(resume(&output_dir.join("checkpoint-2"), &output_dir).unwrap()).unwrap();
    assert!(foreign(&output_dir) == before);
    assert_eq!(names_in(folder.path()), ["elsewhere", "out"]);
}

#[test]
fn foreign_files_of_an_unfinished_run_are_in_the_finished_run() {
    let folder = tiny::folder();
    let output_dir = folder.path().join("out");
    let run = create(&output_dir, OnExisting::Refuse).unwrap();
    make(folder.path(), &["out.partial/notes.txt"]);
    finish(run).unwrap();
    assert_eq!(fs::read_to_string(output_dir.join("notes.txt")).unwrap(), "mine: out.partial/notes.txt");
    // Replacing an unfinished run keeps them too.
    drop(resume(&output_dir.join("checkpoint-2"), &output_dir).unwrap());
    make(folder.path(), &["out.partial/more.txt"]);
    finish(create(&output_dir, OnExisting::Replace).unwrap()).unwrap();
    assert!(output_dir.join("notes.txt").is_file() && output_dir.join("more.txt").is_file());
}

#[test]
fn a_directory_created_during_training_is_not_replaced() {
    let folder = tiny::folder();
    let output_dir = folder.path().join("out");
    let run = create(&output_dir, OnExisting::Replace).unwrap();
    make(folder.path(), &["out/data.csv"]);
    let error = finish(run).unwrap_err();
    assert!(matches!(error, TrainError::NotRenamed { .. }), "{error}");
    assert_eq!(fs::read_to_string(output_dir.join("data.csv")).unwrap(), "mine: out/data.csv");
    assert!(folder.path().join("out.partial/model.safetensors").is_file());
}

#[test]
fn a_new_run_does_not_touch_a_directory_named_old() {
    let folder = tiny::folder();
    make(folder.path(), &["out.old/mine.txt"]);
    finish(create(&folder.path().join("out"), OnExisting::Refuse).unwrap()).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("out.old/mine.txt")).unwrap(), "mine: out.old/mine.txt");
}

#[test]
fn an_interrupted_replacement_is_undone() {
    for (number, notes) in ["out.old/notes.txt", "out.partial/notes.txt"].into_iter().enumerate() {
        let (folder, output_dir) = finished_run();
        // The state after the first of two renames: `out.old` is marked, and `out` does not exist yet.
        drop(resume(&output_dir.join("checkpoint-4"), &output_dir).unwrap());
        fs::write(output_dir.join(".replaced"), "").unwrap();
        fs::rename(&output_dir, folder.path().join("out.old")).unwrap();
        make(folder.path(), &[notes]);
        if number == 0 {
            RunDirectory::repair(&output_dir).unwrap();
            assert!(output_dir.join("model.safetensors").is_file() && !output_dir.join(".replaced").exists());
        }
        RunDirectory::check(&output_dir, OnExisting::Replace).unwrap();
        finish(create(&output_dir, OnExisting::Replace).unwrap()).unwrap();
        assert_eq!(fs::read_to_string(output_dir.join("notes.txt")).unwrap(), format!("mine: {notes}"));
        assert_eq!(names_in(folder.path()), ["out"]);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_copy_is_removed_unless_it_has_foreign_files() {
    for copied in [
        &["out.partial.tmp/.replaced"][..],
        &["out.partial.tmp/.replaced", "out.partial.tmp/recipe.toml"],
        &["out.partial.tmp/.replaced", "out.partial.tmp/recipe.toml", "out.partial.tmp/metrics.jsonl"],
        &["out.partial.tmp/.replaced", "out.partial.tmp/checkpoint-2/config.json"],
        &[
            "out.partial.tmp/.replaced",
            "out.partial.tmp/checkpoint-2/state.json",
            "out.partial.tmp/checkpoint-4/",
        ],
        &[
            "out.partial.tmp/recipe.toml",
            "out.partial.tmp/metrics.jsonl",
            "out.partial.tmp/checkpoint-2/state.json",
        ],
        &["out.partial.tmp/"],
    ] {
        let (folder, output_dir) = finished_run();
        make(folder.path(), copied);
        RunDirectory::repair(&output_dir).unwrap();
        assert!(
            copied == ["out.partial.tmp/"] || !folder.path().join("out.partial.tmp").exists(),
            "{copied:?}"
        );
        finish(resume(&output_dir.join("checkpoint-2"), &output_dir).unwrap()).unwrap();

        make(folder.path(), copied);
        make(folder.path(), &["out.partial.tmp/notes.txt"]);
        let before = tree(folder.path());
        assert!(RunDirectory::repair(&output_dir).is_err(), "{copied:?}");
        let kept =
            |tree: BTreeMap<PathBuf, Vec<u8>>| tree.into_keys().filter(|path| !path.ends_with(".replaced"));
        assert!(kept(tree(folder.path())).eq(kept(before)), "{copied:?}");
    }
}

#[test]
fn an_unfinished_run_without_checkpoints_is_removed_if_it_has_nothing_to_lose() {
    let rest = ["tokenizer.json", "trainer_state.json", "all_results.json"];
    let layouts: [(&[&str], Option<&str>); 8] = [
        (&[], None),
        (&["config.json"], None),
        (&["adapter_config.json", ".tmp-adapter_model.safetensors"], None),
        (&["config.json", "model.safetensors", rest[0], rest[1], rest[2], "README.md.tmp"], None),
        (&["config.json", ".lock", "curves.svg", "eval_results.json", "recipe.toml.tmp"], None),
        (&["config.json", rest[0], rest[1], rest[2], "README.md"], Some("rename it to ")),
        (&["config.json", "notes.txt"], Some("notes.txt is not a file of a run")),
        (&["config.json", "checkpoint-3/state.json"], Some("contains an unfinished run")),
    ];
    for (layout, expected) in layouts {
        let folder = tiny::folder();
        make(folder.path(), &["out.partial/recipe.toml", "out.partial/metrics.jsonl"]);
        layout.iter().for_each(|file| make(folder.path(), &[&format!("out.partial/{file}")]));
        let output_dir = folder.path().join("out");
        let before = names_in(&folder.path().join("out.partial"));
        RunDirectory::repair(&output_dir).unwrap();
        let checked = RunDirectory::check(&output_dir, OnExisting::Refuse).map_err(|error| error.to_string());
        match expected {
            None => assert_eq!((checked, names_in(folder.path())), (Ok(()), vec![]), "{layout:?}"),
            Some(expected) => {
                let error = checked.unwrap_err();
                assert!(error.contains(expected), "{layout:?}: {error}");
                assert_eq!(names_in(&folder.path().join("out.partial")), before, "{layout:?}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_linked_output_directory_stays_a_link() {
    let (folder, output_dir) = finished_run();
    make(folder.path(), &["out/notes.txt", "link -> out"]);
    for link in ["link", "link/", "link//", "link/.", "link/./", "out/../link/"] {
        finish(create(&folder.path().join(link), OnExisting::Replace).unwrap()).unwrap();
        assert!(folder.path().join("link").is_symlink() && output_dir.join("notes.txt").is_file(), "{link}");
        assert_eq!(names_in(folder.path()), ["link", "out"], "{link}");
    }
}

#[test]
fn check_writes_no_file_and_accepts_what_create_accepts() {
    let (folder, output_dir) = finished_run();
    let before = tree(folder.path());
    RunDirectory::check(&output_dir, OnExisting::Replace).unwrap();
    RunDirectory::check(&folder.path().join("new"), OnExisting::Refuse).unwrap();
    let error = RunDirectory::check(&output_dir, OnExisting::Refuse).unwrap_err();
    assert!(matches!(error, TrainError::OutputExists { .. }), "{error}");
    assert!(tree(folder.path()) == before);
}
