//! What a name of PTX is in C: registers, variables, parameters and special registers.

use std::collections::HashMap;

use crate::ptx::{Kind, Type};

/// The C variable of a register.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Register {
    pub(super) bits: u32,
    /// A `float` or `double`, because floating-point instructions use it most.
    pub(super) is_float: bool,
}

impl Register {
    pub(super) fn of(ty: Type) -> Self {
        Self { bits: ty.bits, is_float: false }
    }

    pub(super) fn c(self) -> &'static str {
        match (self.bits, self.is_float) {
            (1, _) => "bool",
            (32, true) => "float",
            (64, true) => "double",
            (bits, _) => Type::new(Kind::Bits, bits).c(),
        }
    }
}

/// The C name of a register: `%r1` is `_r1`.
pub(super) fn register_name(name: &str) -> String {
    format!("_{}", name.trim_start_matches('%'))
}

/// The C name of a variable, a parameter or a function.
pub(super) fn symbol_name(name: &str) -> String {
    format!("s_{}", name.replace('%', "$"))
}

/// The C name of a label.
pub(super) fn label_name(name: &str) -> String {
    format!("L_{}", name.replace('%', "$"))
}

/// Expressions for the addresses of names, as `u8 *`.
pub(super) type Addresses = HashMap<String, String>;

/// How often a register is read or written as a float and as an integer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uses {
    pub(super) float: u32,
    pub(super) integer: u32,
}

/// The C expression of a special register with its bits.
pub(super) fn special(name: &str) -> Option<(String, u32)> {
    let (base, axis) = name.split_once('.').unwrap_or((name, "x"));
    let axis = match axis {
        "x" => 0,
        "y" => 1,
        "z" => 2,
        _ => return None,
    };
    let threads = "(t->block->ntid[0] * t->block->ntid[1] * t->block->ntid[2])";
    Some(match base {
        "%tid" => (format!("t->tid[{axis}]"), 32),
        "%ntid" => (format!("t->block->ntid[{axis}]"), 32),
        "%ctaid" => (format!("t->block->ctaid[{axis}]"), 32),
        "%nctaid" | "%nclusterid" => (format!("t->block->nctaid[{axis}]"), 32),
        // Every block is a cluster of its own.
        "%clusterid" => (format!("t->block->ctaid[{axis}]"), 32),
        "%cluster_ctaid" | "%cluster_ctarank" | "%smid" | "%gridid" | "%pm0" => ("0u".to_owned(), 32),
        "%cluster_nctaid" | "%cluster_nctarank" | "%nsmid" => ("1u".to_owned(), 32),
        "%laneid" => ("t->lane".to_owned(), 32),
        "%warpid" => (
            "((t->tid[0] + t->block->ntid[0] * (t->tid[1] + t->block->ntid[1] * t->tid[2])) / 32)".to_owned(),
            32,
        ),
        "%nwarpid" => (format!("(({threads} + 31) / 32)"), 32),
        "WARP_SZ" => ("32u".to_owned(), 32),
        "%lanemask_eq" => ("(1u << t->lane)".to_owned(), 32),
        "%lanemask_lt" => ("((1u << t->lane) - 1)".to_owned(), 32),
        "%lanemask_le" => ("((2u << t->lane) - 1)".to_owned(), 32),
        "%lanemask_gt" => ("~((2u << t->lane) - 1)".to_owned(), 32),
        "%lanemask_ge" => ("~((1u << t->lane) - 1)".to_owned(), 32),
        "%clock" | "%clock_hi" => ("0u".to_owned(), 32),
        "%clock64" | "%globaltimer" => ("(u64)__builtin_ia32_rdtsc()".to_owned(), 64),
        "%dynamic_smem_size" => ("t->block->dynamic_shared_bytes".to_owned(), 32),
        "%total_smem_size" => ("t->block->total_shared_bytes".to_owned(), 32),
        _ => return None,
    })
}

/// The C declaration of a register, set to zero.
pub(super) fn declaration(name: &str, register: Register) -> String {
    format!("{} {} = 0;", register.c(), register_name(name))
}

/// The C declaration of a byte array for a variable of a function.
pub(super) fn byte_array(name: &str, align: usize, bytes: usize) -> String {
    format!("_Alignas({align}) u8 {}[{}];", symbol_name(name), bytes.max(1))
}
