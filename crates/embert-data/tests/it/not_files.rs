//! Pipes, sockets and devices instead of files: an error, before an open that waits for a writer.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use embert_data::{
    DataError, ReadOptions, TableReader, estimated_rows, input_parts, read, read_table, read_texts,
};

use crate::TestDir;

/// Returns the result of a function. Panics if it takes a minute.
fn in_time<T: Send + 'static>(what: String, function: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(function()));
    receiver.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Returns the error of each function that reads a path.
fn errors(path: &Path) -> Vec<(&'static str, Option<DataError>)> {
    type Reader = fn(PathBuf) -> Option<DataError>;
    let readers: [(&str, Reader); 4] = [
        ("read", |path| read(&path, "train", &ReadOptions::default(), None).err()),
        ("read_texts", |path| read_texts(&path, &ReadOptions::default()).err()),
        ("read_table", |path| read_table(&path, &ReadOptions::default()).err()),
        ("TableReader", |path| {
            TableReader::open(&path, &ReadOptions::default())
                .and_then(|tables| tables.collect::<Result<Vec<_>, _>>())
                .err()
        }),
    ];
    let error = |(name, reader): (&'static str, Reader)| {
        let path = path.to_path_buf();
        (name, in_time(format!("{name} {}", path.display()), move || reader(path)))
    };
    readers.map(error).into()
}

#[track_caller]
fn assert_refused(path: &Path, expected: &str) {
    for (reader, error) in errors(path) {
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(expected), "{reader} {}: {message}", path.display());
    }
}

#[test]
fn pipes_sockets_and_devices_are_errors() {
    let dir = TestDir::new();
    for name in ["p.csv", "p.csv.gz", "p.jsonl", "p.json", "p.txt", "p.parquet", "p.zip", "p"] {
        pipe(&dir.path(name));
        let expected =
            format!("{name}: this is a pipe, but a file is read more than once; write its content to");
        assert_refused(&dir.path(name), &expected);
        let (path, other) = (dir.path(name), dir.path(name));
        assert_eq!(in_time(name.to_owned(), move || estimated_rows(&path)), None, "{name}");
        assert!(input_parts(&other).is_err(), "{name}");
    }
    symlink("p.csv", dir.path("link.csv")).unwrap();
    assert_refused(&dir.path("link.csv"), "link.csv: this is a pipe");
    symlink("/dev/zero", dir.path("zero.csv")).unwrap();
    assert_refused(&dir.path("zero.csv"), "zero.csv: this is a device");
    let _listener = UnixListener::bind(dir.path("s.csv")).unwrap();
    assert_refused(&dir.path("s.csv"), "s.csv: this is a socket");
}

#[test]
fn a_pipe_among_other_files_is_an_error_too() {
    for (pipe_name, paths) in [
        ("b.csv", &["", "*", "*.csv", "b*"][..]),
        ("b.csv.gz", &["", "*", "b*"]),
        ("sub/b.csv", &["", "*", "**", "**/*.csv", "sub"]),
    ] {
        let dir = TestDir::new();
        dir.write("a.csv", "text,label\na,0\nb,1\n");
        std::fs::create_dir_all(dir.path("sub")).unwrap();
        pipe(&dir.path(pipe_name));
        for path in paths {
            assert_refused(&dir.path(path), &format!("{pipe_name}: this is a pipe"));
        }
    }
    let dir = TestDir::new();
    for class in ["neg", "pos"] {
        dir.write(&format!("train/{class}/0_1.txt"), "a review");
    }
    pipe(&dir.path("train/pos/1_1.txt"));
    let path = dir.path("");
    let error =
        in_time("aclImdb".to_owned(), move || read(&path, "train", &ReadOptions::default(), None).err());
    assert!(error.unwrap().to_string().contains("1_1.txt: this is a pipe"));
}

/// `/dev/fd/N` is how a shell names the pipe of a process substitution.
#[cfg(target_os = "linux")]
#[test]
fn the_pipe_of_a_process_substitution_is_an_error() {
    use std::os::fd::AsRawFd;
    let (reader, _writer) = std::io::pipe().unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    assert_refused(&path, ": this is a pipe");
}
