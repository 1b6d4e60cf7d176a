//! Which variables step 13 leaves alone, as flags say it.

use std::fmt;

use super::{Checked, function, wrong};

/// A variable, of one function or of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableName {
    /// The function; `None`: every function.
    pub function: Option<String>,
    /// The variable.
    pub variable: String,
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => write!(f, "{function}:{}", self.variable),
            None => f.write_str(&self.variable),
        }
    }
}

/// The variables that flags named, or an earlier run's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// `--exclude-variable`: they stay as they are.
    pub excluded: Vec<VariableName>,
    /// `--include-variable`: they go to the proxy although their names ask for a direct connection.
    pub included: Vec<VariableName>,
}

/// Reads `--exclude-variable` and `--include-variable`.
///
/// # Errors
/// When a name cannot be a variable's, or both flags name the same.
pub fn variables(excluded: &[String], included: &[String]) -> Checked<Variables> {
    let read = |flag, texts: &[String]| -> Checked<Vec<VariableName>> {
        let mut names = texts.iter().map(|text| variable(flag, text)).collect::<Checked<Vec<_>>>()?;
        names.sort();
        names.dedup();
        Ok(names)
    };
    let both = Variables { excluded: read(EXCLUDE, excluded)?, included: read(INCLUDE, included)? };
    match both.included.iter().find(|name| both.excluded.contains(name)) {
        Some(name) => {
            let problem = "--exclude-variable names it, too";
            wrong(INCLUDE, &name.to_string(), problem, "Name each variable with one of the two flags.")
        }
        None => Ok(both),
    }
}

const EXCLUDE: &str = "--exclude-variable";
const INCLUDE: &str = "--include-variable";

/// Reads `NAME` or `FUNCTION:NAME`.
///
/// A variable's name begins with a letter, and holds letters, digits and underscores, two at least
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
///
/// # Errors
/// When it is neither.
pub fn variable(flag: &'static str, text: &str) -> Checked<VariableName> {
    const FORM: &str = "Give the variable's name, or FUNCTION:NAME for one function alone.";
    let (of, name) = match text.split_once(':') {
        Some((of, name)) => (Some(of), name),
        None => (None, text),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(allowed) {
        let problem = "a variable's name begins with a letter and holds letters, digits and underscores, two at least";
        return wrong(flag, text, problem, FORM);
    }
    let of = match of {
        Some(of) => match function(of) {
            Ok(of) => Some(of),
            Err(_) => return wrong(flag, text, "what stands before the colon is no function's name", FORM),
        },
        None => None,
    };
    Ok(VariableName { function: of, variable: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_named_alone_or_with_its_function() {
        for text in ["DIRECT_URL", "db_host", "orders-api:DIRECT_URL"] {
            assert_eq!(variable(EXCLUDE, text).unwrap().to_string(), text);
        }
        for text in ["", "A", "1A", "_A", "A-B", "A B", ":DB_HOST", "orders:", "a:b:DB_HOST", "a/b:DB_HOST"] {
            assert!(variable(EXCLUDE, text).is_err(), "{text}");
        }
        let same = ["DB_HOST".to_owned()];
        assert!(variables(&same, &same).is_err());
        assert!(variables(&same, &["orders:DB_HOST".to_owned()]).is_ok());
    }
}
