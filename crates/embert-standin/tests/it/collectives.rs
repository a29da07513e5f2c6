//! Kernels whose threads wait for each other.

use crate::gpu::{Buffer, Module, addresses, is_ready, numbers};

const PTX: &str = include_str!("../fixtures/reduction.ptx");

#[test]
fn a_block_adds_in_shared_memory() {
    if !is_ready() {
        return;
    }
    let x: Vec<f32> = (0..128 * 9).map(|index| (index % 37) as f32).collect();
    let (bx, sums) = (Buffer::new(&x), Buffer::zeros::<f32>(9));
    Module::load(PTX).unwrap().launch("block", [9, 1, 1], [128, 1, 1], 512, &addresses([&bx, &sums]));
    let expected: Vec<f32> = x.chunks(128).map(|block| block.iter().sum()).collect();
    assert_eq!(sums.read::<f32>(), expected);
}

#[test]
fn shuffles_take_the_active_lanes() {
    if !is_ready() {
        return;
    }
    let x: Vec<u32> = numbers(64, 7).iter().map(|x| (x.abs() * 1000.0) as u32).collect();
    let (bx, sums) = (Buffer::new(&x), Buffer::zeros::<u32>(64));
    Module::load(PTX).unwrap().launch("warp", [1, 1, 1], [64, 1, 1], 0, &addresses([&bx, &sums]));
    // Odd lanes add the number of another odd lane, and at the end all lanes are active again.
    let total = |thread: usize| x[thread / 32 * 32..][..32].iter().sum::<u32>();
    let more = |thread: usize| if thread % 2 == 1 { (thread ^ 2) as u32 } else { 0 };
    let expected: Vec<u32> =
        (0..64).map(|thread| total(thread).wrapping_add(more(thread)).wrapping_add(u32::MAX)).collect();
    assert_eq!(sums.read::<u32>(), expected);
}

#[test]
fn a_short_warp_has_only_its_lanes() {
    if !is_ready() {
        return;
    }
    let (bx, sums) = (Buffer::new(&[1u32; 64]), Buffer::zeros::<u32>(64));
    Module::load(PTX).unwrap().launch("warp", [1, 1, 1], [36, 1, 1], 0, &addresses([&bx, &sums]));
    let found = sums.read::<u32>();
    // The second warp has lanes 0 to 3. Shuffles from absent lanes give 0 here, and the active mask is 0xf.
    assert_eq!(found[32], 4 + 0xf);
}

/// A kernel of one warp: `body` computes `%r9` from the lane `%r1`, which is stored to out\[lane\].
fn warp_kernel(body: &str) -> String {
    format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 out)\n{{\n\
         .reg .pred %p<10>;\n.reg .b32 %r<20>;\n.reg .b64 %rd<10>;\n\
         mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [out];\n{body}\n\
         mul.wide.u32 %rd2, %r1, 4;\nadd.s64 %rd3, %rd1, %rd2;\nst.global.b32 [%rd3], %r9;\nret;\n}}\n"
    )
}

fn run_warp(body: &str, threads: usize) -> Vec<u32> {
    let out = Buffer::zeros::<u32>(threads);
    let module = Module::load(&warp_kernel(body)).unwrap();
    module.launch("k", [1, 1, 1], [threads as u32, 1, 1], 0, &addresses([&out]));
    out.read()
}

#[test]
fn each_mode_of_shuffle_reads_its_lane() {
    if !is_ready() {
        return;
    }
    let up = run_warp("shfl.sync.up.b32 %r9|%p1, %r1, 3, 0, -1;\n@!%p1 add.u32 %r9, %r9, 100;", 32);
    assert_eq!(up, (0..32).map(|lane| if lane < 3 { lane + 100 } else { lane - 3 }).collect::<Vec<u32>>());
    let down = run_warp("shfl.sync.down.b32 %r9|%p1, %r1, 5, 31, -1;\n@!%p1 add.u32 %r9, %r9, 100;", 32);
    assert_eq!(down, (0..32).map(|lane| if lane > 26 { lane + 100 } else { lane + 5 }).collect::<Vec<u32>>());
    // Segments of 8 lanes: bits 8 to 12 of the bounds are 24.
    let index = run_warp("shfl.sync.idx.b32 %r9, %r1, 2, 6175, -1;", 32);
    assert_eq!(index, (0..32).map(|lane| lane / 8 * 8 + 2).collect::<Vec<u32>>());
}

