//! Parses a module: its directives, functions and their headers.

use super::lexer::{Token, TokenKind};
use super::{Function, Module, PtxError};

/// A position in the tokens of a module.
pub(super) struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Token<'a>]) -> Self {
        Self { tokens, at: 0 }
    }

    /// Parses until the end.
    pub(super) fn module(mut self) -> Result<Module, PtxError> {
        let mut module = Module::default();
        while self.at < self.tokens.len() {
            match self.peek()? {
                ".version" | ".target" | ".address_size" | ".file" | ".loc" => self.skip_line(),
                ".section" => self.skip_section()?,
                ".entry" | ".func" => module.functions.push(self.function()?),
                ".visible" | ".weak" | ".common" => self.at += 1,
                ".extern" => {
                    self.at += 1;
                    if self.peek()? == ".func" {
                        module.functions.push(self.function()?);
                    } else {
                        let variable = self.variable_statement()?;
                        module.variables.push(super::Variable { is_extern: true, ..variable });
                    }
                }
                ".global" | ".const" | ".shared" => module.variables.push(self.variable_statement()?),
                _ => return Err(self.unexpected("a declaration")),
            }
        }
        Ok(module)
    }

    /// Parses from `.entry` or `.func` to the end of the body, or to the `;` of a declaration.
    fn function(&mut self) -> Result<Function, PtxError> {
        let is_entry = self.word()? == ".entry";
        let results = self.parameters()?;
        let name = self.word()?.to_owned();
        let parameters = self.parameters()?;
        while !self.is("{") && !self.is(";") {
            self.at += 1; // .reqntid and other directives for performance
            self.peek()?;
        }
        let body = if self.take(";") { None } else { Some(self.body()?) };
        Ok(Function { name, is_entry, results, parameters, body })
    }

    /// Parses `(.param ..., .param ...)`, if the next token opens it.
    fn parameters(&mut self) -> Result<Vec<super::Variable>, PtxError> {
        let mut parameters = Vec::new();
        if !self.take("(") {
            return Ok(parameters);
        }
        while !self.take(")") {
            parameters.push(self.variable()?);
            self.take(",");
        }
        Ok(parameters)
    }

    fn skip_line(&mut self) {
        let line = self.tokens[self.at].line;
        while self.at < self.tokens.len() && self.tokens[self.at].line == line {
            self.at += 1;
        }
    }

    fn skip_section(&mut self) -> Result<(), PtxError> {
        while self.next()?.text != "}" {}
        Ok(())
    }

    /// Skips a directive that ends with a `;` or with its line.
    pub(super) fn skip_directive(&mut self) {
        self.skip_line();
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, PtxError> {
        let token = *self.tokens.get(self.at).ok_or(PtxError::End)?;
        self.at += 1;
        Ok(token)
    }

    pub(super) fn peek(&self) -> Result<&'a str, PtxError> {
        self.tokens.get(self.at).map(|token| token.text).ok_or(PtxError::End)
    }

    /// The token after the next.
    pub(super) fn peek_second(&self) -> Option<&'a str> {
        self.tokens.get(self.at + 1).map(|token| token.text)
    }

    pub(super) fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |token| token.line)
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.text == text && token.kind != TokenKind::Text)
    }

    /// Goes past the next token if it is `text`.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, text: &'static str) -> Result<(), PtxError> {
        if self.take(text) { Ok(()) } else { Err(self.unexpected(text)) }
    }

    pub(super) fn word(&mut self) -> Result<&'a str, PtxError> {
        match self.tokens.get(self.at) {
            Some(token) if token.kind == TokenKind::Word => {
                self.at += 1;
                Ok(token.text)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// Parses a decimal or hexadecimal integer with an optional sign.
    pub(super) fn integer(&mut self) -> Result<i128, PtxError> {
        let negative = self.take("-");
        let word = self.word()?;
        let Some(value) = integer(word) else {
            self.at -= 1;
            return Err(self.unexpected("an integer"));
        };
        Ok(if negative { -value } else { value })
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> PtxError {
        let found = self.tokens.get(self.at).map_or("the end", |token| token.text);
        PtxError::Expected { line: self.line(), expected, found: found.to_owned() }
    }
}

/// Reads an unsigned integer literal such as `12`, `0x1F` or `7U`.
pub(super) fn integer(word: &str) -> Option<i128> {
    let word = word.strip_suffix('U').unwrap_or(word);
    let (digits, radix) = match word.get(..2) {
        Some("0x" | "0X") => (&word[2..], 16),
        Some("0b" | "0B") => (&word[2..], 2),
        _ if word.len() > 1 && word.starts_with('0') => (&word[1..], 8),
        _ => (word, 10),
    };
    i128::from_str_radix(digits, radix).ok()
}
