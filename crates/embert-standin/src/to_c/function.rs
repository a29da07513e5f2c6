//! Translates a function: its registers, variables and statements.

use std::collections::{HashMap, HashSet};

use super::names::{Addresses, Register, Uses, byte_array, declaration, label_name, symbol_name};
use super::opcode::Opcode;
use super::{Reason, TranslateError, converged, reconvergence};
use crate::emulator::Site;
use crate::ptx::{Function, Instruction, RegisterBank, Space, Statement, Variable};

/// The state of translating one function.
pub(super) struct FunctionTranslator<'a> {
    pub(super) name: &'a str,
    pub(super) is_entry: bool,
    pub(super) module_addresses: &'a Addresses,
    /// The functions that have a body.
    pub(super) functions: &'a HashSet<&'a str>,
    pub(super) registers: HashMap<String, Register>,
    pub(super) addresses: Addresses,
    pub(super) branch_targets: HashMap<String, Vec<String>>,
    pub(super) uses: HashMap<String, Uses>,
    pub(super) calls: Vec<String>,
    /// The module's collective instructions; those of this function are added.
    pub(super) sites: &'a mut Vec<Site>,
    /// The next collective finds its member mask itself and writes it to this register.
    pub(super) member_mask: Option<String>,
    declarations: String,
    text: String,
    local_bytes: usize,
}

/// A translated function.
pub(super) struct TranslatedFunction {
    pub(super) text: String,
    /// The functions that it calls.
    pub(super) calls: Vec<String>,
    /// Whether it has a collective instruction itself.
    pub(super) has_collectives: bool,
    /// An upper bound of the stack that its variables take.
    pub(super) stack_bytes: usize,
}

/// Translates `function`. The first pass finds which registers hold floats; the second one writes the code.
pub(super) fn translate<'a>(
    function: &'a Function,
    body: &[Statement],
    module_addresses: &'a Addresses,
    functions: &'a HashSet<&'a str>,
    sites: &'a mut Vec<Site>,
) -> Result<TranslatedFunction, TranslateError> {
    let first_site = sites.len();
    let mut uses = HashMap::new();
    for _ in 0..2 {
        sites.truncate(first_site);
        let mut translator = FunctionTranslator {
            name: &function.name,
            is_entry: function.is_entry,
            module_addresses,
            functions,
            registers: HashMap::new(),
            addresses: parameter_addresses(function),
            branch_targets: branch_targets(body),
            uses: HashMap::new(),
            calls: Vec::new(),
            sites: &mut *sites,
            member_mask: None,
            declarations: String::new(),
            text: String::new(),
            local_bytes: 0,
        };
        translator.statements(body, &uses)?;
        let FunctionTranslator { uses: found, calls, declarations, text, registers, local_bytes, .. } =
            translator;
        if uses.is_empty() && found.values().any(|uses: &Uses| uses.float > 0) {
            uses = found;
            continue;
        }
        return Ok(TranslatedFunction {
            text: format!("{} {{\nbool carry = 0;\n{declarations}{text}}}\n", signature(function)),
            calls,
            has_collectives: sites.len() > first_site,
            stack_bytes: local_bytes + registers.len() * 16 + 512,
        });
    }
    unreachable!("the second pass returns")
}

/// The C signature of a function.
pub(super) fn signature(function: &Function) -> String {
    let mut parameters = vec!["struct thread *t".to_owned()];
    if !function.is_entry {
        let all = function.results.iter().chain(&function.parameters);
        parameters.extend(all.map(|parameter| format!("u8 *{}", symbol_name(&parameter.name))));
    }
    format!("static void {}({})", symbol_name(&function.name), parameters.join(", "))
}

