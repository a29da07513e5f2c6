//! embert writes only to the output directories, and opens no connections unless it needs the hub.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
                    --synthetic_reviews 100 --num_train_epochs 1";
const ADAPTER: &str = "--model out/base --dataset synthetic --synthetic_reviews 100 --max_seq_length 96 \
                       --num_train_epochs 1 --lora_target_modules query --lora_r 2 --save_strategy epoch";

/// A working directory, and separate folders for the home directory, temporary files and caches.
struct Room {
    root: tempfile::TempDir,
}

const FOLDERS: [&str; 6] = ["home", "tmp", "hf_home", "xdg_cache", "xdg_config", "work"];

impl Room {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        FOLDERS.iter().for_each(|name| fs::create_dir(root.path().join(name)).unwrap());
        fs::create_dir(root.path().join("work/out")).unwrap();
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Returns the command `embert ARGUMENTS`, started by the program `starter` if it is not empty.
    fn command(&self, starter: &[&str], arguments: &str) -> Command {
        let program = env!("CARGO_BIN_EXE_embert");
        let line = starter.iter().copied().chain([program]).chain(arguments.split_whitespace());
        let line = line.collect::<Vec<_>>();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).current_dir(self.path("work")).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let variables = ["HOME", "TMPDIR", "HF_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"];
        variables.iter().zip(FOLDERS).for_each(|(variable, folder)| {
            command.env(variable, self.path(folder));
        });
        command
    }

    fn succeeds(&self, starter: &[&str], arguments: &str) -> Output {
        let output = self.command(starter, arguments).output().expect("the binary was built");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Returns all files and folders below `name`.
    fn below(&self, name: &str) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.path(name)];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                folders.extend(path.is_dir().then(|| path.clone()));
                found.insert(path);
            }
        }
        found
    }
}

/// The arguments that train, evaluate and predict with a model, train an adapter and merge it.
fn everything() -> [String; 5] {
    [
        format!("train {TINY} --output_dir out/base"),
        "evaluate --model out/base".to_owned(),
        "predict --model out/base good".to_owned(),
        format!("train {ADAPTER} --output_dir out/run"),
        "merge --model out/run --output out/merged".to_owned(),
    ]
}

#[test]
fn files_are_written_only_to_the_output_directories() {
    let room = Room::new();
    for arguments in everything() {
        room.succeeds(&[], &arguments);
    }
    let outside = FOLDERS.iter().flat_map(|folder| room.below(folder));
    let out = room.path("work/out");
    let outside = outside.filter(|path| !path.starts_with(&out)).collect::<Vec<_>>();
    assert!(outside.is_empty(), "{outside:?}");
    let inside = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(inside.collect::<BTreeSet<_>>(), ["base", "merged", "run"].map(Into::into).into());
}

/// Starts a server that counts connections. Its thread ends with the test process.
fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    thread::spawn(move || {
        for _ in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (endpoint, connections)
}

#[test]
fn offline_and_without_hub_names_there_are_no_connections() {
    let room = Room::new();
    let (endpoint, connections) = listener();
    for arguments in everything() {
        let output = room.command(&[], &arguments).env("HF_ENDPOINT", &endpoint).output().unwrap();
        assert!(output.status.success(), "{arguments}");
    }
    for arguments in
        ["train --model owner/name --dataset synthetic", "train --dataset imdb", "predict --model o/n good"]
    {
        let mut command = room.command(&[], arguments);
        let output = command.env("HF_ENDPOINT", &endpoint).env("HF_HUB_OFFLINE", "1").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("HF_HUB_OFFLINE"), "{output:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    // Checks the listener: without HF_HUB_OFFLINE there is a connection.
    let mut command = room.command(&[], "predict --model o/n good");
    let mut child = command.env("HF_ENDPOINT", &endpoint).stderr(Stdio::null()).spawn().unwrap();
    while connections.load(Ordering::SeqCst) == 0 {
        thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Counts system calls with `strace`, if it is installed.
#[test]
fn no_socket_is_opened() {
    let room = Room::new();
    let trace = room.path("trace");
    let strace = ["strace", "-f", "-qq", "-e", "trace=network", "-o", trace.to_str().unwrap()];
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: strace is not installed or not permitted");
        return;
    }
    let sockets = |path: &Path| fs::read_to_string(path).unwrap().matches("socket(").count();
    for arguments in everything() {
        room.succeeds(&strace, &arguments);
        assert_eq!(sockets(&trace), 0, "{arguments}");
    }
    let mut offline = room.command(&strace, "predict --model owner/name good");
    assert!(!offline.env("HF_HUB_OFFLINE", "1").output().unwrap().status.success());
    assert_eq!(sockets(&trace), 0);
    let mut online = room.command(&strace, "predict --model owner/name good");
    assert!(!online.env("HF_ENDPOINT", "http://127.0.0.1:9").output().unwrap().status.success());
    assert!(sockets(&trace) > 0, "strace reports no socket of a download");
}
