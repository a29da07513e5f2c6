//! Integers of all widths, and bits.

use super::{check, check_wide};

const INTEGERS: [[u32; 3]; 8] = [
    [0, 0, 0],
    [1, 2, 3],
    [0xffff_ffff, 1, 33],
    [0x8000_0000, 0xffff_ffff, 31],
    [0x1234_5678, 0x9abc_def0, 4],
    [0x7fff_ffff, 7, 0x20],
    [0x0000_ff80, 0x8000_0001, 12],
    [0xfedc_ba98, 0x0102_0304, 0x0705],
];

#[test]
fn integers() {
    check(
        &[
            ("add.s32 %d, %a, %b;", |a, b, _| a.wrapping_add(b)),
            ("sub.s32 %d, %a, %b;", |a, b, _| a.wrapping_sub(b)),
            ("add.sat.s32 %d, %a, %b;", |a, b, _| (a as i32).saturating_add(b as i32) as u32),
            ("mul.lo.s32 %d, %a, %b;", |a, b, _| a.wrapping_mul(b)),
            ("mul.hi.u32 %d, %a, %b;", |a, b, _| ((u64::from(a) * u64::from(b)) >> 32) as u32),
            ("mul.hi.s32 %d, %a, %b;", |a, b, _| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32),
            ("mad.lo.s32 %d, %a, %b, %c;", |a, b, c| a.wrapping_mul(b).wrapping_add(c)),
            ("div.s32 %d, %a, %b;", |a, b, _| {
                (a as i32).checked_div(b as i32).map_or(if b == 0 { u32::MAX } else { a }, |q| q as u32)
            }),
            ("rem.u32 %d, %a, %b;", |a, b, _| a.checked_rem(b).unwrap_or(a)),
            ("abs.s32 %d, %a;", |a, _, _| (a as i32).wrapping_abs() as u32),
            ("neg.s32 %d, %a;", |a, _, _| a.wrapping_neg()),
            ("min.s32 %d, %a, %b;", |a, b, _| (a as i32).min(b as i32) as u32),
            ("max.u32 %d, %a, %b;", |a, b, _| a.max(b)),
            ("shl.b32 %d, %a, %c;", |a, _, c| a.checked_shl(c).unwrap_or(0)),
            ("shr.u32 %d, %a, %c;", |a, _, c| a.checked_shr(c).unwrap_or(0)),
            ("shr.s32 %d, %a, %c;", |a, _, c| (a as i32 >> c.min(31)) as u32),
            ("shf.l.wrap.b32 %d, %a, %b, %c;", |a, b, c| {
                ((u64::from(b) << 32 | u64::from(a)) << (c & 31) >> 32) as u32
            }),
            ("shf.r.clamp.b32 %d, %a, %b, %c;", |a, b, c| {
                ((u64::from(b) << 32 | u64::from(a)) >> c.min(32)) as u32
            }),
            ("and.b32 %d, %a, %b;", |a, b, _| a & b),
            ("not.b32 %d, %a;", |a, _, _| !a),
            ("lop3.b32 %d, %a, %b, %c, 0x96;", |a, b, c| a ^ b ^ c),
            ("popc.b32 %d, %a;", |a, _, _| a.count_ones()),
            ("clz.b32 %d, %a;", |a, _, _| a.leading_zeros()),
            ("brev.b32 %d, %a;", |a, _, _| a.reverse_bits()),
            ("bfe.u32 %d, %a, 4, 8;", |a, _, _| a >> 4 & 0xff),
            ("bfe.s32 %d, %a, 4, 8;", |a, _, _| (a >> 4) as u8 as i8 as u32),
            ("bfi.b32 %d, %a, %b, 8, 4;", |a, b, _| b & !0xf00 | (a & 15) << 8),
            ("prmt.b32 %d, %a, %b, 0x7610;", |a, b, _| a & 0xffff | b & 0xffff_0000),
            ("prmt.b32 %d, %a, %b, 0x0123;", |a, _, _| a.swap_bytes()),
            ("bfind.u32 %d, %a;", |a, _, _| a.checked_ilog2().unwrap_or(u32::MAX)),
            ("setp.lt.s32 %p1, %a, %b; selp.b32 %d, %a, %b, %p1;", |a, b, _| (a as i32).min(b as i32) as u32),
            ("setp.hs.u32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1;", |a, b, _| u32::from(a >= b)),
            ("setp.eq.and.b32 %p1|%p2, %a, %b, %p3; selp.b32 %d, 1, 0, %p2;", |_, _, _| 0),
            ("cvt.u16.u32 %h1, %a; cvt.s32.s16 %d, %h1;", |a, _, _| a as i16 as u32),
            ("cvt.u32.u8 %d, %a;", |a, _, _| a & 0xff),
            ("cvt.sat.s8.s32 %d, %a;", |a, _, _| (a as i32).clamp(-128, 127) as u32),
            ("mov.b32 {%h1, %h2}, %a; mov.b32 %d, {%h2, %h1};", |a, _, _| a.rotate_left(16)),
            ("dp4a.s32.u32 %d, %a, %b, %c;", |a, b, c| {
                let products = a
                    .to_le_bytes()
                    .into_iter()
                    .zip(b.to_le_bytes())
                    .map(|(a, b)| i32::from(a as i8) * i32::from(b));
                c.wrapping_add(products.sum::<i32>() as u32)
            }),
            ("mad.lo.cc.u32 %r1, %a, %b, %c; madc.hi.u32 %d, %a, %b, 0;", |a, b, c| {
                ((u64::from(a) * u64::from(b) + u64::from(c)) >> 32) as u32
            }),
            ("sad.s32 %d, %a, %b, %c;", |a, b, c| {
                let (low, high) = ((a as i32).min(b as i32), (a as i32).max(b as i32));
                (high as u32).wrapping_sub(low as u32).wrapping_add(c)
            }),
            ("add.cc.u32 %r1, %a, %b; addc.u32 %d, %c, 0;", |a, b, c| {
                c + u32::from(a.checked_add(b).is_none())
            }),
            ("max.s16x2 %d, %a, %b;", |a, b, _| {
                let half = |shift: u32| (a >> shift) as u16 as i16;
                let other = |shift: u32| (b >> shift) as u16 as i16;
                u32::from(half(0).max(other(0)) as u16) | u32::from(half(16).max(other(16)) as u16) << 16
            }),
        ],
        &INTEGERS,
    );
}

