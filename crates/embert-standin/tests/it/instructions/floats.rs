//! Floats of 32 and 64 bits.

use half::f16;

use super::{check, check_wide, run};
use crate::gpu::is_ready;

/// Pairs of floats with special values, and ones that need rounding.
pub(super) fn floats() -> Vec<[u32; 3]> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        3.0e-39,
        65519.9,
        65520.0,
        1.0e30,
        -7.3e9,
        2.5,
        3.5,
        255.9,
        f32::INFINITY,
        f32::NAN,
    ];
    let pair = |a: f32, b: f32| [a.to_bits(), b.to_bits(), (a * 0.37 + 1.1e-3).to_bits()];
    special.iter().flat_map(|a| special.iter().map(move |b| pair(*a, *b))).collect()
}

/// A NaN is as good as another one.
fn canonical(value: f32) -> u32 {
    if value.is_nan() { 0x7fff_ffff } else { value.to_bits() }
}

/// Appends what makes a NaN the canonical one.
macro_rules! float {
    ($line:literal) => {
        concat!($line, " testp.notanumber.f32 %p7, %d; @%p7 mov.b32 %d, 0x7fffffff;")
    };
}

pub(super) fn f(bits: u32) -> f32 {
    f32::from_bits(bits)
}

/// The nearest f32 at or below (or above) an exact f64.
fn directed(exact: f64, up: bool) -> u32 {
    let rounded = exact as f32;
    let wrong = if up { f64::from(rounded) < exact } else { f64::from(rounded) > exact };
    canonical(match (wrong, up) {
        (false, _) => rounded,
        (true, true) => rounded.next_up(),
        (true, false) => rounded.next_down(),
    })
}

#[test]
fn floats_of_32_bits() {
    check(
        &[
            (float!("add.rn.f32 %d, %a, %b;"), |a, b, _| canonical(f(a) + f(b))),
            (float!("mul.f32 %d, %a, %b;"), |a, b, _| canonical(f(a) * f(b))),
            (float!("div.rn.f32 %d, %a, %b;"), |a, b, _| canonical(f(a) / f(b))),
            (float!("fma.rn.f32 %d, %a, %b, %c;"), |a, b, c| canonical(f(a).mul_add(f(b), f(c)))),
            (float!("sqrt.rn.f32 %d, %a;"), |a, _, _| canonical(f(a).sqrt())),
            (float!("add.rm.f32 %d, %a, 0f38D1B717;"), |a, _, _| {
                directed(f64::from(f(a)) + f64::from(f(0x38d1_b717)), false)
            }),
            (float!("mul.rp.f32 %d, %a, 0f3DCCCCCD;"), |a, _, _| {
                directed(f64::from(f(a)) * f64::from(0.1f32), true)
            }),
            ("min.f32 %d, %a, 0f3F800000;", |a, _, _| canonical(f(a).min(1.0))),
            (float!("max.NaN.f32 %d, %a, 0f3F800000;"), |a, _, _| {
                canonical(if f(a).is_nan() { f32::NAN } else { f(a).max(1.0) })
            }),
            ("abs.f32 %d, %a; and.b32 %d, %d, 0x7f800000;", |a, _, _| a & 0x7f80_0000),
            ("neg.f32 %d, %b; xor.b32 %d, %d, %b;", |_, _, _| 0x8000_0000),
            ("add.sat.f32 %d, %a, 0f00000000;", |a, _, _| {
                let value = f(a);
                if value.is_nan() || value <= 0.0 { 0 } else { value.min(1.0).to_bits() }
            }),
            (float!("mul.ftz.f32 %d, %a, 0f3F800000;"), |a, _, _| {
                canonical(if f(a).is_subnormal() { 0.0f32.copysign(f(a)) } else { f(a) })
            }),
            ("copysign.f32 %d, %b, 0f40000000;", |_, b, _| 0x4000_0000 | b & 0x8000_0000),
            ("setp.lt.f32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1;", |a, b, _| u32::from(f(a) < f(b))),
            ("setp.ne.f32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1;", |a, b, _| {
                u32::from(f(a) < f(b) || f(a) > f(b))
            }),
            ("setp.geu.f32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1;", |a, b, _| {
                u32::from(f(a) >= f(b) || f(a).is_nan() || f(b).is_nan())
            }),
            ("setp.nan.f32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1;", |a, b, _| {
                u32::from(f(a).is_nan() || f(b).is_nan())
            }),
            ("cvt.rzi.s32.f32 %d, %a;", |a, _, _| f(a) as i32 as u32),
            ("cvt.rzi.u32.f32 %d, %a;", |a, _, _| f(a) as u32),
            ("cvt.rni.s32.f32 %d, %a;", |a, _, _| f(a).round_ties_even() as i32 as u32),
            ("cvt.rzi.u16.f32 %h1, %a; cvt.u32.u16 %d, %h1;", |a, _, _| u32::from(f(a) as u16)),
            (float!("cvt.rpi.f32.f32 %d, %a;"), |a, _, _| canonical(f(a).ceil())),
            ("cvt.rn.f32.s32 %d, %a;", |a, _, _| (a as i32 as f32).to_bits()),
            (
                float!(
                    "cvt.f64.f32 %l1, %a; mul.rn.f64 %l1, %l1, 0d3FB999999999999A; cvt.rn.f32.f64 %d, %l1;"
                ),
                |a, _, _| canonical((f64::from(f(a)) * 0.1) as f32),
            ),
            (float!("cvt.rna.tf32.f32 %d, %a;"), |a, _, _| {
                if f(a).is_finite() { a.wrapping_add(0x1000) & 0xffff_e000 } else { canonical(f(a)) }
            }),
        ],
        &floats(),
    );
}

