//! What cannot be translated is an error when the module is loaded.

use embert_standin::driver::CuResult;

use crate::gpu::{LOG, Module, is_ready};

fn load(body: &str) -> Result<Module, CuResult> {
    Module::load(&format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.visible .entry strange()\n{{\n\
         .reg .b32 %r<4>;\n.reg .pred %p<4>;\n{body}\nret;\n}}\n"
    ))
}

#[test]
fn an_unknown_instruction_names_itself_and_its_kernel() {
    if !is_ready() {
        return;
    }
    assert_eq!(load("frobnicate.b32 %r1, %r2;").err(), Some(CuResult::INVALID_PTX));
    let log = std::fs::read_to_string(&*LOG).unwrap();
    assert!(log.contains("strange, line 8: cannot translate `frobnicate.b32`"), "{log}");
}

#[test]
fn an_unknown_modifier_or_form_is_an_error() {
    if !is_ready() {
        return;
    }
    for body in [
        "add.sideways.s32 %r1, %r2, %r3;",
        "ld.global.v3.b32 {%r1, %r2, %r3}, [%r1];",
        "setp.lt.f32 %p1, %r1, 5;",
        "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%r1}, {%r1}, {%r1}, {%r1};",
        "mov.b32 %r1, nowhere;",
        "add.s32 %r1, %r2;",
        "call.uni missing;",
        "cvt.u64.u32 %r1, %r2;",
    ] {
        assert_eq!(load(body).err(), Some(CuResult::INVALID_PTX), "{body}");
    }
    assert!(load("add.s32 %r1, %r2, 1;").is_ok());
}