/// A kernel's parameters are in one buffer; those of a device function are addresses.
fn parameter_addresses(function: &Function) -> Addresses {
    let all = function.results.iter().chain(&function.parameters);
    if !function.is_entry {
        return all.map(|parameter| (parameter.name.clone(), symbol_name(&parameter.name))).collect();
    }
    let offsets = super::kernel::parameter_offsets(&function.parameters);
    let address = |offset| format!("(t->block->parameters + {offset})");
    all.zip(offsets).map(|(parameter, offset)| (parameter.name.clone(), address(offset))).collect()
}

fn branch_targets(body: &[Statement]) -> HashMap<String, Vec<String>> {
    let tables = body.iter().filter_map(|statement| match statement {
        Statement::BranchTargets(name, targets) => Some((name.clone(), targets.clone())),
        _ => None,
    });
    tables.collect()
}

impl FunctionTranslator<'_> {
    /// Appends a line of C.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn statements(&mut self, body: &[Statement], uses: &HashMap<String, Uses>) -> Result<(), TranslateError> {
        let converged = converged::find(body);
        let joins = reconvergence::find(body);
        let mut sites_of_joins = Vec::new();
        // The first site of each statement; those of a statement end where the next one's begin.
        let mut first_sites = Vec::with_capacity(body.len() + 1);
        let mut depth = 0;
        for (index, statement) in body.iter().enumerate() {
            let is_join = joins.iter().any(|join| join.statement == index);
            let is_label = matches!(statement, Statement::Label(_));
            if is_join && !is_label {
                sites_of_joins.push(self.join());
            }
            first_sites.push(self.sites.len());
            match statement {
                Statement::Open => {
                    depth += 1;
                    self.line("{");
                }
                Statement::Close => {
                    depth -= 1;
                    self.line("}");
                }
                Statement::Label(name) => self.line(&format!("{}: ;", label_name(name))),
                Statement::Registers(bank) => self.declare_registers(bank, depth, uses),
                Statement::Variable(variable) => self.declare_variable(variable, depth),
                Statement::BranchTargets(..) => {}
                Statement::Instruction(_) if converged.masks.contains(&index) => {}
                Statement::Instruction(instruction) => {
                    self.member_mask = converged.collectives.get(&index).cloned();
                    self.instruction(instruction).map_err(|reason| self.error(instruction, reason))?;
                }
            }
            if is_join && is_label {
                sites_of_joins.push(self.join());
            }
        }
        first_sites.push(self.sites.len());
        for (join, site) in joins.iter().zip(sites_of_joins) {
            let ranges = join.region.iter().map(|range| first_sites[range.start]..first_sites[range.end]);
            self.sites[site].region = ranges.flatten().collect();
        }
        Ok(())
    }

    fn error(&self, instruction: &Instruction, reason: Reason) -> TranslateError {
        TranslateError {
            function: self.name.to_owned(),
            line: instruction.line,
            instruction: instruction.opcode.clone(),
            reason,
        }
    }

    fn declare_registers(&mut self, bank: &RegisterBank, depth: usize, uses: &HashMap<String, Uses>) {
        let names = match bank.count {
            None => vec![bank.name.clone()],
            Some(count) => (0..count).map(|index| format!("{}{index}", bank.name)).collect(),
        };
        for name in names {
            let found = uses.get(&name).copied().unwrap_or_default();
            let is_float = found.float > found.integer && matches!(bank.ty.bits, 32 | 64);
            let register = Register { is_float, ..Register::of(bank.ty) };
            let declaration = declaration(&name, register);
            // Registers of an inner scope may have the same names as those of another one.
            let is_used = uses.is_empty() || uses.contains_key(&name);
            if depth > 0 {
                self.line(&declaration);
            } else if is_used {
                self.declarations.push_str(&declaration);
                self.declarations.push('\n');
            }
            self.registers.insert(name, register);
        }
    }

    fn declare_variable(&mut self, variable: &Variable, depth: usize) {
        // The shared variables of functions are in the layout of the module.
        if variable.space == Space::Shared {
            return;
        }
        let declaration = byte_array(&variable.name, variable.align, variable.bytes);
        self.addresses.insert(variable.name.clone(), symbol_name(&variable.name));
        self.local_bytes += variable.bytes + variable.align;
        if depth > 0 {
            self.line(&declaration);
        } else {
            self.declarations.push_str(&declaration);
            self.declarations.push('\n');
        }
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), Reason> {
        let Some((predicate, is_negated)) = &instruction.guard else {
            return self.unguarded(instruction);
        };
        let predicate = crate::ptx::Operand::Name(predicate.clone());
        let predicate = self.read(&predicate, crate::ptx::Type::PREDICATE)?;
        self.line(&format!("if ({}{predicate}) {{", if *is_negated { "!" } else { "" }));
        self.unguarded(instruction)?;
        self.line("}");
        Ok(())
    }

    fn unguarded(&mut self, instruction: &Instruction) -> Result<(), Reason> {
        let opcode = Opcode::new(&instruction.opcode);
        let operands = instruction.operands.as_slice();
        if operands.len() < fewest_operands(opcode.name) {
            return Err(Reason::new("it has too few operands"));
        }
        match opcode.name {
            "add" | "sub" | "mul" | "mad" | "mul24" | "mad24" | "div" | "rem" | "abs" | "neg" | "min"
            | "max" | "addc" | "subc" | "madc" | "fma" | "rcp" | "sqrt" | "rsqrt" | "sin" | "cos" | "ex2"
            | "lg2" | "tanh" | "copysign" | "sad" => self.arithmetic(opcode, operands),
            "and" | "or" | "xor" | "not" | "cnot" => self.logic(opcode, operands),
            "shl" | "shr" => self.shift(opcode, operands),
            "shf" => self.funnel_shift(opcode, operands),
            "prmt" | "lop3" | "bfe" | "bfi" | "bfind" | "brev" | "popc" | "clz" => {
                self.bit_function(opcode, operands)
            }
            "dp4a" => self.byte_dot_product(opcode, operands),
            "setp" => self.set_predicate(opcode, operands),
            "set" => self.set(opcode, operands),
            "selp" => self.select(opcode, operands),
            "slct" => self.select_by_sign(opcode, operands),
            "testp" => self.test_float(opcode, operands),
            "cvt" => self.convert(opcode, operands),
            "cvta" => self.convert_address(opcode, operands),
            "mov" => self.mov(opcode, operands),
            "ld" | "ldu" => self.load(opcode, operands),
            "st" => self.store(opcode, operands),
            "atom" | "red" => self.atomic(opcode, operands),
            "membar" | "fence" => self.fence(opcode),
            "prefetch" | "prefetchu" => Ok(()),
            "bra" => self.branch(opcode, operands),
            "brx" => self.branch_indexed(opcode, operands),
            "call" => self.call(opcode, operands),
            "ret" | "exit" => self.leave(opcode),
            "trap" | "brkpt" => self.trap(opcode),
            _ => self.collective(opcode, operands),
        }
    }
}

/// How many operands the translations of an instruction may use without looking.
fn fewest_operands(name: &str) -> usize {
    match name {
        "ret" | "exit" | "trap" | "brkpt" | "membar" | "fence" | "prefetch" | "prefetchu" | "nanosleep"
        | "call" | "griddepcontrol" => 0,
        "bra" | "activemask" | "bar" | "barrier" => 1,
        "abs" | "neg" | "not" | "cnot" | "mov" | "cvt" | "cvta" | "ld" | "ldu" | "st" | "red" | "brx"
        | "rcp" | "sqrt" | "rsqrt" | "sin" | "cos" | "ex2" | "lg2" | "tanh" | "brev" | "popc" | "clz"
        | "bfind" | "testp" | "ldmatrix" | "stmatrix" | "elect" | "wmma" => 2,
        "selp" | "slct" | "fma" | "mad" | "shf" | "prmt" | "bfe" | "dp4a" | "mma" | "sad" => 4,
        "bfi" | "lop3" | "shfl" => 5,
        _ => 3,
    }
}