#[test]
fn wide_integers() {
    let inputs = [
        [0, 0, 0],
        [u64::MAX, 2, 5],
        [0x8000_0000_0000_0000, u64::MAX, 64],
        [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 13],
        [1 << 53 | 1, 3, 1],
    ];
    check_wide(
        &[
            ("add.s64 %d, %a, %b;", |a, b, _| a.wrapping_add(b)),
            ("mul.lo.s64 %d, %a, %b;", |a, b, _| a.wrapping_mul(b)),
            ("mul.hi.u64 %d, %a, %b;", |a, b, _| ((u128::from(a) * u128::from(b)) >> 64) as u64),
            ("mul.hi.s64 %d, %a, %b;", |a, b, _| {
                ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
            }),
            ("cvt.u32.u64 %r1, %a; cvt.u32.u64 %r2, %b; mul.wide.s32 %d, %r1, %r2;", |a, b, _| {
                (i64::from(a as i32) * i64::from(b as i32)) as u64
            }),
            ("cvt.u32.u64 %r1, %c; shl.b64 %d, %a, %r1;", |a, _, c| a.checked_shl(c as u32).unwrap_or(0)),
            ("cvt.u32.u64 %r1, %c; shr.s64 %d, %a, %r1;", |a, _, c| (a as i64 >> c.min(63)) as u64),
            ("popc.b64 %r1, %a; cvt.u64.u32 %d, %r1;", |a, _, _| u64::from(a.count_ones())),
            ("clz.b64 %r1, %a; cvt.u64.u32 %d, %r1;", |a, _, _| u64::from(a.leading_zeros())),
            ("brev.b64 %d, %a;", |a, _, _| a.reverse_bits()),
            ("mov.b64 {%r1, %r2}, %a; mov.b64 %d, {%r2, %r1};", |a, _, _| a.rotate_left(32)),
            ("mov.b64 {_, %r2}, %a; cvt.s64.s32 %d, %r2;", |a, _, _| (a >> 32) as i32 as u64),
            ("cvt.rn.f64.s64 %d, %a;", |a, _, _| (a as i64 as f64).to_bits()),
            ("cvt.rn.f32.u64 %r1, %a; cvt.u64.u32 %d, %r1;", |a, _, _| u64::from((a as f32).to_bits())),
            ("sub.cc.u64 %l1, %a, %b; subc.u64 %d, %c, 0;", |a, b, c| c.wrapping_sub(u64::from(a < b))),
        ],
        &inputs,
    );
}