#[test]
fn floats_of_64_bits() {
    let special = [0.0f64, -0.0, 1.0, 0.1, -3.7, 1e300, 2.5e9, f64::INFINITY];
    let inputs: Vec<[u64; 3]> = special
        .iter()
        .flat_map(|a| special.iter().map(|b| [a.to_bits(), b.to_bits(), 0.3f64.to_bits()]))
        .collect();
    fn d(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn bits(value: f64) -> u64 {
        if value.is_nan() { 0 } else { value.to_bits() }
    }
    check_wide(
        &[
            ("fma.rn.f64 %d, %a, %b, %c; testp.notanumber.f64 %p1, %d; @%p1 mov.b64 %d, 0;", |a, b, c| {
                bits(d(a).mul_add(d(b), d(c)))
            }),
            ("div.rn.f64 %d, %a, %b; testp.notanumber.f64 %p1, %d; @%p1 mov.b64 %d, 0;", |a, b, _| {
                bits(d(a) / d(b))
            }),
            ("add.rz.f64 %d, %a, %c;", |a, _, c| {
                // The sum of the rounding error and the rounded sum is exact.
                let (a, c) = (d(a), d(c));
                let sum = a + c;
                let part = sum - a;
                let error = (a - (sum - part)) + (c - part);
                let toward_zero = (error < 0.0 && sum > 0.0) || (error > 0.0 && sum < 0.0);
                bits(match (toward_zero, sum > 0.0) {
                    (false, _) => sum,
                    (true, true) => sum.next_down(),
                    (true, false) => sum.next_up(),
                })
            }),
            ("cvt.rzi.s64.f64 %d, %a;", |a, _, _| d(a) as i64 as u64),
            ("cvt.rmi.f64.f64 %d, %a;", |a, _, _| bits(d(a).floor())),
            ("cvt.rn.f16.f64 %h1, %a; cvt.u64.u16 %d, %h1;", |a, _, _| {
                u64::from(f16::from_f64(d(a)).to_bits())
            }),
            ("min.f64 %d, %a, %b;", |a, b, _| {
                // Rust leaves the sign of the smaller zero open.
                if d(a) == d(b) { a | b } else { bits(d(a).min(d(b))) }
            }),
        ],
        &inputs[9..],
    );
}

#[test]
fn approximations_are_close() {
    if !is_ready() {
        return;
    }
    let lines = [
        "ex2.approx.f32 %d, %a;",
        "lg2.approx.f32 %d, %a;",
        "sin.approx.f32 %d, %a;",
        "cos.approx.f32 %d, %a;",
        "tanh.approx.f32 %d, %a;",
        "rcp.approx.ftz.f32 %d, %a;",
        "rsqrt.approx.f32 %d, %a;",
        "div.full.f32 %d, 0f3F800000, %a;",
    ];
    let functions: [fn(f32) -> f32; 8] =
        [f32::exp2, f32::log2, f32::sin, f32::cos, f32::tanh, f32::recip, |a| 1.0 / a.sqrt(), f32::recip];
    for (input, results) in
        [0.3f32, 1.0, 2.7].iter().zip(run(&lines, &[0.3f32, 1.0, 2.7].map(|a| [a.to_bits(), 0, 0]), 32))
    {
        for ((line, function), found) in lines.iter().zip(functions).zip(results) {
            let (found, expected) = (f(found), function(*input));
            assert!((found - expected).abs() <= 1e-6 * expected.abs().max(0.1), "{line}: {found} {expected}");
        }
    }
}
