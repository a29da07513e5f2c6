//! Instructions that threads execute together: barriers, shuffles and votes.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::Opcode;
use crate::emulator::{Barrier, Collective, Reduction, Shuffle, Site, Vote};
use crate::ptx::{Kind, Operand, Type};

impl FunctionTranslator<'_> {
    /// Translates a collective. `t->in` and `t->out` pass its values.
    pub(super) fn collective(&mut self, opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        match opcode.name {
            "activemask" => self.active_mask(opcode, operands),
            "shfl" => self.shuffle(opcode, operands),
            "vote" => self.vote(opcode, operands),
            "match" => self.match_lanes(opcode, operands),
            "redux" => self.reduce(opcode, operands),
            "elect" => self.elect(opcode, operands),
            "bar" | "barrier" => self.barrier(opcode, operands),
            "ldmatrix" => self.load_matrix(opcode, operands),
            "stmatrix" => self.store_matrix(opcode, operands),
            "mma" => self.multiply_matrices(opcode, operands),
            "wmma" => self.wmma(opcode, operands),
            // Time does not pass, and kernels do not overlap.
            "nanosleep" | "griddepcontrol" => Ok(()),
            _ => Err(Reason::new("this instruction is not translated")),
        }
    }

    /// Emits the wait at a collective.
    pub(super) fn meet(&mut self, collective: Collective, mask: &str) -> Result<(), Reason> {
        let site = self.sites.len();
        let is_converged = self.member_mask.is_some() || collective == Collective::ActiveMask;
        self.sites.push(Site { collective, is_converged, region: Vec::new() });
        let mask = if is_converged { "0" } else { mask };
        self.line(&format!("collective(t, {site}, {mask});"));
        if let Some(register) = self.member_mask.take() {
            self.write(&Operand::Name(register), Type::U32, "t->out[7]")?;
        }
        Ok(())
    }

    /// Emits the wait at a join. Returns its site.
    pub(super) fn join(&mut self) -> usize {
        let site = self.sites.len();
        self.sites.push(Site { collective: Collective::Join, is_converged: true, region: Vec::new() });
        self.line(&format!("collective(t, {site}, 0);"));
        site
    }

    pub(super) fn pass(&mut self, index: usize, value: &str) {
        self.line(&format!("t->in[{index}] = {value};"));
    }

    /// The member mask; a collective that finds it itself has none.
    fn mask(&mut self, operand: &Operand) -> Result<String, Reason> {
        if self.member_mask.is_some() { Ok("0".to_owned()) } else { self.read(operand, Type::U32) }
    }

    fn active_mask(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take("b32");
        opcode.finish()?;
        self.meet(Collective::ActiveMask, "0")?;
        self.write(&operands[0], Type::U32, "t->out[7]")
    }

    fn shuffle(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let mode = match opcode.take_one(&["up", "down", "bfly", "idx"]) {
            Some("up") => Shuffle::Up,
            Some("down") => Shuffle::Down,
            Some("bfly") => Shuffle::Butterfly,
            Some("idx") => Shuffle::Index,
            _ => return Err(Reason::new("it has no mode")),
        };
        sync(&mut opcode)?;
        opcode.take("b32");
        opcode.finish()?;
        for index in 0..3 {
            let value = self.read(&operands[index + 1], Type::B32)?;
            self.pass(index, &value);
        }
        let mask = self.mask(&operands[4])?;
        self.meet(Collective::Shuffle(mode), &mask)?;
        self.write_pair(&operands[0])
    }

    /// Writes `t->out[0]` and, for `d|p`, the predicate `t->out[1]`.
    fn write_pair(&mut self, target: &Operand) -> Result<(), Reason> {
        let Operand::Pair(value, predicate) = target else {
            return self.write(target, Type::B32, "t->out[0]");
        };
        self.write(value, Type::B32, "t->out[0]")?;
        self.write(predicate, Type::PREDICATE, "t->out[1]")
    }

    fn vote(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let mode = match opcode.take_one(&["all", "any", "uni", "ballot"]) {
            Some("all") => Vote::All,
            Some("any") => Vote::Any,
            Some("uni") => Vote::Uniform,
            Some("ballot") => Vote::Ballot,
            _ => return Err(Reason::new("it has no mode")),
        };
        sync(&mut opcode)?;
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let predicate = self.read(&operands[1], Type::PREDICATE)?;
        self.pass(0, &predicate);
        let mask = self.mask(&operands[2])?;
        self.meet(Collective::Vote(mode), &mask)?;
        self.write(&operands[0], ty, "t->out[0]")
    }

    fn match_lanes(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let needs_all = opcode.take_one(&["any", "all"]) == Some("all");
        sync(&mut opcode)?;
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let value = self.read(&operands[1], Type::new(Kind::Unsigned, ty.bits))?;
        self.line(&format!("{{ u64 x = {value}; t->in[0] = (u32)x; t->in[1] = x >> 32; }}"));
        let mask = self.mask(&operands[2])?;
        self.meet(Collective::Match { needs_all }, &mask)?;
        self.write_pair(&operands[0])
    }

    fn reduce(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let operation = opcode.take_one(&["add", "min", "max", "and", "or", "xor"]);
        sync(&mut opcode)?;
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let reduction = match (operation, ty.kind) {
            (Some("add"), _) => Reduction::Add,
            (Some("min"), Kind::Signed) => Reduction::MinSigned,
            (Some("max"), Kind::Signed) => Reduction::MaxSigned,
            (Some("min"), Kind::Unsigned) => Reduction::Min,
            (Some("max"), Kind::Unsigned) => Reduction::Max,
            (Some("and"), _) => Reduction::And,
            (Some("or"), _) => Reduction::Or,
            (Some("xor"), _) => Reduction::Xor,
            _ => return Err(Reason::new("this reduction is not translated")),
        };
        if !ty.is_integer() {
            return Err(Reason::new("this reduction is not translated"));
        }
        let value = self.read(&operands[1], Type::B32)?;
        self.pass(0, &value);
        let mask = self.mask(&operands[2])?;
        self.meet(Collective::Reduce(reduction), &mask)?;
        self.write(&operands[0], Type::B32, "t->out[0]")
    }

    fn elect(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        sync(&mut opcode)?;
        opcode.finish()?;
        let mask = self.mask(&operands[1])?;
        self.meet(Collective::Elect, &mask)?;
        self.write_pair(&operands[0])
    }

    /// Translates `bar.warp.sync` and the barriers of a block: `bar.sync a, b` and its longer forms.
    fn barrier(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take_all(&["cta", "aligned"]);
        let is_warp = opcode.take("warp");
        let action = opcode.take_one(&["sync", "arrive", "red"]);
        if is_warp {
            opcode.finish()?;
            let mask = self.mask(&operands[0])?;
            return self.meet(Collective::WarpBarrier, &mask);
        }
        let reduction = opcode.take_one(&["popc", "and", "or"]);
        let ty = opcode.take_type().ok();
        opcode.finish()?;
        let (barrier, target, operands) = match (action, reduction) {
            (Some("sync"), None) => (Barrier::Sync, None, operands),
            (Some("arrive"), None) => (Barrier::Arrive, None, operands),
            (Some("red"), Some("popc")) => (Barrier::Count, Some(&operands[0]), &operands[1..]),
            (Some("red"), Some("and")) => (Barrier::And, Some(&operands[0]), &operands[1..]),
            (Some("red"), Some("or")) => (Barrier::Or, Some(&operands[0]), &operands[1..]),
            _ => return Err(Reason::new("this barrier is not translated")),
        };
        let (operands, predicate) = match target {
            Some(_) => operands.split_last().map(|(last, rest)| (rest, Some(last))).unwrap_or_default(),
            None => (operands, None),
        };
        // The id, and how many threads meet; 0 means all threads of the block.
        for index in 0..2 {
            let value = operands.get(index).map(|operand| self.read(operand, Type::U32)).transpose()?;
            self.pass(index, value.as_deref().unwrap_or("0"));
        }
        if let Some(predicate) = predicate {
            let predicate = self.read(predicate, Type::PREDICATE)?;
            self.pass(2, &predicate);
        }
        self.member_mask = None;
        self.meet(Collective::Barrier(barrier), "0")?;
        match target {
            Some(target) => self.write(target, ty.unwrap_or(Type::U32), "t->out[0]"),
            None => Ok(()),
        }
    }
}

pub(super) fn sync(opcode: &mut Opcode) -> Result<(), Reason> {
    if opcode.take("sync") { Ok(()) } else { Err(Reason::new("only the form with .sync is translated")) }
}
