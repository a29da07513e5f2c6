//! Modules: PTX that is recorded, and with emulation translated and compiled.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fs;
use std::sync::Arc;

use super::{CuResult, DevicePointer, put};
use crate::compile::{self, Library};
use crate::emulator::Program;
use crate::{log, ptx, settings, to_c};

/// A loaded module.
struct Module {
    compiled: Option<Library>,
    functions: Vec<Function>,
}

/// A kernel of a module.
pub(super) struct Function {
    pub(super) name: String,
    /// The hash of the module's PTX.
    pub(super) hash: String,
    /// The bytes of each parameter.
    pub(super) parameters: Vec<(usize, usize)>,
    pub(super) parameter_bytes: usize,
    pub(super) uses_tensor_cores: bool,
    /// How to compute it, with emulation.
    pub(super) program: Option<Program>,
}

/// Why a module cannot be loaded.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Ptx(#[from] ptx::PtxError),
    #[error(transparent)]
    Translate(#[from] to_c::TranslateError),
    #[error(transparent)]
    Compile(#[from] compile::CompileError),
    #[error("the compiled kernel {0} is missing")]
    Missing(String),
}

/// Loads a module from PTX that ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(target: *mut *mut c_void, image: *const c_void) -> CuResult {
    if image.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller's promise.
    let source = unsafe { CStr::from_ptr(image.cast()) }.to_string_lossy();
    let hash = format!("{:016x}", compile::hash(&[source.as_bytes()]));
    dump(&source, &hash);
    match load(&source, &hash) {
        // SAFETY: the caller's promise.
        Ok(module) => unsafe { put(target, Box::into_raw(Box::new(module)).cast()) },
        Err(error) => {
            eprintln!("embert-standin: module {hash}: {error}");
            log::line(format_args!("module {hash} fails: {error}"));
            CuResult::INVALID_PTX
        }
    }
}

/// Loads a module from PTX that ends with 0; the options are about compiling.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadDataEx(
    target: *mut *mut c_void,
    image: *const c_void,
    _count: c_uint,
    _options: *mut c_int,
    _values: *mut *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuModuleLoadData(target, image) }
}

fn dump(source: &str, hash: &str) {
    let Some(folder) = &settings::get().ptx else { return };
    let path = folder.join(format!("{hash}.ptx"));
    if let Err(error) = fs::create_dir_all(folder).and_then(|()| fs::write(&path, source)) {
        eprintln!("embert-standin: {}: {error}", path.display());
    }
}

fn load(source: &str, hash: &str) -> Result<Module, LoadError> {
    let products = source.matches("mma.sync").count();
    let module = ptx::parse(source)?;
    let translation = if settings::get().emulate { Some(to_c::translate(&module)?) } else { None };
    let kernels = translation.as_ref().map_or_else(|| to_c::kernels(&module), |found| found.kernels.clone());
    let names: Vec<&str> = kernels.iter().map(|kernel| kernel.name.as_str()).collect();
    log::line(format_args!("module {hash} {} mma {products} bytes {}", names.join(","), source.len()));
    let compiled = translation.as_ref().map(|found| compile::compile(&found.source)).transpose()?;
    if let Some(compiled) = &compiled {
        initialize(compiled);
    }
    let sites = Arc::new(translation.map(|found| found.sites).unwrap_or_default());
    let function = |kernel: to_c::Kernel| {
        let run = compiled.as_ref().map(|compiled| {
            let name = kernel.exported_name();
            compiled.symbol(&name).ok_or(LoadError::Missing(name))
        });
        Ok(Function {
            name: kernel.name.clone(),
            hash: hash.to_owned(),
            parameters: kernel.parameters.clone(),
            parameter_bytes: kernel.parameter_bytes,
            uses_tensor_cores: products > 0,
            program: run.transpose()?.map(|run| Program { kernel, sites: Arc::clone(&sites), run }),
        })
    };
    let functions = kernels.into_iter().map(function).collect::<Result<_, LoadError>>()?;
    Ok(Module { compiled, functions })
}

/// Sets the addresses in the variables of a module.
fn initialize(compiled: &Library) {
    if let Some(function) = compiled.symbol("initialize") {
        // SAFETY: every translation exports this function without parameters.
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn()>(function)() }
    }
}

/// Does nothing: modules stay.
#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(_module: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Writes the handle of a kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    target: *mut *mut c_void,
    module: *mut c_void,
    name: *const c_char,
) -> CuResult {
    // SAFETY: the caller got the module from `cuModuleLoadData`, and the name ends with 0.
    let (module, name) = unsafe { (&*module.cast::<Module>(), CStr::from_ptr(name)) };
    let Some(function) = module.functions.iter().find(|function| function.name.as_bytes() == name.to_bytes())
    else {
        return CuResult::NOT_FOUND;
    };
    // SAFETY: the caller's promise.
    unsafe { put(target, std::ptr::from_ref(function).cast_mut().cast()) }
}

/// Writes the address of a variable. The size is not known and written as 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetGlobal_v2(
    target: *mut DevicePointer,
    bytes: *mut usize,
    module: *mut c_void,
    name: *const c_char,
) -> CuResult {
    // SAFETY: as in `cuModuleGetFunction`.
    let (module, name) = unsafe { (&*module.cast::<Module>(), CStr::from_ptr(name)) };
    let variable = format!("s_{}", name.to_string_lossy());
    let Some(address) = module.compiled.as_ref().and_then(|compiled| compiled.symbol(&variable)) else {
        return CuResult::NOT_FOUND;
    };
    if !bytes.is_null() {
        // SAFETY: the caller's promise.
        unsafe { bytes.write(0) };
    }
    // SAFETY: the caller's promise.
    unsafe { put(target, address as DevicePointer) }
}
