//! AWS's examples and tables, and texts that are no formulas.

use proptest::prelude::*;

use super::{Formula, FormulaError, Variable, Variables};
use crate::engine::{AURORA_MYSQL, MARIADB, MYSQL, POSTGRESQL};

const GIB: u64 = 1 << 30;

fn with_memory(bytes: u64) -> Variables {
    Variables { memory_bytes: Some(bytes), ..Variables::default() }
}

fn value(text: &str, variables: &Variables) -> Result<u64, FormulaError> {
    Formula::parse(text)?.evaluate(variables)
}

/// "Specifying DB parameters", "DB parameter value examples" and "log expressions".
#[test]
fn examples_of_the_user_guide() {
    let memory = with_memory(8 * GIB);
    assert_eq!(value("GREATEST({DBInstanceClassMemory/9868951},80)", &memory), Ok(870));
    assert_eq!(value("GREATEST({DBInstanceClassMemory/9868951},80)", &with_memory(1000)), Ok(80));
    assert_eq!(value("LEAST({DBInstanceClassMemory/256},10485760)", &memory), Ok(10_485_760));
    assert_eq!(value("{DBInstanceClassMemory*3/4}", &memory), Ok(6 * GIB));
    assert_eq!(value("SUM({DBInstanceClassMemory/12038},-50003)", &memory), Ok(663_565));
    // Aurora User Guide: log( (30.5 * 1073741824) / 8187281408 ) * 1000 = 2000.
    let memory = with_memory(61 * GIB / 2);
    assert_eq!(value("{log(DBInstanceClassMemory/8187281408)*1000}", &memory), Ok(2000));
    assert_eq!(value("{log(DBInstanceClassMemory/8187281418)*1000}", &memory), Ok(2000));
}

/// The blog "Best practices for Amazon Aurora MySQL database configuration": 15.25 GiB give 1,000.
#[test]
fn example_of_the_aurora_blog() {
    assert_eq!(value(AURORA_MYSQL, &with_memory(16_374_562_816)), Ok(1000));
}

#[test]
fn defaults() {
    let memory = with_memory(16 * GIB);
    assert_eq!(value(MYSQL, &memory), Ok(1365));
    assert_eq!(value(MARIADB, &memory), Ok(682));
    assert_eq!(value(POSTGRESQL, &memory), Ok(1802));
    assert_eq!(value(POSTGRESQL, &with_memory(u64::MAX)), Ok(5000));
    assert_eq!(value(MARIADB, &with_memory(u64::MAX)), Ok(12_000));
}

#[test]
fn other_variables_and_spelling() {
    let variables = Variables {
        memory_bytes: Some(GIB),
        vcpus: Some(2),
        storage_bytes: Some(20 * GIB),
        port: Some(3306),
        replica: Some(true),
    };
    assert_eq!(value(" least ( { DBInstanceVCPU * 100 } , 500 ) ", &variables), Ok(200));
    assert_eq!(value("{AllocatedStorage/1073741824}", &variables), Ok(20));
    assert_eq!(value("{EndPointPort}", &variables), Ok(3306));
    assert_eq!(value("{TrueIfReplica}", &variables), Ok(1));
    assert_eq!(value("SUM(GREATEST({DBInstanceVCPU*10},7),LEAST(1,2),3)", &variables), Ok(24));
    assert_eq!(value("1000", &Variables::default()), Ok(1000));
    // Decimals are truncated at each step.
    assert_eq!(value("{DBInstanceVCPU/3*300}", &variables), Ok(0));
}

#[test]
fn errors_say_what_is_wrong() {
    let none = Variables::default();
    let say = |text: &str| value(text, &none).unwrap_err().to_string();
    assert_eq!(say(""), "the formula is empty");
    assert_eq!(say("  "), "the formula is empty");
    assert_eq!(
        say("DBInstanceClassMemory/2"),
        "DBInstanceClassMemory stands outside braces: write {DBInstanceClassMemory}"
    );
    assert_eq!(
        say("{dbinstanceclassmemory}"),
        "no variable or function is named dbinstanceclassmemory (names of variables are case-sensitive)"
    );
    assert_eq!(say("LEAST(1,,2)"), "expected a number, a formula in braces, or a function at character 9, found `,`");
    assert_eq!(say("LEAST()"), "expected a number, a formula in braces, or a function at character 7, found `)`");
    assert_eq!(say("{1"), "expected `}`, `*` or `/` at character 3, found the end");
    assert_eq!(say("5 5"), "expected the end, `*` or `/` at character 3, found `5`");
    assert_eq!(
        say("\"{DBInstanceVCPU} > 2\""),
        "expected a number, a formula in braces, or a function at character 1, found `\"`"
    );
    assert_eq!(say("{DBInstanceVCPU} > 2"), "it is a comparison, which is true or false and no number");
    assert_eq!(say("{1/0}"), "it divides by zero");
    assert_eq!(say("{log(0)}"), "it takes the logarithm of zero or less");
    assert_eq!(say("SUM(1,-2)"), "its result is -1, below zero");
    assert_eq!(say("{DBInstanceVCPU}"), "the value of DBInstanceVCPU is not known");
    assert_eq!(say("99999999999999999999999"), "a number in it is too large");
    assert_eq!(say(&"9".repeat(5000)), "the formula has more than 4096 characters");
    assert_eq!(say(&"{".repeat(1000)), "the formula is nested more than 32 levels deep");
    assert_eq!(say(&format!("1{}", "*1".repeat(1000))), "the formula is nested more than 32 levels deep");
    assert_eq!(
        say("IF({DBInstanceClassHugePagesDefault}, 1, 2)"),
        "no variable or function is named IF (names of variables are case-sensitive)"
    );
}

#[test]
fn knows_what_it_depends_on() {
    let formula = Formula::parse(AURORA_MYSQL).unwrap();
    assert!(formula.uses(Variable::DbInstanceClassMemory));
    assert!(!formula.uses(Variable::DbInstanceVcpu));
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), memory in any::<Option<u64>>(), vcpus in any::<Option<u64>>()) {
        let variables = Variables { memory_bytes: memory, vcpus, ..Variables::default() };
        let _ = value(&text, &variables);
    }

    #[test]
    fn no_likely_text_panics(
        text in "([{}(),*/+-]|LEAST|GREATEST|SUM|log|DBInstanceClassMemory|DBInstanceVCPU|[0-9]{1,20}| ){0,60}",
        memory in any::<u64>(),
        vcpus in any::<u64>(),
    ) {
        let variables = Variables { memory_bytes: Some(memory), vcpus: Some(vcpus), ..Variables::default() };
        if let Err(error) = value(&text, &variables) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    /// More memory never means fewer connections, for every default.
    #[test]
    fn defaults_grow_with_memory(one in 1u64..1 << 45, other in 1u64..1 << 45) {
        let (less, more) = (one.min(other), one.max(other));
        for formula in [MYSQL, MARIADB, POSTGRESQL] {
            prop_assert!(value(formula, &with_memory(less))? <= value(formula, &with_memory(more))?);
        }
        // Below 1.5 GiB, Aurora MySQL's formula is not positive.
        let (less, more) = (less.max(2 * GIB), more.max(2 * GIB));
        prop_assert!(value(AURORA_MYSQL, &with_memory(less))? <= value(AURORA_MYSQL, &with_memory(more))?);
    }

    #[test]
    fn a_literal_is_itself(number in any::<u64>()) {
        prop_assert_eq!(value(&number.to_string(), &Variables::default()), Ok(number));
    }
}
