//! The record and the account of memory.

use embert_standin::driver::context::{cuCtxSetCurrent, cuDevicePrimaryCtxRetain};
use embert_standin::driver::event::{cuEventCreate, cuEventElapsedTime, cuEventRecord};
use embert_standin::driver::memory::{allocated, cuMemAlloc_v2, cuMemFree_v2, cuMemGetInfo_v2};
use embert_standin::driver::{CuResult, device};

use crate::gpu::{Buffer, LOG, Module, addresses, is_ready};

#[test]
fn the_record_has_modules_launches_copies_and_memory() {
    if !is_ready() {
        return;
    }
    let x = Buffer::new(&[1.0f32; 4321]);
    let module = Module::load(include_str!("../fixtures/elementwise.ptx")).unwrap();
    module.launch("single", [3, 1, 1], [64, 1, 1], 0, &addresses([&x, &x, &x]));
    let log = std::fs::read_to_string(&*LOG).unwrap();
    let has = |texts: &[&str]| log.lines().any(|line| texts.iter().all(|text| line.contains(text)));
    assert!(has(&["module ", " single,halves,brains mma 0 bytes "]), "{log}");
    assert!(has(&["launch ", " single grid 3,1,1 block 64,1,1 shared 0 stream 0 at "]), "{log}");
    assert!(has(&["alloc 17284 total "]), "{log}");
    assert!(has(&["H2D 17284 at "]), "{log}");
}

#[test]
fn a_large_reservation_takes_no_memory_of_the_host() {
    if !is_ready() {
        return;
    }
    let mut address = 0;
    let (mut free, mut total) = (0, 0);
    // SAFETY: all targets are valid for writes.
    unsafe {
        assert_eq!(cuMemAlloc_v2(&raw mut address, 60 << 30), CuResult::SUCCESS);
        assert_eq!(cuMemGetInfo_v2(&raw mut free, &raw mut total), CuResult::SUCCESS);
        assert!(total - free >= 60 << 30);
        assert_eq!(cuMemAlloc_v2(&raw mut address, 200 << 30), CuResult::OUT_OF_MEMORY);
        assert_eq!(cuMemFree_v2(address), CuResult::SUCCESS);
        assert_eq!(cuMemFree_v2(address), CuResult::INVALID_VALUE);
    }
}

#[test]
fn each_device_has_its_own_account() {
    if !is_ready() {
        return;
    }
    let mut context = std::ptr::null_mut();
    let mut address = 0;
    // SAFETY: all targets are valid for writes.
    unsafe {
        assert_eq!(cuDevicePrimaryCtxRetain(&raw mut context, 5), CuResult::SUCCESS);
        cuCtxSetCurrent(context);
        assert_eq!(cuMemAlloc_v2(&raw mut address, 12345), CuResult::SUCCESS);
        assert_eq!(allocated(5), (12345, 12345));
        cuCtxSetCurrent(std::ptr::null_mut());
        assert_eq!(cuMemFree_v2(address), CuResult::SUCCESS);
    }
    assert_eq!(allocated(5), (0, 12345));
}

#[test]
fn the_clock_prefers_tensor_cores() {
    if !is_ready() {
        return;
    }
    let buffer = Buffer::zeros::<u32>(4096);
    let time = |ptx: &str, kernel: &str, buffers: usize| {
        let module = Module::load(ptx).unwrap();
        let parameters: Vec<Vec<u8>> = (0..buffers).map(|_| buffer.parameter()).collect();
        let mut events = [std::ptr::null_mut(); 2];
        let mut milliseconds = 0.0;
        let none = std::ptr::null_mut();
        // SAFETY: all targets are valid for writes, and the events were created.
        unsafe {
            events.iter_mut().for_each(|event| assert_eq!(cuEventCreate(event, 0), CuResult::SUCCESS));
            cuEventRecord(events[0], none);
            module.launch(kernel, [1, 1, 1], [32, 1, 1], 1024, &parameters);
            cuEventRecord(events[1], none);
            cuEventElapsedTime(&raw mut milliseconds, events[0], events[1]);
        }
        milliseconds
    };
    // Other tests launch at the same time, so that only lower bounds are certain.
    assert!(time(include_str!("../fixtures/matrices.ptx"), "mma_bf16", 2) >= 1.0);
    assert!(time(include_str!("../fixtures/elementwise.ptx"), "single", 3) >= 5.0);
}

#[test]
fn the_device_is_an_h200() {
    if !is_ready() {
        return;
    }
    let mut name = [0; 64];
    let (mut major, mut bytes) = (0, 0);
    // SAFETY: all targets are valid for writes of their sizes.
    unsafe {
        assert_eq!(device::cuDeviceGetName(name.as_mut_ptr(), 64, 0), CuResult::SUCCESS);
        assert_eq!(device::cuDeviceGetAttribute(&raw mut major, 75, 0), CuResult::SUCCESS);
        assert_eq!(device::cuDeviceTotalMem_v2(&raw mut bytes, 0), CuResult::SUCCESS);
    }
    let name: Vec<u8> = name.iter().take_while(|letter| **letter != 0).map(|letter| *letter as u8).collect();
    assert_eq!((name.as_slice(), major), (b"NVIDIA H200".as_slice(), 9));
    assert!(bytes > 140 << 30);
}
