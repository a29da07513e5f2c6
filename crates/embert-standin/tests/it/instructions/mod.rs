//! Single instructions, against plain Rust. Each case is a line of PTX that computes a result from `a`, `b` and `c`.

mod floats;
mod halves;
mod integers;

use crate::gpu::{Buffer, Module, addresses, is_ready};

/// What a case computes from three 32-bit values, as 32 bits.
type Case = (&'static str, fn(u32, u32, u32) -> u32);
/// What a case computes from three 64-bit values.
type WideCase = (&'static str, fn(u64, u64, u64) -> u64);

/// Runs `lines` for each of `inputs`: results\[input\]\[line\]. `bits` is the width of the registers.
fn run<T: Copy + Default>(lines: &[&str], inputs: &[[T; 3]], bits: u32) -> Vec<Vec<T>> {
    let (bytes, count) = (bits / 8, lines.len());
    let mut body = String::new();
    for (index, line) in lines.iter().enumerate() {
        body += &format!("{{\n{line}\n}}\nst.global.b{bits} [%out+{}], %d;\n", index as u32 * bytes);
    }
    let ptx = format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 in, .param .u64 out)\n{{\n\
         .reg .b{bits} %a, %b, %c, %d;\n.reg .b16 %h<8>;\n.reg .b32 %r<8>, %i;\n.reg .b64 %l<8>, %in, %out;\n.reg .pred %p<8>;\n\
         ld.param.u64 %in, [in];\nld.param.u64 %out, [out];\nmov.u32 %i, %ctaid.x;\n\
         mad.wide.u32 %in, %i, {}, %in;\nmad.wide.u32 %out, %i, {}, %out;\n\
         ld.global.b{bits} %a, [%in];\nld.global.b{bits} %b, [%in+{bytes}];\nld.global.b{bits} %c, [%in+{}];\n\
         {body}ret;\n}}\n",
        3 * bytes,
        count as u32 * bytes,
        2 * bytes
    );
    let out = Buffer::zeros::<T>(inputs.len() * count);
    let input = Buffer::new(inputs);
    let module = Module::load(&ptx).unwrap();
    module.launch("k", [inputs.len() as u32, 1, 1], [1, 1, 1], 0, &addresses([&input, &out]));
    out.read::<T>().chunks(count).map(<[T]>::to_vec).collect()
}

fn check(cases: &[Case], inputs: &[[u32; 3]]) {
    if !is_ready() {
        return;
    }
    let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    for ([a, b, c], results) in inputs.iter().zip(run(&lines, inputs, 32)) {
        for ((line, expected), found) in cases.iter().zip(results) {
            assert_eq!(found, expected(*a, *b, *c), "{line} with {a:#x} {b:#x} {c:#x}");
        }
    }
}

fn check_wide(cases: &[WideCase], inputs: &[[u64; 3]]) {
    if !is_ready() {
        return;
    }
    let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    for ([a, b, c], results) in inputs.iter().zip(run(&lines, inputs, 64)) {
        for ((line, expected), found) in cases.iter().zip(results) {
            assert_eq!(found, expected(*a, *b, *c), "{line} with {a:#x} {b:#x} {c:#x}");
        }
    }
}
