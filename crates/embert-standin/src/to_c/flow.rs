//! The control flow of a function: its basic blocks and their immediate post-dominators.

use std::collections::HashMap;

use crate::ptx::{Instruction, Operand, Statement};

/// The basic blocks of a function. The number after the last one stands for its end.
pub(super) struct Flow {
    /// The first statement of each block.
    pub(super) starts: Vec<usize>,
    pub(super) successors: Vec<Vec<usize>>,
    /// The first block that every path from a block to the end passes; the end if no other block is on all paths.
    pub(super) post_dominators: Vec<usize>,
}

impl Flow {
    /// Finds the blocks of a function.
    pub(super) fn of(body: &[Statement]) -> Self {
        let starts = starts(body);
        let successors = successors(body, &starts);
        let post_dominators = post_dominators(&successors);
        Self { starts, successors, post_dominators }
    }

    /// The statements of a block.
    pub(super) fn statements(&self, block: usize, body: &[Statement]) -> std::ops::Range<usize> {
        self.starts[block]..self.starts.get(block + 1).copied().unwrap_or(body.len())
    }
}

/// A block begins at the start, at a label, and after a branch or return.
fn starts(body: &[Statement]) -> Vec<usize> {
    let mut starts = vec![0];
    for (index, statement) in body.iter().enumerate() {
        match statement {
            Statement::Label(_) => starts.push(index),
            Statement::Instruction(instruction) if leaves(instruction) => starts.push(index + 1),
            _ => {}
        }
    }
    starts.dedup();
    starts.retain(|start| *start < body.len());
    starts
}

fn name(instruction: &Instruction) -> &str {
    instruction.opcode.split('.').next().unwrap_or_default()
}

fn leaves(instruction: &Instruction) -> bool {
    matches!(name(instruction), "bra" | "brx" | "ret" | "exit" | "trap")
}

fn successors(body: &[Statement], starts: &[usize]) -> Vec<Vec<usize>> {
    let end = starts.len();
    let mut labels = HashMap::new();
    let mut tables = HashMap::new();
    for (index, statement) in body.iter().enumerate() {
        match statement {
            Statement::Label(label) => {
                labels.insert(label.as_str(), starts.partition_point(|start| *start <= index) - 1);
            }
            Statement::BranchTargets(table, targets) => {
                tables.insert(table.as_str(), targets);
            }
            _ => {}
        }
    }
    let target = |label: &str| labels.get(label).copied().unwrap_or(end);
    let of_block = |block: usize| {
        let last = starts.get(block + 1).copied().unwrap_or(body.len()) - 1;
        let Statement::Instruction(instruction) = &body[last] else { return vec![block + 1] };
        let mut found = match (name(instruction), instruction.operands.as_slice()) {
            ("bra", [Operand::Name(label)]) => vec![target(label)],
            ("brx", [_, Operand::Name(table)]) => tables
                .get(table.as_str())
                .map_or(vec![end], |labels| labels.iter().map(|label| target(label)).collect()),
            ("ret" | "exit" | "trap", _) => vec![end],
            _ => return vec![block + 1],
        };
        if instruction.guard.is_some() {
            found.push(block + 1);
        }
        found.sort_unstable();
        found.dedup();
        found
    };
    (0..starts.len()).map(of_block).collect()
}

/// Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", on the reversed graph.
fn post_dominators(successors: &[Vec<usize>]) -> Vec<usize> {
    let end = successors.len();
    let order = post_order_from_end(successors);
    let mut rank = vec![usize::MAX; end + 1];
    order.iter().enumerate().for_each(|(at, block)| rank[*block] = at);
    let mut found: Vec<Option<usize>> = vec![None; end + 1];
    found[end] = Some(end);
    let mut changes = true;
    while changes {
        changes = false;
        for block in order.iter().rev().copied().filter(|block| *block != end) {
            let known = successors[block].iter().copied().filter(|next| found[*next].is_some());
            let meeting = known.reduce(|a, b| meet(a, b, &found, &rank));
            if meeting.is_some() && found[block] != meeting {
                found[block] = meeting;
                changes = true;
            }
        }
    }
    // A block that never reaches the end has no post-dominator.
    found[..end].iter().map(|block| block.unwrap_or(end)).collect()
}

/// The nearest block that is on both chains of post-dominators.
fn meet(mut a: usize, mut b: usize, found: &[Option<usize>], rank: &[usize]) -> usize {
    while a != b {
        let later = if rank[a] < rank[b] { &mut a } else { &mut b };
        *later = found[*later].expect("the chain of a known block is known");
    }
    a
}

/// The blocks from which the end is reachable, in post-order of a walk against the edges.
fn post_order_from_end(successors: &[Vec<usize>]) -> Vec<usize> {
    let end = successors.len();
    let mut predecessors = vec![Vec::new(); end + 1];
    for (block, next) in successors.iter().enumerate() {
        next.iter().for_each(|next| predecessors[*next].push(block));
    }
    let mut seen = vec![false; end + 1];
    let mut order = Vec::new();
    let mut stack = vec![(end, 0)];
    seen[end] = true;
    while let Some((block, at)) = stack.pop() {
        let Some(previous) = predecessors[block].get(at).copied() else {
            order.push(block);
            continue;
        };
        stack.push((block, at + 1));
        if !seen[previous] {
            seen[previous] = true;
            stack.push((previous, 0));
        }
    }
    order
}
