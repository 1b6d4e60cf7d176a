//! Formulas of parameter groups, such as `LEAST({DBInstanceClassMemory/9531392},5000)`.
//!
//! Amazon RDS User Guide, "Specifying DB parameters": formulas stand in braces and know `*` and `/`, whose decimals
//! "are truncated, not rounded"; `GREATEST`, `LEAST` and `SUM` take integers or formulas, and their names are
//! case-insensitive, while those of variables are case-sensitive; `log` is base 2.
//!
//! What AWS does not say is how `log` becomes an integer. Its table for Aurora MySQL does: 6,000 for `db.r5.12xlarge`
//! and 7,000 for `db.r5.24xlarge` are more than `log(DBInstanceClassMemory/8187281408)*1000` of all of their memory,
//! and all rows are what rounding the logarithm to the nearest integer gives. So that is what happens here.

mod parse;
#[cfg(test)]
mod tests;

use crate::num::{float, whole};

/// The longest text and the deepest nesting that are read. AWS's own formulas have 120 characters and three levels.
const LONGEST: usize = 4096;
const DEEPEST: usize = 32;

/// What a formula may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `DBInstanceClassMemory`: bytes that the database process has.
    DbInstanceClassMemory,
    /// `DBInstanceVCPU`: vCPUs of the class.
    DbInstanceVcpu,
    /// `AllocatedStorage`: bytes of the volume.
    AllocatedStorage,
    /// `EndPointPort`: the port.
    EndPointPort,
    /// `TrueIfReplica`: 1 for a read replica.
    TrueIfReplica,
}

impl Variable {
    const ALL: [Self; 5] = [
        Self::DbInstanceClassMemory,
        Self::DbInstanceVcpu,
        Self::AllocatedStorage,
        Self::EndPointPort,
        Self::TrueIfReplica,
    ];

    /// Returns the name as AWS writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DbInstanceClassMemory => "DBInstanceClassMemory",
            Self::DbInstanceVcpu => "DBInstanceVCPU",
            Self::AllocatedStorage => "AllocatedStorage",
            Self::EndPointPort => "EndPointPort",
            Self::TrueIfReplica => "TrueIfReplica",
        }
    }
}

/// The values of variables; what is absent is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `DBInstanceClassMemory`.
    pub memory_bytes: Option<u64>,
    /// `DBInstanceVCPU`.
    pub vcpus: Option<u64>,
    /// `AllocatedStorage`.
    pub storage_bytes: Option<u64>,
    /// `EndPointPort`.
    pub port: Option<u64>,
    /// `TrueIfReplica`.
    pub replica: Option<bool>,
}

impl Variables {
    fn value(&self, variable: Variable) -> Result<i128, FormulaError> {
        let value = match variable {
            Variable::DbInstanceClassMemory => self.memory_bytes,
            Variable::DbInstanceVcpu => self.vcpus,
            Variable::AllocatedStorage => self.storage_bytes,
            Variable::EndPointPort => self.port,
            Variable::TrueIfReplica => self.replica.map(u64::from),
        };
        value.map(i128::from).ok_or(FormulaError::NotKnown { name: variable.name() })
    }
}

/// Why a text is no formula, or has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Nothing is there.
    #[error("the formula is empty")]
    Empty,
    /// It is longer than any formula.
    #[error("the formula has more than 4096 characters")]
    TooLong,
    /// It is nested deeper than any formula.
    #[error("the formula is nested more than 32 levels deep")]
    TooDeep,
    /// Something else was expected.
    #[error("expected {expected} at character {at}, found {found}")]
    Unexpected {
        /// The character's place, from 1.
        at: usize,
        /// What is there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// No variable or function has that name.
    #[error("no variable or function is named {name} (names of variables are case-sensitive)")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A variable stands outside braces.
    #[error("{name} stands outside braces: write {{{name}}}")]
    OutsideBraces {
        /// The variable.
        name: &'static str,
    },
    /// It compares, and so is true or false.
    #[error("it is a comparison, which is true or false and no number")]
    Comparison,
    /// A number has too many digits.
    #[error("a number in it is too large")]
    TooLarge,
    /// It divides by zero.
    #[error("it divides by zero")]
    DivisionByZero,
    /// The logarithm of zero or less.
    #[error("it takes the logarithm of zero or less")]
    Logarithm,
    /// The result is below zero.
    #[error("its result is {value}, below zero")]
    Negative {
        /// The result.
        value: i128,
    },
    /// The value of a variable is not known.
    #[error("the value of {name} is not known")]
    NotKnown {
        /// The variable.
        name: &'static str,
    },
}

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula(Expression);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    Integer(i128),
    Variable(Variable),
    Times(Box<Self>, Box<Self>),
    Over(Box<Self>, Box<Self>),
    Call(Function, Vec<Self>),
    Log(Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Greatest,
    Least,
    Sum,
}

