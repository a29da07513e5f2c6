//! Calls the driver's functions as a program on a GPU does.

use std::ffi::{CString, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use embert_standin::driver::launch::cuLaunchKernel;
use embert_standin::driver::memory::{cuMemAlloc_v2, cuMemFree_v2};
use embert_standin::driver::module::{cuModuleGetFunction, cuModuleLoadData};
use embert_standin::driver::{CuResult, copy};
use embert_standin::settings::{Settings, set};

/// The record of this test process.
pub(crate) static LOG: LazyLock<PathBuf> =
    LazyLock::new(|| folder().join(format!("embert-standin-{}.log", std::process::id())));

/// Cargo's folder for the files of tests.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Whether kernels can be compiled; says so if not.
pub(crate) fn is_ready() -> bool {
    static READY: LazyLock<bool> = LazyLock::new(|| {
        let _ = std::fs::remove_file(&*LOG);
        let cache = Some(folder().join("embert-standin-cache"));
        let settings =
            Settings { emulate: true, log: Some(LOG.clone()), cache, threads: 3, ..Settings::default() };
        assert!(set(settings), "the tests set the settings first");
        let has_compiler = Command::new("cc").arg("--version").output().is_ok();
        if !has_compiler {
            eprintln!("SKIPPED: there is no C compiler `cc`, so that no kernel can be computed");
        }
        has_compiler
    });
    *READY
}

/// A loaded module.
pub(crate) struct Module(*mut c_void);

impl Module {
    /// Loads PTX.
    pub(crate) fn load(ptx: &str) -> Result<Self, CuResult> {
        let text = CString::new(ptx).unwrap();
        let mut module = std::ptr::null_mut();
        // SAFETY: the text ends with 0, and `module` is valid for a write.
        let result = unsafe { cuModuleLoadData(&raw mut module, text.as_ptr().cast()) };
        if result == CuResult::SUCCESS { Ok(Self(module)) } else { Err(result) }
    }

    /// Launches a kernel. `parameters` are the bytes of each parameter.
    pub(crate) fn launch(
        &self,
        kernel: &str,
        grid: [u32; 3],
        block: [u32; 3],
        shared: u32,
        parameters: &[Vec<u8>],
    ) {
        let name = CString::new(kernel).unwrap();
        let mut function = std::ptr::null_mut();
        // SAFETY: the module is loaded, the name ends with 0, and `function` is valid for a write.
        let found = unsafe { cuModuleGetFunction(&raw mut function, self.0, name.as_ptr()) };
        assert_eq!(found, CuResult::SUCCESS, "{kernel}");
        // Parameters are read as they are aligned, so that each one gets its own u128.
        let mut values: Vec<Vec<u128>> = parameters.iter().map(|bytes| aligned(bytes)).collect();
        let mut pointers: Vec<*mut c_void> =
            values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
        let none = std::ptr::null_mut();
        let ([x, y, z], [block_x, block_y, block_z]) = (grid, block);
        // SAFETY: the function is of a loaded module, and there is a pointer for each parameter.
        let result = unsafe {
            let pointers = pointers.as_mut_ptr();
            cuLaunchKernel(
                function,
                x,
                y,
                z,
                block_x,
                block_y,
                block_z,
                shared,
                none,
                pointers,
                std::ptr::null_mut(),
            )
        };
        assert_eq!(result, CuResult::SUCCESS, "{kernel}");
    }
}

fn aligned(bytes: &[u8]) -> Vec<u128> {
    let chunk = |chunk: &[u8]| {
        let mut value = [0; 16];
        value[..chunk.len()].copy_from_slice(chunk);
        u128::from_le_bytes(value)
    };
    bytes.chunks(16).map(chunk).collect()
}

/// Memory of the device.
pub(crate) struct Buffer {
    address: u64,
    bytes: usize,
}

impl Buffer {
    /// Copies values to the device.
    pub(crate) fn new<T: Copy>(values: &[T]) -> Self {
        let bytes = size_of_val(values);
        let mut address = 0;
        // SAFETY: `address` is valid for a write, and the copy is as long as the allocation.
        unsafe {
            assert_eq!(cuMemAlloc_v2(&raw mut address, bytes), CuResult::SUCCESS);
            copy::cuMemcpyHtoD_v2(address, values.as_ptr().cast(), bytes);
        }
        Self { address, bytes }
    }

    /// Memory for `count` values, set to zero.
    pub(crate) fn zeros<T: Copy + Default>(count: usize) -> Self {
        Self::new(&vec![T::default(); count])
    }

    /// Copies the values to the host.
    pub(crate) fn read<T: Copy + Default>(&self) -> Vec<T> {
        let mut values = vec![T::default(); self.bytes / size_of::<T>()];
        // SAFETY: the copy is as long as both memories.
        unsafe { copy::cuMemcpyDtoH_v2(values.as_mut_ptr().cast(), self.address, self.bytes) };
        values
    }

    /// The address as a parameter.
    pub(crate) fn parameter(&self) -> Vec<u8> {
        self.address.to_le_bytes().to_vec()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: nothing uses the memory any more.
        unsafe { cuMemFree_v2(self.address) };
    }
}

/// Parameters that are addresses.
pub(crate) fn addresses<const N: usize>(buffers: [&Buffer; N]) -> Vec<Vec<u8>> {
    buffers.iter().map(|buffer| buffer.parameter()).collect()
}

/// Numbers between -2 and 2 that look random.
pub(crate) fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}
