//! Where lanes that a branch has separated come together again.
//!
//! On a GPU, lanes wait at the immediate post-dominator of a branch for the lanes that took its other side. This
//! matters only if a collective takes the active lanes: then the emulator has a join there.

use super::flow::Flow;
use crate::ptx::Statement;

/// A join: the statement before which lanes wait, and the blocks between its branches and itself.
pub(super) struct Join {
    pub(super) statement: usize,
    /// The ranges of statements whose lanes it waits for.
    pub(super) region: Vec<std::ops::Range<usize>>,
}

/// Finds the joins of a function, in the order of their statements.
pub(super) fn find(body: &[Statement]) -> Vec<Join> {
    if !body.iter().any(takes_active_lanes) {
        return Vec::new();
    }
    let flow = Flow::of(body);
    let mut regions = std::collections::BTreeMap::<usize, Vec<bool>>::new();
    for block in 0..flow.starts.len() {
        let join = flow.post_dominators[block];
        if flow.successors[block].len() < 2 || join == flow.starts.len() {
            continue;
        }
        let region = between(&flow, block, join);
        let mut blocks = (0..region.len()).filter(|block| region[*block]);
        if blocks.any(|block| body[flow.statements(block, body)].iter().any(takes_active_lanes)) {
            let all = regions.entry(join).or_insert_with(|| vec![false; region.len()]);
            all.iter_mut().zip(&region).for_each(|(all, more)| *all |= more);
        }
    }
    let join = |(join, region): (usize, Vec<bool>)| {
        let blocks = (0..region.len()).filter(|block| region[*block]);
        Join {
            statement: flow.starts[join],
            region: blocks.map(|block| flow.statements(block, body)).collect(),
        }
    };
    regions.into_iter().map(join).collect()
}

fn takes_active_lanes(statement: &Statement) -> bool {
    matches!(statement, Statement::Instruction(instruction) if instruction.opcode == "activemask.b32")
}

/// The blocks on the paths from the successors of `block` to `join`.
fn between(flow: &Flow, block: usize, join: usize) -> Vec<bool> {
    let mut found = vec![false; flow.starts.len()];
    let mut pending = flow.successors[block].clone();
    while let Some(block) = pending.pop() {
        if block != join && block < found.len() && !found[block] {
            found[block] = true;
            pending.extend(&flow.successors[block]);
        }
    }
    found
}
