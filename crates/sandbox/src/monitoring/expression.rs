//! Metric math: arithmetic on series and numbers.
//!
//! Of <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html> there are `+ - * / ^`, brackets,
//! `FILL(series, number)`, `SUM`, `MAX`, `MIN` and `AVG` of lists and series, `ABS`, `CEIL` and `FLOOR`. Points without
//! a counterpart at the same moment are left out.

use std::collections::BTreeMap;

/// A number, or a value for each moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    Number(f64),
    Series(BTreeMap<i64, f64>),
    List(Vec<Term>),
}

/// What an expression comes to; an error is a sentence.
pub(super) fn evaluate(text: &str, ids: &BTreeMap<String, BTreeMap<i64, f64>>) -> Result<Term, String> {
    let mut reader = Reader { rest: text.trim_start(), ids };
    let term = reader.sum()?;
    if reader.rest.trim().is_empty() { Ok(term) } else { Err(format!("Unexpected text: {}", reader.rest)) }
}

/// The ids that an expression names.
pub(super) fn names(text: &str) -> Vec<&str> {
    let words = text.split(|each: char| !(each.is_ascii_alphanumeric() || each == '_'));
    words.filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase())).collect()
}

struct Reader<'text> {
    rest: &'text str,
    ids: &'text BTreeMap<String, BTreeMap<i64, f64>>,
}

impl Reader<'_> {
    fn eats(&mut self, token: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn sum(&mut self) -> Result<Term, String> {
        let mut term = self.product()?;
        loop {
            if self.eats('+') {
                term = combined(term, self.product()?, |one, other| one + other)?;
            } else if self.eats('-') {
                term = combined(term, self.product()?, |one, other| one - other)?;
            } else {
                return Ok(term);
            }
        }
    }

    fn product(&mut self) -> Result<Term, String> {
        let mut term = self.power()?;
        loop {
            if self.eats('*') {
                term = combined(term, self.power()?, |one, other| one * other)?;
            } else if self.eats('/') {
                term = combined(term, self.power()?, |one, other| one / other)?;
            } else {
                return Ok(term);
            }
        }
    }

    fn power(&mut self) -> Result<Term, String> {
        let term = self.operand()?;
        if self.eats('^') { combined(term, self.power()?, f64::powf) } else { Ok(term) }
    }

    fn operand(&mut self) -> Result<Term, String> {
        if self.eats('-') {
            return combined(Term::Number(0.0), self.operand()?, |one, other| one - other);
        }
        if self.eats('(') {
            let term = self.sum()?;
            return if self.eats(')') { Ok(term) } else { Err("A bracket is not closed.".to_owned()) };
        }
        if self.eats('[') {
            return self.list(']').map(Term::List);
        }
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|each: char| !(each.is_ascii_alphanumeric() || "_.".contains(each)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if let Ok(number) = word.parse() {
            return Ok(Term::Number(number));
        }
        if word.starts_with(|first: char| first.is_ascii_uppercase()) && self.eats('(') {
            let given = self.list(')')?;
            return function(word, given);
        }
        self.ids.get(word).cloned().map(Term::Series).ok_or_else(|| format!("There is no metric with the id {word}."))
    }

    fn list(&mut self, close: char) -> Result<Vec<Term>, String> {
        let mut terms = vec![self.sum()?];
        while self.eats(',') {
            terms.push(self.sum()?);
        }
        if self.eats(close) { Ok(terms) } else { Err("A bracket is not closed.".to_owned()) }
    }
}

fn function(name: &str, given: Vec<Term>) -> Result<Term, String> {
    let mut given = given.into_iter();
    let (first, second) = (given.next(), given.next());
    let over = |fold: fn(&[f64]) -> f64, term: Term| match term {
        Term::List(terms) => {
            let series: Vec<BTreeMap<i64, f64>> = terms
                .into_iter()
                .filter_map(|term| if let Term::Series(series) = term { Some(series) } else { None })
                .collect();
            let moments: std::collections::BTreeSet<i64> =
                series.iter().flat_map(|each| each.keys().copied()).collect();
            let at = |moment: &i64| series.iter().filter_map(|each| each.get(moment).copied()).collect::<Vec<f64>>();
            Term::Series(moments.iter().map(|moment| (*moment, fold(&at(moment)))).collect())
        }
        Term::Series(series) => Term::Number(fold(&series.into_values().collect::<Vec<f64>>())),
        number @ Term::Number(_) => number,
    };
    match (name, first, second) {
        ("FILL", Some(Term::Series(series)), Some(Term::Number(number))) => Ok(filled(series, number)),
        ("SUM", Some(term), None) => Ok(over(|values| values.iter().sum(), term)),
        ("MAX", Some(term), None) => Ok(over(|values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max), term)),
        ("MIN", Some(term), None) => Ok(over(|values| values.iter().copied().fold(f64::INFINITY, f64::min), term)),
        ("AVG", Some(term), None) => Ok(over(mean, term)),
        ("ABS", Some(term), None) => combined(term, Term::Number(0.0), |one, _| one.abs()),
        ("CEIL", Some(term), None) => combined(term, Term::Number(0.0), |one, _| one.ceil()),
        ("FLOOR", Some(term), None) => combined(term, Term::Number(0.0), |one, _| one.floor()),
        _ => Err(format!("The function {name} is not known with these arguments.")),
    }
}

