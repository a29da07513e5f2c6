//! Atomics of many blocks, which several threads of the system run.

use crate::gpu::{Buffer, Module, addresses, is_ready};

#[test]
fn no_update_is_lost() {
    if !is_ready() {
        return;
    }
    let counts = Buffer::zeros::<u32>(8);
    let module = Module::load(include_str!("../fixtures/functions.ptx")).unwrap();
    module.launch("atomics", [500, 1, 1], [32, 1, 1], 0, &addresses([&counts]));
    let found = counts.read::<u32>();
    let threads = 500 * 32;
    assert_eq!(f32::from_bits(found[0]), threads as f32 / 2.0);
    assert_eq!(found[1..5], [3 * threads, threads - 1, 1u32.wrapping_sub(threads), 2 * threads]);
    let wide = u64::from(found[6]) | u64::from(found[7]) << 32;
    assert_eq!(wide, 5_000_000_000 * u64::from(threads));
}
