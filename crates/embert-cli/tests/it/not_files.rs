//! Pipes and sockets as data: an error instead of a command that waits for ever.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::stderr;
use crate::tiny::{SHAPE, write_csv};

/// Returns the output of a process. Ends the process and panics if it takes two minutes.
fn in_time(mut child: Child, what: &str) -> Output {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("{what} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// Runs `embert` with an open pipe as standard input. Returns the error of exit code 3, which is one line.
#[track_caller]
fn rejected(folder: &Path, arguments: &str) -> String {
    let mut command = crate::command(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = in_time(command.spawn().unwrap(), arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{arguments}: {message}");
    assert_eq!(message.lines().count(), 1, "{arguments}: {message}");
    message
}

#[test]
fn data_in_a_pipe_or_a_socket_is_an_error_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "train.csv", &["apple", "river"], 30);
    fs::create_dir(path.join("dir")).unwrap();
    fs::copy(path.join("train.csv"), path.join("dir/a.csv")).unwrap();
    for name in ["pipe.csv", "pipe.jsonl", "pipe", "dir/pipe.csv"] {
        assert!(Command::new("mkfifo").arg(path.join(name)).status().unwrap().success());
    }
    let _listener = UnixListener::bind(path.join("socket.csv")).unwrap();
    let train = format!("train {SHAPE} --max_steps 2 --output_dir run");
    for (arguments, found) in [
        ("predict --model ./none --input pipe.csv".to_owned(), "pipe.csv: this is a pipe"),
        ("predict --model ./none --input pipe".to_owned(), "pipe: this is a pipe"),
        ("predict --model ./none --input /dev/stdin".to_owned(), "/dev/stdin: this is a pipe"),
        ("predict --model ./none --input /dev/fd/0".to_owned(), "/dev/fd/0: this is a pipe"),
        ("predict --model ./none --input socket.csv".to_owned(), "socket.csv: this is a socket"),
        ("predict --model ./none --input pipe.csv --output out.csv".to_owned(), "pipe.csv: this is a pipe"),
        (format!("{train} --train_file pipe.csv"), "pipe.csv: this is a pipe"),
        (format!("{train} --train_file pipe.jsonl"), "pipe.jsonl: this is a pipe"),
        (format!("{train} --train_file /dev/fd/0"), "/dev/fd/0: this is a pipe"),
        (format!("{train} --dataset ./pipe.csv"), "pipe.csv: this is a pipe"),
        (format!("{train} --dataset dir"), "dir/pipe.csv: this is a pipe"),
        (format!("{train} --train_file p*.csv"), "pipe.csv: this is a pipe"),
        (format!("{train} --train_file train.csv --test_file socket.csv --do_eval"), "this is a socket"),
        (format!("check {SHAPE} --train_file pipe.csv"), "pipe.csv: this is a pipe"),
    ] {
        let message = rejected(path, &arguments);
        assert!(message.contains(found) && message.contains("write its content to a file"), "{message}");
        let advises = message.contains("standard input");
        assert_eq!(advises, arguments.starts_with("predict"), "{arguments}: {message}");
        assert!(!path.join("run").exists() && !path.join("out.csv").exists(), "{arguments}");
    }
}