#[test]
fn votes_and_matches_see_all_lanes() {
    if !is_ready() {
        return;
    }
    let ballot = run_warp("setp.lt.u32 %p1, %r1, 5;\nvote.sync.ballot.b32 %r9, %p1, -1;", 32);
    assert_eq!(ballot, [0x1f; 32]);
    let all =
        run_warp("setp.lt.u32 %p1, %r1, 32;\nvote.sync.all.pred %p2, %p1, -1;\nselp.b32 %r9, 1, 0, %p2;", 32);
    assert_eq!(all, [1; 32]);
    let alike = run_warp("and.b32 %r2, %r1, 1;\nmatch.any.sync.b32 %r9, %r2, -1;", 32);
    assert_eq!(alike[..2], [0x5555_5555, 0xaaaa_aaaa]);
    let sum = run_warp("redux.sync.add.s32 %r9, %r1, -1;", 32);
    assert_eq!(sum, [496; 32]);
    let leader = run_warp("elect.sync %r9|%p1, -1;\n@%p1 mov.b32 %r9, 7;", 32);
    assert_eq!(leader[..2], [7, 0]);
}

/// The active lanes, as CubeCL takes them for each operation of a plane.
const BALLOT: &str = "activemask.b32 %r5; vote.sync.ballot.b32 %r6, %p9, %r5; add.u32 %r9, %r9, %r6;";

#[test]
fn lanes_come_together_after_each_branch() {
    if !is_ready() {
        return;
    }
    // Three times: all lanes vote, then odd lanes vote. Even lanes must not begin the next round alone.
    let body = format!(
        "setp.eq.u32 %p9, %r1, %r1;\nand.b32 %r2, %r1, 1;\nsetp.eq.u32 %p1, %r2, 1;\nmov.b32 %r3, 0;\nmov.b32 %r9, 0;\n\
         LOOP: {BALLOT}\n@%p1 bra ODD;\nREST: add.u32 %r3, %r3, 1;\nsetp.lt.u32 %p2, %r3, 3;\n@%p2 bra LOOP;\nbra END;\n\
         ODD: {BALLOT}\nbra REST;\nEND:"
    );
    let found = run_warp(&body, 32);
    let (all, odd) = (u32::MAX, 0xaaaa_aaaa_u32);
    assert_eq!(found[0], all.wrapping_mul(3));
    assert_eq!(found[1], all.wrapping_mul(3).wrapping_add(odd.wrapping_mul(3)));
}

#[test]
fn lanes_wait_for_those_that_loop_longer() {
    if !is_ready() {
        return;
    }
    // Lane l votes l + 1 times in the loop, with the lanes that are left, and once after it with all.
    let body = format!(
        "setp.eq.u32 %p9, %r1, %r1;\nmov.b32 %r3, 0;\nmov.b32 %r9, 0;\n\
         LOOP: {BALLOT}\nadd.u32 %r3, %r3, 1;\nsetp.le.u32 %p2, %r3, %r1;\n@%p2 bra LOOP;\n{BALLOT}"
    );
    let expected = |lane: u32| {
        let rounds = (0..=lane).map(|round| u32::MAX << round);
        rounds.fold(u32::MAX, |sum, mask| sum.wrapping_add(mask))
    };
    assert_eq!(run_warp(&body, 32), (0..32).map(expected).collect::<Vec<u32>>());
}

#[test]
fn halves_of_a_warp_meet_by_their_masks() {
    if !is_ready() {
        return;
    }
    let body = "setp.lt.u32 %p1, %r1, 16;\n@%p1 bra A;\n\
                redux.sync.max.u32 %r9, %r1, 0xffff0000;\nbra B;\n\
                A: redux.sync.max.u32 %r9, %r1, 0x0000ffff;\nB:\nbar.warp.sync -1;";
    let found = run_warp(body, 32);
    assert_eq!((found[0], found[31]), (15, 31));
}

#[test]
fn barriers_reduce_and_have_numbers() {
    if !is_ready() {
        return;
    }
    let count = run_warp("setp.lt.u32 %p1, %r1, 70;\nbarrier.cta.red.popc.aligned.u32 %r9, 0, %p1;", 128);
    assert_eq!(count, [70; 128]);
    // The first warp only arrives at barrier 1; the second one waits for 64 threads.
    let body = "setp.lt.u32 %p1, %r1, 32;\n@%p1 bra A;\nbarrier.sync 1, 64;\nmov.b32 %r9, 2;\nbra B;\n\
                A: barrier.arrive 1, 64;\nmov.b32 %r9, 1;\nB:";
    let found = run_warp(body, 64);
    assert_eq!((found[0], found[63]), (1, 2));
}
