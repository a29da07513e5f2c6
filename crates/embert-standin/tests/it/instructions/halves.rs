//! Floats of 16 bits.

use half::{bf16, f16};

use super::check;
use super::floats::{f, floats};

fn half_bits(value: f16) -> u32 {
    if value.is_nan() { 0x7fff } else { value.to_bits().into() }
}

fn brain_bits(value: bf16) -> u32 {
    if value.is_nan() { 0x7fff } else { value.to_bits().into() }
}

/// a and b as f16 in %h1 and %h2.
macro_rules! halves {
    ($line:literal) => {
        concat!("cvt.rn.f16.f32 %h1, %a; cvt.rn.f16.f32 %h2, %b; ", $line, " cvt.u32.u16 %d, %h3;")
    };
}

/// a and b as bf16 in %h1 and %h2.
macro_rules! brains {
    ($line:literal) => {
        concat!("cvt.rn.bf16.f32 %h1, %a; cvt.rn.bf16.f32 %h2, %b; ", $line, " cvt.u32.u16 %d, %h3;")
    };
}

fn h(bits: u32) -> f16 {
    f16::from_f32(f(bits))
}

fn b(bits: u32) -> bf16 {
    bf16::from_f32(f(bits))
}

#[test]
fn floats_of_16_bits() {
    check(
        &[
            (halves!("mov.b16 %h3, %h1;"), |x, _, _| half_bits(h(x))),
            (halves!("add.rn.f16 %h3, %h1, %h2;"), |x, y, _| half_bits(h(x) + h(y))),
            (halves!("mul.rn.f16 %h3, %h1, %h2;"), |x, y, _| half_bits(h(x) * h(y))),
            (halves!("fma.rn.f16 %h3, %h1, %h2, %h1;"), |x, y, _| {
                let exact = h(x).to_f64().mul_add(h(y).to_f64(), h(x).to_f64());
                half_bits(f16::from_f64(exact))
            }),
            (halves!("max.f16 %h3, %h1, %h2;"), |x, y, _| {
                let (x, y) = (h(x), h(y));
                // Rust leaves the sign of the larger zero open.
                let is_same = x == y;
                half_bits(if is_same {
                    f16::from_bits(x.to_bits() & y.to_bits())
                } else {
                    f16::from_f32(x.to_f32().max(y.to_f32()))
                })
            }),
            (halves!("cvt.rzi.f16.f16 %h3, %h1;"), |x, _, _| half_bits(f16::from_f32(h(x).to_f32().trunc()))),
            (halves!("cvt.rzi.s16.f16 %h3, %h1;"), |x, _, _| u32::from(h(x).to_f32() as i16 as u16)),
            (halves!("cvt.f32.f16 %r1, %h1; cvt.rn.f16.f32 %h3, %r1;"), |x, _, _| half_bits(h(x))),
            ("cvt.rn.f16.s32 %h1, %a; cvt.u32.u16 %d, %h1;", |x, _, _| {
                half_bits(f16::from_f64(f64::from(x as i32)))
            }),
            ("cvt.rn.f16x2.f32 %d, %a, %b;", |x, y, _| half_bits(h(y)) | half_bits(h(x)) << 16),
            ("cvt.rz.f16.f32 %h1, %a; cvt.u32.u16 %d, %h1;", |x, _, _| {
                let rounded = h(x);
                let is_beyond = rounded.to_f32().abs() > f(x).abs();
                half_bits(if is_beyond { f16::from_bits(rounded.to_bits() - 1) } else { rounded })
            }),
            (brains!("mov.b16 %h3, %h1;"), |x, _, _| brain_bits(b(x))),
            (brains!("add.rn.bf16 %h3, %h1, %h2;"), |x, y, _| {
                brain_bits(bf16::from_f32(b(x).to_f32() + b(y).to_f32()))
            }),
            (brains!("sub.rn.bf16 %h3, %h1, %h2;"), |x, y, _| {
                brain_bits(bf16::from_f32(b(x).to_f32() - b(y).to_f32()))
            }),
            (
                brains!("cvt.f32.bf16 %r1, %h1; mul.f32 %r1, %r1, 0f3F000000; cvt.rn.bf16.f32 %h3, %r1;"),
                |x, _, _| brain_bits(bf16::from_f32(b(x).to_f32() * 0.5)),
            ),
            ("cvt.rn.bf16x2.f32 %d, %a, %b;", |x, y, _| brain_bits(b(y)) | brain_bits(b(x)) << 16),
            (halves!("setp.gtu.f16 %p1, %h1, %h2; selp.b16 %h3, 1, 0, %p1;"), |x, y, _| {
                u32::from(h(x) > h(y) || h(x).is_nan() || h(y).is_nan())
            }),
            (
                "cvt.rn.f16x2.f32 %r1, %a, %b; setp.lt.f16x2 %p1|%p2, %r1, %r1; selp.b32 %d, 1, 0, %p1;",
                |_, _, _| 0,
            ),
        ],
        &floats(),
    );
}
