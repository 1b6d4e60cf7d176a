//! Formulas in parameter groups: `LEAST({DBInstanceClassMemory/9531392},5000)`.
//!
//! Variables, operators and functions are those of
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html>.

/// What the variables are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variables {
    /// `DBInstanceClassMemory`, in bytes.
    pub(super) memory: f64,
    /// `DBInstanceVCPU`.
    pub(super) vcpus: f64,
}

/// What a formula or a plain number comes to; none where it is not understood.
pub(super) fn evaluate(text: &str, variables: Variables) -> Option<f64> {
    let mut reader = Reader { rest: text.trim(), variables };
    let value = reader.sum()?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Reader<'text> {
    rest: &'text str,
    variables: Variables,
}

impl Reader<'_> {
    fn eats(&mut self, token: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.eats('+') {
                value += self.product()?;
            } else if self.eats('-') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.operand()?;
        loop {
            if self.eats('*') {
                value *= self.operand()?;
            } else if self.eats('/') {
                value /= self.operand()?;
            } else {
                return Some(value);
            }
        }
    }

    fn operand(&mut self) -> Option<f64> {
        for (open, close) in [('{', '}'), ('(', ')')] {
            if self.eats(open) {
                let value = self.sum()?;
                return self.eats(close).then_some(value);
            }
        }
        let end = self.rest.find(|each: char| !each.is_ascii_alphanumeric() && each != '.').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "DBInstanceClassMemory" => Some(self.variables.memory),
            "DBInstanceVCPU" => Some(self.variables.vcpus),
            "GREATEST" | "LEAST" | "SUM" | "log" => self.function(word),
            number => number.parse().ok(),
        }
    }

    fn function(&mut self, name: &str) -> Option<f64> {
        if !self.eats('(') {
            return None;
        }
        let mut values = vec![self.sum()?];
        while self.eats(',') {
            values.push(self.sum()?);
        }
        if !self.eats(')') {
            return None;
        }
        match name {
            "GREATEST" => values.into_iter().reduce(f64::max),
            "LEAST" => values.into_iter().reduce(f64::min),
            "SUM" => Some(values.iter().sum()),
            // Base 2, and whole: so the tables of Aurora MySQL come out
            // (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html>).
            _ => values.first().map(|value| value.log2().round()),
        }
    }
}
