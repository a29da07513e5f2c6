//! Loads PTX files with emulation: says which ones cannot be translated or compiled.
//!
//! `cargo run -p embert-standin --example load -- folder/*.ptx`

use std::ffi::{CString, c_void};
use std::time::Instant;

use embert_standin::driver::CuResult;
use embert_standin::driver::module::cuModuleLoadData;
use embert_standin::settings::{Settings, set};

fn main() {
    let cache = std::env::var_os("EMBERT_STANDIN_CACHE").map(Into::into);
    set(Settings { emulate: true, cache, ..Settings::default() });
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let start = Instant::now();
    let failures = paths.iter().filter(|path| !loads(path)).count();
    println!("{} of {} fail, in {:.1} s", failures, paths.len(), start.elapsed().as_secs_f32());
}

fn loads(path: &str) -> bool {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = CString::new(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut module: *mut c_void = std::ptr::null_mut();
    let start = Instant::now();
    // SAFETY: the text ends with 0, and `module` is valid for a write.
    let loads = unsafe { cuModuleLoadData(&raw mut module, text.as_ptr().cast()) } == CuResult::SUCCESS;
    let seconds = start.elapsed().as_secs_f32();
    if !loads || seconds > 2.0 {
        println!("{path}: {} after {seconds:.1} s", if loads { "loads" } else { "fails" });
    }
    loads
}
