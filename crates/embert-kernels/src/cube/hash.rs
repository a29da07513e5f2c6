//! `mix64` in GPU kernels, on pairs of 32-bit integers, because WGSL has no 64-bit integers.

use cubecl::prelude::*;

/// A 64-bit integer: 2³² · high + low.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) low: u32,
    pub(crate) high: u32,
}

/// Returns [`mix64`](crate::mix64) of x.
#[cube]
pub(crate) fn mix64(x: Pair) -> Pair {
    let x = multiply(xor_shifted(add(x), 30u32), 0xbf58_476du32, 0x1ce4_e5b9u32);
    let x = multiply(xor_shifted(x, 27u32), 0x94d0_49bbu32, 0x1331_11ebu32);
    xor_shifted(x, 31u32)
}

/// Returns x + 2⁶⁴/φ.
#[cube]
fn add(x: Pair) -> Pair {
    let low = x.low + 0x7f4a_7c15u32;
    let carry = select(low < x.low, 1u32, 0u32);
    Pair { low, high: x.high + 0x9e37_79b9u32 + carry }
}

/// Returns x ^ (x >> bits), for bits from 1 to 31.
#[cube]
fn xor_shifted(x: Pair, #[comptime] bits: u32) -> Pair {
    let carried = x.high << comptime!(32 - bits);
    Pair { low: x.low ^ ((x.low >> bits) | carried), high: x.high ^ (x.high >> bits) }
}

/// Returns x · (2³² · high + low), modulo 2⁶⁴.
#[cube]
fn multiply(x: Pair, #[comptime] high: u32, #[comptime] low: u32) -> Pair {
    let carried = x.low.mul_hi(low.runtime());
    Pair { low: x.low * low, high: carried + x.low * high + x.high * low }
}
