//! Measures the emulator: elements, barriers, shuffles and products of matrices per second.
//!
//! `cargo run --release -p embert-standin --example speed [name]`

use std::ffi::{CString, c_void};
use std::time::Instant;

use embert_standin::driver::CuResult;
use embert_standin::driver::launch::cuLaunchKernel;
use embert_standin::driver::memory::cuMemAlloc_v2;
use embert_standin::driver::module::{cuModuleGetFunction, cuModuleLoadData};
use embert_standin::settings::{Settings, set};

const REPEATS: u32 = 1000;

/// A loop of one warp's instruction, in blocks of four warps.
const LOOPS: [(&str, &str); 5] = [
    ("barrier", "bar.sync 0;"),
    ("shuffle", "activemask.b32 %r9; shfl.sync.bfly.b32 %r3, %r2, 4, 31, %r9;"),
    ("ldmatrix", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%l2];"),
    (
        "mma",
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r2, %r3, %r4, %r5}, {%r6, %r7}, \
         {%f1, %f2, %f3, %f4};\n\
         mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f5, %f6, %f7, %f8}, {%r2, %r3, %r4, %r5}, {%r6, %r7}, \
         {%f5, %f6, %f7, %f8};",
    ),
    (
        "wmma",
        "wmma.mma.sync.aligned.row.col.m16n16k16.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4, %f5, %f6, %f7, %f8}, \
         {%r2, %r3, %r4, %r5}, {%r6, %r7, %r8, %r9}, {%f1, %f2, %f3, %f4, %f5, %f6, %f7, %f8};",
    ),
];

fn main() {
    set(Settings { emulate: true, ..Settings::default() });
    let wanted = std::env::args().nth(1);
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
    for name in ["single", "halves", "brains"].into_iter().filter(|name| is_wanted(name)) {
        elementwise(name);
    }
    for (name, body) in LOOPS.into_iter().filter(|(name, _)| is_wanted(name)) {
        collective(name, body);
    }
}

fn elementwise(name: &str) {
    let function = function(include_str!("../tests/fixtures/elementwise.ptx"), name);
    let (elements, per_thread) = (1 << 24, if name == "halves" { 8 } else { 1 });
    let mut buffers = [allocate(4 * elements), allocate(4 * elements), allocate(4 * elements)];
    let seconds = fastest(|| launch(function, (elements / 64 / per_thread) as u32, 64, 0, &mut buffers));
    println!("{name}: {:.0} million elements a second", elements as f64 / seconds / 1e6);
}

fn collective(name: &str, body: &str) {
    let ptx = format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.extern .shared .align 16 .b8 s[];\n\
         .visible .entry k(.param .u64 out)\n{{\n\
         .reg .pred %p<3>;\n.reg .b32 %r<10>, %f<10>;\n.reg .b64 %l<4>;\nmov.b64 %l2, s;\nmov.b32 %r1, 0;\n\
         L: {body}\nadd.s32 %r1, %r1, 1;\nsetp.lt.s32 %p1, %r1, {REPEATS};\n@%p1 bra L;\n\
         ld.param.b64 %l1, [out];\nst.global.b32 [%l1], %f1;\nst.global.b32 [%l1], %r3;\nret;\n}}\n"
    );
    let function = function(&ptx, "k");
    let mut buffers = [allocate(4)];
    let (blocks, warps) = (16, 4);
    let seconds = fastest(|| launch(function, blocks, 32 * warps, 1024, &mut buffers));
    let each = seconds / f64::from(blocks * warps * REPEATS);
    println!("{name}: {:.2} microseconds for each warp, with all threads of the system", each * 1e6);
}

fn fastest(mut run: impl FnMut()) -> f64 {
    let mut time = || {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| time()).fold(f64::INFINITY, f64::min)
}

fn allocate(bytes: usize) -> u64 {
    let mut address = 0;
    // SAFETY: `address` is valid for a write.
    assert_eq!(unsafe { cuMemAlloc_v2(&raw mut address, bytes) }, CuResult::SUCCESS);
    address
}

fn function(ptx: &str, name: &str) -> *mut c_void {
    let [text, name] = [ptx, name].map(|text| CString::new(text).expect("it has no 0"));
    let (mut module, mut function) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the texts end with 0, and both targets are valid for writes.
    let results = unsafe {
        let loaded = cuModuleLoadData(&raw mut module, text.as_ptr().cast());
        (loaded, cuModuleGetFunction(&raw mut function, module, name.as_ptr()))
    };
    assert_eq!(results, (CuResult::SUCCESS, CuResult::SUCCESS));
    function
}

fn launch(function: *mut c_void, blocks: u32, threads: u32, shared: u32, buffers: &mut [u64]) {
    let mut parameters: Vec<*mut c_void> =
        buffers.iter_mut().map(|buffer| (&raw mut *buffer).cast()).collect();
    let none = std::ptr::null_mut();
    let parameters = parameters.as_mut_ptr();
    // SAFETY: the function takes as many addresses as there are buffers, each large enough for it.
    let result = unsafe {
        cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared, none, parameters, std::ptr::null_mut())
    };
    assert_eq!(result, CuResult::SUCCESS);
}
