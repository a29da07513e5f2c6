//! Kernels that do what has no result end the process with a message. Each one runs in a process of its own.

use std::process::{Command, Output};

use crate::gpu::{Module, is_ready};

/// The variable that tells the child process what to run.
const BODY: &str = "EMBERT_STANDIN_TEST_BODY";

/// Runs the kernel of the parent process, if there is one.
#[test]
fn child() {
    let Ok(body) = std::env::var(BODY) else { return };
    assert!(is_ready());
    let ptx = format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.extern .shared .align 16 .b8 s[];\n\
         .extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 v);\n\
         .global .align 1 .b8 text[14] = {{97, 61, 37, 100, 32, 98, 61, 37, 102, 32, 37, 37, 10, 0}};\n.visible .entry faulty()\n{{\n\
         .reg .b32 %r<9>, %f<9>;\n.reg .b64 %l<9>;\n.reg .pred %p<9>;\nmov.u32 %r1, %tid.x;\nmov.b64 %l1, s;\n\
         setp.lt.u32 %p1, %r1, 8;\n{body}\nret;\n}}\n"
    );
    Module::load(&ptx).unwrap().launch("faulty", [1, 1, 1], [32, 1, 1], 64, &[]);
}

fn run(body: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["faults::child", "--exact", "--nocapture"]).env(BODY, body).output().unwrap()
}

fn dies(body: &str, messages: &[&str]) {
    if !is_ready() {
        return;
    }
    let child = run(body);
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success(), "{body}");
    for message in messages {
        assert!(errors.contains(message), "{body}: {errors}");
    }
}

#[test]
fn a_deadlock_says_who_waits_where() {
    // Lanes 0 to 7 wait for all lanes, and the others for the block.
    dies(
        "@%p1 redux.sync.add.u32 %r2, %r1, -1;\n@!%p1 bar.sync 0;",
        &[
            "faulty: deadlock",
            "threads 0 to 7 wait at Reduce(Add), mask 0xffffffff",
            "threads 8 to 31 wait at Barrier",
        ],
    );
}

#[test]
fn an_instruction_of_the_whole_warp_needs_all_lanes() {
    dies(
        "@%p1 ret;\nldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%l1];",
        &["faulty: lanes have exited before an instruction of the whole warp"],
    );
}

#[test]
fn a_lane_outside_of_its_mask_is_an_error() {
    dies("bar.warp.sync 0xff;", &["faulty: lane 8 is not in its own mask 0xff"]);
}

#[test]
fn a_trap_ends_the_process() {
    dies("@%p1 trap;", &["faulty: trap in block [0, 0, 0]"]);
}

#[test]
fn a_misaligned_vector_ends_the_process() {
    dies("ld.shared.v2.b32 {%r2, %r3}, [%l1+4];", &["faulty: misaligned address", "of 8 bytes in block"]);
}

#[test]
fn memory_that_does_not_exist_ends_the_process() {
    dies(
        "mov.b64 %l2, 4096;\nst.global.b32 [%l2+16], 1;",
        &["faulty: no memory at address 0x0000000000001010"],
    );
}

#[test]
fn a_kernel_prints() {
    if !is_ready() {
        return;
    }
    // printf("a=%d b=%f %%\\n", -5, 1.5) of the first thread.
    let body = "setp.eq.u32 %p2, %r1, 0;\n@!%p2 bra END;\n\
                .local .align 8 .b8 values[16];\nmov.b64 %l2, values;\n\
                st.local.b32 [%l2], -5;\nst.local.b64 [%l2+8], 0d3FF8000000000000;\nmov.b64 %l3, text;\n\
                { .param .b64 f; .param .b64 v; .param .b32 r;\nst.param.b64 [f], %l3;\nst.param.b64 [v], %l2;\n\
                call.uni (r), vprintf, (f, v);\n}\nEND:";
    let child = run(body);
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && text.contains("a=-5 b=1.5 %\n"), "{text}");
}