impl Formula {
    /// Reads a literal or a formula.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        parse::parse(text).map(Self)
    }

    /// Works out the value.
    ///
    /// # Errors
    ///
    /// A variable that is not known, a division by zero, or a result that is no count.
    pub fn evaluate(&self, variables: &Variables) -> Result<u64, FormulaError> {
        let value = self.0.integer(variables)?;
        if value < 0 {
            return Err(FormulaError::Negative { value });
        }
        u64::try_from(value).map_err(|_| FormulaError::TooLarge)
    }

    /// Says whether the value depends on a variable.
    #[must_use]
    pub fn uses(&self, variable: Variable) -> bool {
        self.0.uses(variable)
    }
}

impl Expression {
    fn uses(&self, variable: Variable) -> bool {
        match self {
            Self::Integer(_) => false,
            Self::Variable(this) => *this == variable,
            Self::Times(one, other) | Self::Over(one, other) => one.uses(variable) || other.uses(variable),
            Self::Call(_, arguments) => arguments.iter().any(|argument| argument.uses(variable)),
            Self::Log(inside) => inside.uses(variable),
        }
    }

    fn integer(&self, variables: &Variables) -> Result<i128, FormulaError> {
        match self {
            Self::Integer(value) => Ok(*value),
            Self::Variable(variable) => variables.value(*variable),
            Self::Times(one, other) => {
                one.integer(variables)?.checked_mul(other.integer(variables)?).ok_or(FormulaError::TooLarge)
            }
            Self::Over(one, other) => {
                let (one, other) = (one.integer(variables)?, other.integer(variables)?);
                one.checked_div(other).ok_or(FormulaError::DivisionByZero)
            }
            Self::Call(function, arguments) => function.of(arguments, variables),
            Self::Log(inside) => {
                let inside = inside.real(variables)?;
                if inside <= 0.0 {
                    return Err(FormulaError::Logarithm);
                }
                let rounded = inside.log2().round();
                let size = i128::from(whole(rounded.abs()));
                Ok(if rounded < 0.0 { -size } else { size })
            }
        }
    }

    /// The value with its decimals: what stands inside `log` is not truncated first, or `db.r5.large` would have 180
    /// connections instead of 1,000.
    fn real(&self, variables: &Variables) -> Result<f64, FormulaError> {
        match self {
            Self::Times(one, other) => Ok(one.real(variables)? * other.real(variables)?),
            Self::Over(one, other) => {
                let divisor = other.real(variables)?;
                if divisor == 0.0 {
                    return Err(FormulaError::DivisionByZero);
                }
                Ok(one.real(variables)? / divisor)
            }
            other => {
                let value = other.integer(variables)?;
                let size = float(u64::try_from(value.unsigned_abs()).map_err(|_| FormulaError::TooLarge)?);
                Ok(if value < 0 { -size } else { size })
            }
        }
    }
}

impl Function {
    fn of(self, arguments: &[Expression], variables: &Variables) -> Result<i128, FormulaError> {
        let mut result: Option<i128> = None;
        for argument in arguments {
            let value = argument.integer(variables)?;
            result = Some(match (self, result) {
                (_, None) => value,
                (Self::Greatest, Some(so_far)) => so_far.max(value),
                (Self::Least, Some(so_far)) => so_far.min(value),
                (Self::Sum, Some(so_far)) => so_far.checked_add(value).ok_or(FormulaError::TooLarge)?,
            });
        }
        result.ok_or(FormulaError::Empty)
    }
}
