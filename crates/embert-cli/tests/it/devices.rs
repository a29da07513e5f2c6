//! `--device` and `embert devices`, with the backends of this binary and the devices of this machine.

use std::path::Path;
use std::process::Output;

use crate::{fails, stderr, stdout, succeeds};

/// The Vulkan driver SwiftShader, which needs no GPU. Debian's package chromium-common installs it here.
const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// The GPU backends, and true for those of this binary.
const GPUS: [(&str, bool); 2] = [("wgpu", cfg!(feature = "wgpu")), ("cuda", cfg!(feature = "cuda"))];

/// Each command that takes a device, with data and a model that do not exist.
const COMMANDS: [&str; 3] = [
    "train --dataset ./no.csv --model ./none --output_dir out",
    "evaluate --dataset ./no.csv --model ./none",
    "predict --model ./none text",
];

/// Runs `embert` with only this Vulkan driver. The variables are those of the loaders on Linux.
fn with_driver(folder: &Path, driver: &str, arguments: &str) -> Output {
    let mut command = crate::command(folder, arguments);
    command.env("VK_DRIVER_FILES", driver).env("VK_ICD_FILENAMES", driver);
    command.env("__EGL_VENDOR_LIBRARY_FILENAMES", "/no/vendor.json"); // no OpenGL
    command.output().expect("the binary was built")
}

/// Asserts exit code 2, a one-line error with this beginning, and that no file was written. Returns the error.
#[track_caller]
fn refused(folder: &Path, output: &Output, beginning: &str) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with(&format!("error: {beginning}")), "{message}");
    assert_eq!((message.lines().count(), stdout(output).as_str()), (1, ""), "{message}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    message
}

/// Returns the first cell of each row.
fn names(table: &str) -> Vec<&str> {
    let cells = table.lines().filter_map(|line| line.strip_prefix('│')?.split_whitespace().next());
    cells.filter(|cell| *cell != "device").collect()
}

#[test]
fn devices_must_be_different_and_of_one_backend() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |devices: &str, beginning: &str| {
        let line = format!("{} --devices {devices}", COMMANDS[0]);
        refused(folder.path(), &with_driver(folder.path(), "/no/driver.json", &line), beginning)
    };
    if cfg!(feature = "cpu") {
        let message = refused("cpu,cpu:0", "--devices cpu,cpu:0: ");
        assert!(message.contains("different devices of one backend"), "{message}");
    }
    refused(",", "--device : a device is");
}

#[test]
fn a_missing_device_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let without_driver = |device: &str, command: &str| {
        with_driver(folder.path(), "/no/driver.json", &format!("{command} --device {device}"))
    };
    for command in COMMANDS {
        let refused = |device: &str| {
            refused(folder.path(), &without_driver(device, command), &format!("--device {device}: "))
        };
        for invalid in ["gpu", "wgpu:x", "cuda:-1", "cpu:1", ":"] {
            assert!(refused(invalid).contains("`embert devices` lists the devices"), "{invalid}");
        }
        for (name, built) in GPUS {
            let message = refused(&format!("{name}:99"));
            if built {
                assert!(message.contains("found") || message.contains("there "), "{message}")
            } else {
                assert!(message.contains(&format!("--backend {name}` builds one")), "{message}")
            }
        }
    }
}

#[test]
fn without_a_driver_the_error_names_the_packages() {
    if !cfg!(all(feature = "wgpu", target_os = "linux")) {
        eprintln!("SKIPPED: needs the feature wgpu, and loaders of drivers as on Linux");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = with_driver(folder.path(), "/no/driver.json", "predict --model ./none text --device wgpu");
    let message = refused(folder.path(), &output, "--device wgpu: no graphics adapter was found");
    assert!(message.contains("mesa-vulkan-drivers"), "{message}");
}

#[test]
fn with_a_device_the_error_is_about_missing_data_or_a_missing_model() {
    let folder = tempfile::tempdir().unwrap();
    for (command, code) in COMMANDS.into_iter().zip([3, 1, 1]) {
        let message = fails(folder.path(), code, &format!("{command} --device {}", device_of_this_binary()));
        assert!(!message.contains("--device"), "{message}");
    }
}

/// Returns the CPU, or a GPU if the binary does not have the CPU backend.
fn device_of_this_binary() -> &'static str {
    if cfg!(feature = "cpu") {
        "cpu"
    } else if cfg!(feature = "cuda") {
        "cuda"
    } else {
        "wgpu"
    }
}

#[test]
fn the_list_has_the_built_backends_and_how_to_build_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let table = succeeds(folder.path(), "devices");
    assert_eq!(cfg!(feature = "cpu"), names(&table).contains(&"cpu"), "{table}");
    for (name, built) in GPUS {
        let found = names(&table).iter().any(|device| device.starts_with(&format!("{name}:")));
        let why = table.lines().find(|line| line.starts_with(&format!("{name}: ")));
        assert_eq!(why.is_none(), found, "{table}");
        assert_eq!(why.is_some_and(|why| why.contains("not in this binary")), !built, "{table}");
    }
    if cfg!(feature = "cpu") {
        assert!(
            table.contains(" cores") && table.contains("iB available") && table.contains("fp32 ("),
            "{table}"
        );
    }
}

#[test]
fn listed_devices_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    if !cfg!(feature = "wgpu") || !Path::new(SWIFTSHADER).exists() {
        eprintln!(
            "SKIPPED: needs the feature wgpu and {SWIFTSHADER} (Debian's chromium-common and libvulkan1)"
        );
        return;
    }
    let listed = with_driver(folder.path(), SWIFTSHADER, "devices");
    let table = stdout(&listed);
    assert_eq!(names(&table).iter().filter(|name| name.starts_with("wgpu:")).count(), 1, "{table}");
    assert!(table.contains("SwiftShader") && table.contains("Vulkan"), "{table}");
    let predict = |device: &str| {
        with_driver(folder.path(), SWIFTSHADER, &format!("predict --model ./none text --device {device}"))
    };
    for device in ["wgpu", "wgpu:0"] {
        let message = stderr(&predict(device)); // the device exists, the model does not
        assert!(message.contains("./none") && !message.contains("--device"), "{message}");
    }
    let message = refused(folder.path(), &predict("wgpu:1"), "--device wgpu:1: ");
    assert!(message.contains("there is one wgpu device, wgpu:0"), "{message}");
    for precision in ["bf16", "fp16"] {
        let train = format!("{} --device wgpu --{precision}", COMMANDS[0]);
        let message = refused(
            folder.path(),
            &with_driver(folder.path(), SWIFTSHADER, &train),
            &format!("train.{precision}: --device wgpu does not compute in {precision}"),
        );
        assert!(!message.contains("CPU"), "{message}");
    }
}
