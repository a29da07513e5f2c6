//! Finds each `activemask` that only gives a following shuffle or vote its member mask.
//!
//! CubeCL emits this pair for every plane operation. The collective then finds the active lanes itself, and every
//! lane waits once instead of twice.

use std::collections::{HashMap, HashSet};

use crate::ptx::{Instruction, Operand, Statement};

/// The pairs of a function, as indices of its statements.
#[derive(Default)]
pub(super) struct Converged {
    /// `activemask` instructions that need no translation.
    pub(super) masks: HashSet<usize>,
    /// Collectives that find the active lanes, with the register of the `activemask`.
    pub(super) collectives: HashMap<usize, String>,
}

/// Finds the pairs of a function.
pub(super) fn find(body: &[Statement]) -> Converged {
    let mut found = Converged::default();
    for (index, statement) in body.iter().enumerate() {
        let Statement::Instruction(instruction) = statement else { continue };
        if instruction.opcode != "activemask.b32" || instruction.guard.is_some() {
            continue;
        }
        let [Operand::Name(mask)] = instruction.operands.as_slice() else { continue };
        let partner = partner(&body[index + 1..], mask).map(|distance| index + 1 + distance);
        if let Some(partner) = partner.filter(|partner| !found.collectives.contains_key(partner)) {
            found.masks.insert(index);
            found.collectives.insert(partner, mask.clone());
        }
    }
    found
}

/// The first statement that reads `mask`, if it is a collective in the same straight line of code.
fn partner(following: &[Statement], mask: &str) -> Option<usize> {
    for (distance, statement) in following.iter().enumerate() {
        let Statement::Instruction(instruction) = statement else { return None };
        if takes_mask(instruction, mask) {
            return Some(distance);
        }
        let reads = instruction.operands.iter().any(|operand| mentions(operand, mask));
        if reads || leaves_line(instruction) {
            return None;
        }
    }
    None
}

fn takes_mask(instruction: &Instruction, mask: &str) -> bool {
    let is_collective =
        instruction.opcode.starts_with("shfl.sync") || instruction.opcode.starts_with("vote.sync");
    let Some((last, rest)) = instruction.operands.split_last() else { return false };
    is_collective
        && instruction.guard.is_none()
        && *last == Operand::Name(mask.to_owned())
        && !rest.iter().any(|operand| mentions(operand, mask))
}

fn leaves_line(instruction: &Instruction) -> bool {
    let name = instruction.opcode.split('.').next().unwrap_or_default();
    matches!(name, "bra" | "brx" | "call" | "ret" | "exit" | "trap" | "bar" | "barrier")
}

fn mentions(operand: &Operand, name: &str) -> bool {
    match operand {
        Operand::Name(other) | Operand::Offset(other, _) | Operand::Not(other) => other == name,
        Operand::Address(base, _) => mentions(base, name),
        Operand::Vector(parts) | Operand::List(parts) => parts.iter().any(|part| mentions(part, name)),
        Operand::Pair(one, other) => mentions(one, name) || mentions(other, name),
        Operand::Integer(_) | Operand::Single(_) | Operand::Double(_) | Operand::Sink => false,
    }
}