fn mean(values: &[f64]) -> f64 {
    let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    if count > 0.0 { values.iter().sum::<f64>() / count } else { 0.0 }
}

/// With a number for every moment between the first and the last that has none, at the smallest step that there is.
fn filled(mut series: BTreeMap<i64, f64>, number: f64) -> Term {
    let moments: Vec<i64> = series.keys().copied().collect();
    let step = moments.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).min();
    if let (Some(step), Some(first), Some(last)) = (step, moments.first(), moments.last()) {
        let mut at = *first;
        while at < *last {
            series.entry(at).or_insert(number);
            at += step;
        }
    }
    Term::Series(series)
}

/// Two terms, moment by moment; what has no finite value (a division by zero) is left out.
fn combined(one: Term, other: Term, with: impl Fn(f64, f64) -> f64) -> Result<Term, String> {
    let finite = |value: f64| value.is_finite().then_some(value);
    match (one, other) {
        (Term::Number(one), Term::Number(other)) => {
            finite(with(one, other)).map(Term::Number).ok_or_else(|| "A number is divided by zero.".to_owned())
        }
        (Term::Series(one), Term::Number(other)) => Ok(Term::Series(
            one.into_iter().filter_map(|(at, value)| Some((at, finite(with(value, other))?))).collect(),
        )),
        (Term::Number(one), Term::Series(other)) => Ok(Term::Series(
            other.into_iter().filter_map(|(at, value)| Some((at, finite(with(one, value))?))).collect(),
        )),
        (Term::Series(one), Term::Series(other)) => Ok(Term::Series(
            one.into_iter().filter_map(|(at, value)| Some((at, finite(with(value, *other.get(&at)?))?))).collect(),
        )),
        _ => Err("A list of series stands where one series or a number belongs.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> BTreeMap<String, BTreeMap<i64, f64>> {
        let series = |values: &[(i64, f64)]| values.iter().copied().collect();
        BTreeMap::from([
            ("m1".to_owned(), series(&[(0, 10.0), (60, 20.0), (120, 30.0)])),
            ("m2".to_owned(), series(&[(0, 2.0), (120, 0.0)])),
        ])
    }

    fn series(text: &str) -> Vec<(i64, f64)> {
        match evaluate(text, &ids()) {
            Ok(Term::Series(series)) => series.into_iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arithmetic_is_done_moment_by_moment_and_in_the_usual_order() {
        assert_eq!(series("100*(m1/m2)"), [(0, 500.0)]);
        assert_eq!(series("m1 - 2 * 3 ^ 2"), [(0, -8.0), (60, 2.0), (120, 12.0)]);
        assert_eq!(series("m1 / FILL(m1, 0) * -1"), [(0, -1.0), (60, -1.0), (120, -1.0)]);
        assert_eq!(series("FILL(m2, 1)"), [(0, 2.0), (120, 0.0)]);
        assert_eq!(series("SUM([m1, m2])"), [(0, 12.0), (60, 20.0), (120, 30.0)]);
        assert_eq!(evaluate("MAX(m1)", &ids()), Ok(Term::Number(30.0)));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "m1 +", "(m1", "m3", "SEARCH('x', 'Sum', 60)", "m1 m2", "NO(m1)"] {
            assert!(evaluate(text, &ids()).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_the_words_that_begin_with_a_small_letter() {
        assert_eq!(names("100*(m1/SUM([m2, b_3]))"), ["m1", "m2", "b_3"]);
    }
}
