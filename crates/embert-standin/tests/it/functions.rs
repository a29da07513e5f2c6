//! Device functions, parameters by value, tables and variables.

use crate::gpu::{Buffer, Module, addresses, is_ready};

const PTX: &str = include_str!("../fixtures/functions.ptx");

#[test]
fn values_reach_a_called_function() {
    if !is_ready() {
        return;
    }
    let out = Buffer::zeros::<f32>(32);
    let indices: Vec<u8> = [100u64, 3, 100].iter().flat_map(|index| index.to_le_bytes()).collect();
    let mut info = vec![0; 40];
    info[8..16].copy_from_slice(&4u64.to_le_bytes());
    let vector: Vec<u8> = [0.5f32, 0.0, 4.0, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let parameters = [out.parameter(), indices, info, vec![2], vector];
    Module::load(PTX).unwrap().launch("call", [1, 1, 1], [16, 1, 1], 0, &parameters);
    // Even threads read what they took from the table, odd ones what the function returned.
    let value = |thread: u32| {
        if thread.is_multiple_of(2) { (1 << (thread % 4)) as f32 } else { thread as f32 / 4.0 + 0.5 }
    };
    let found = out.read::<f32>();
    assert_eq!(found[9..25], (0..16).map(value).collect::<Vec<f32>>());
    assert_eq!((found[8], found[25]), (0.0, 0.0));
}

#[test]
fn a_table_of_labels_and_a_pointer_in_a_variable() {
    if !is_ready() {
        return;
    }
    let out = Buffer::zeros::<i64>(8);
    Module::load(PTX).unwrap().launch("switch", [1, 1, 1], [6, 1, 1], 0, &addresses([&out]));
    assert_eq!(out.read::<i64>(), [10, 1.5f64.to_bits() as i64, 7, -3, 4, 0, 0, 0]);
}
