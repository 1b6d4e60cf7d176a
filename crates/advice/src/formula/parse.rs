//! From text to expression, with a limit on depth and a place in every error.

use super::{DEEPEST, Expression, FormulaError, Function, LONGEST, Variable};

pub(super) fn parse(text: &str) -> Result<Expression, FormulaError> {
    // A formula is ASCII; a text that is longer is not looked at any further.
    if text.len() > LONGEST {
        return Err(FormulaError::TooLong);
    }
    let mut reader = Reader { characters: text.chars().collect(), at: 0, braces: 0, depth: 0 };
    reader.blank();
    if reader.peek().is_none() {
        return Err(FormulaError::Empty);
    }
    let expression = reader.expression()?;
    match reader.peek() {
        None => Ok(expression),
        Some('<' | '>' | '=') => Err(FormulaError::Comparison),
        Some(_) => Err(reader.unexpected("the end, `*` or `/`")),
    }
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    braces: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += 1;
            self.blank();
        }
        there
    }

    fn want(&mut self, wanted: char, expected: &'static str) -> Result<(), FormulaError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &'static str) -> FormulaError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(c) if c.is_ascii_graphic() => format!("`{c}`"),
            Some(c) => format!("`{}`", c.escape_unicode()),
        };
        FormulaError::Unexpected { at: self.at + 1, found, expected }
    }

    fn word(&mut self, of: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&of) {
            self.at += 1;
        }
        let word = self.characters.get(start..self.at).unwrap_or_default().iter().collect();
        self.blank();
        word
    }

    /// A product or a quotient, from the left: `{DBInstanceClassMemory*3/4}`.
    fn expression(&mut self) -> Result<Expression, FormulaError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FormulaError::TooDeep);
        }
        let mut left = self.term()?;
        // A chain is a nest to the left, and is evaluated by recursion too.
        let mut links = 0;
        loop {
            let make = if self.take('*') {
                Expression::Times
            } else if self.take('/') {
                Expression::Over
            } else {
                break;
            };
            links += 1;
            if links > DEEPEST {
                return Err(FormulaError::TooDeep);
            }
            left = make(Box::new(left), Box::new(self.term()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, FormulaError> {
        match self.peek() {
            Some('{') => {
                self.take('{');
                self.braces += 1;
                let inside = self.expression()?;
                self.braces -= 1;
                self.want('}', "`}`, `*` or `/`")?;
                Ok(inside)
            }
            Some('(') => {
                self.take('(');
                let inside = self.expression()?;
                self.want(')', "`)`, `*` or `/`")?;
                Ok(inside)
            }
            Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => self.integer(),
            Some(c) if c.is_ascii_alphabetic() => self.name(),
            _ => Err(self.unexpected("a number, a formula in braces, or a function")),
        }
    }

    /// `SUM({DBInstanceClassMemory/12038},-50003)` is a default of RDS, so integers have signs.
    fn integer(&mut self) -> Result<Expression, FormulaError> {
        let minus = self.peek() == Some('-');
        if minus || self.peek() == Some('+') {
            self.at += 1;
        }
        if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        let digits = self.word(|c| c.is_ascii_digit());
        let size: u64 = digits.parse().map_err(|_| FormulaError::TooLarge)?;
        Ok(Expression::Integer(if minus { -i128::from(size) } else { i128::from(size) }))
    }

    fn name(&mut self) -> Result<Expression, FormulaError> {
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(variable) = Variable::ALL.into_iter().find(|variable| variable.name() == name) {
            if self.braces == 0 {
                return Err(FormulaError::OutsideBraces { name: variable.name() });
            }
            return Ok(Expression::Variable(variable));
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "greatest" => Some(Function::Greatest),
            "least" => Some(Function::Least),
            "sum" => Some(Function::Sum),
            "log" => None,
            _ => return Err(FormulaError::UnknownName { name }),
        };
        self.want('(', "`(` after the function's name")?;
        let Some(function) = function else {
            let inside = self.expression()?;
            self.want(')', "`)`, `*` or `/`")?;
            return Ok(Expression::Log(Box::new(inside)));
        };
        let mut arguments = vec![self.expression()?];
        while self.take(',') {
            arguments.push(self.expression()?);
        }
        self.want(')', "`)`, `,`, `*` or `/`")?;
        Ok(Expression::Call(function, arguments))
    }
}
