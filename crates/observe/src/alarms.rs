//! The alarms of a proxy: which there are, what each one watches, and how one differs from what it should be.

mod diff;
mod kinds;

pub use diff::{differences, threshold_of};
pub use kinds::{KINDS, Kind, KindInfo, Scope, Unit};

/// What alarms of this tool are named with, before the proxy's name. A name cannot be changed.
pub const PREFIX: &str = "rdsproxy-setup/";

/// The namespace of a proxy's metrics.
pub const NAMESPACE: &str = "AWS/RDS";

/// A metric alarm, as far as this tool has a say in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What it is for, in words.
    pub description: String,
    /// Its metrics and expressions.
    pub parts: Vec<Part>,
    /// `GreaterThanThreshold`, …
    pub comparison: String,
    /// What the value is compared with, where that is a number.
    pub threshold: Option<f64>,
    /// The part that is a band of expected values, where it is compared with one.
    pub band: Option<String>,
    /// How many of the newest points are looked at.
    pub evaluated: i32,
    /// How many of them must breach.
    pub needed: i32,
    /// What missing points count as: `missing`, `ignore`, `breaching`, `notBreaching`.
    pub missing: String,
    /// What is notified when it goes off, and when it is over.
    pub topics: Vec<String>,
}

/// A metric or an expression of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The name by which expressions refer to it.
    pub id: String,
    /// What it is.
    pub of: Of,
    /// Whether the alarm looks at it.
    pub shown: bool,
}

/// What a part of an alarm is.
#[derive(Debug, Clone, PartialEq)]
pub enum Of {
    /// A metric.
    Metric {
        /// `AWS/RDS`.
        namespace: String,
        /// `DatabaseConnections`.
        metric: String,
        /// Names and values, sorted.
        dimensions: Vec<(String, String)>,
        /// Seconds.
        period: i32,
        /// `Sum`, `Average`.
        statistic: String,
    },
    /// An expression.
    Expression {
        /// `100 * m1 / m2`.
        text: String,
        /// What it is called on a graph.
        label: String,
    },
}

/// The proxy that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its name, which is the stack's.
    pub proxy: String,
    /// How the dimension `TargetRole` spells the writer's role: `READWRITE` or `READ_WRITE`; none while no metric
    /// shows it.
    pub writer_role: Option<String>,
    /// Whether several instances are behind it.
    pub cluster: bool,
    /// Whether clients must use TLS.
    pub requires_tls: bool,
    /// Whether it speaks PostgreSQL.
    pub postgresql: bool,
}

/// Whether a proxy gets an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// It does.
    Yes(Alarm),
    /// It will, once this is known.
    Later(&'static str),
    /// It has no use for it.
    No(&'static str),
}

/// The beginning of the names of a stack's alarms.
#[must_use]
pub fn prefix(stack: &str) -> String {
    format!("{PREFIX}{stack}/")
}

/// How AWS spells the writer's role in the dimension `TargetRole`, out of the values that there are: its pages say
/// `READ_WRITE` and `READWRITE` (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
pub fn writer_role<'values>(values: impl IntoIterator<Item = &'values str>) -> Option<&'values str> {
    values.into_iter().find(|value| value.chars().filter(char::is_ascii_alphabetic).collect::<String>() == "READWRITE")
}

impl Watched {
    /// The alarm of a kind, with a threshold of the caller's or its own.
    #[must_use]
    pub fn alarm(&self, kind: Kind, threshold: Option<f64>, topics: &[String]) -> Wanted {
        let info = kind.info();
        let scope = match (info.scope, self.cluster) {
            // One instance is all that there is to the proxy, and needs no role.
            (Scope::Writer, false) => Scope::Proxy,
            (scope, _) => scope,
        };
        match kind {
            Kind::WithoutTls if !self.requires_tls => return Wanted::No("the proxy lets clients in without TLS"),
            Kind::QueryGrowth if self.postgresql => {
                return Wanted::No("RDS Proxy does not count the queries of PostgreSQL's usual protocol");
            }
            _ => {}
        }
        let mut dimensions = vec![("ProxyName".to_owned(), self.proxy.clone())];
        if scope != Scope::Proxy {
            let Some(role) = &self.writer_role else {
                return Wanted::Later("CloudWatch shows no metric of the target's role yet");
            };
            dimensions.push(("TargetGroup".to_owned(), "default".to_owned()));
            dimensions.push(("TargetRole".to_owned(), role.clone()));
        }
        let threshold = threshold.unwrap_or(info.threshold);
        let metric = |place: usize, name: &str, shown: bool| Part {
            id: format!("m{place}"),
            of: Of::Metric {
                namespace: NAMESPACE.to_owned(),
                metric: name.to_owned(),
                dimensions: dimensions.clone(),
                period: info.period,
                statistic: info.statistic.to_owned(),
            },
            shown,
        };
        let banded = info.unit == Unit::Deviations;
        let alone = info.expression.is_none();
        let mut parts: Vec<Part> =
            (1..).zip(info.metrics).map(|(place, name)| metric(place, name, alone || banded)).collect();
        let expression = if banded {
            Some(("band", format!("ANOMALY_DETECTION_BAND(m1, {threshold})"), "what is expected"))
        } else {
            info.expression.map(|text| ("e1", text.to_owned(), info.title))
        };
        parts.extend(expression.map(|(id, text, label)| Part {
            id: id.to_owned(),
            of: Of::Expression { text, label: label.to_owned() },
            shown: true,
        }));
        Wanted::Yes(Alarm {
            name: format!("{}{}", prefix(&self.proxy), info.key),
            description: format!("{} {}", info.meaning, info.then),
            parts,
            comparison: info.comparison.to_owned(),
            threshold: (!banded).then(|| threshold * info.unit.factor()),
            band: banded.then(|| "band".to_owned()),
            evaluated: info.evaluated,
            needed: info.needed,
            missing: info.missing.to_owned(),
            topics: topics.to_vec(),
        })
    }
}

/// How many metrics CloudWatch bills for an alarm: each metric of an expression, and three for one with a band
/// (<https://aws.amazon.com/cloudwatch/pricing/>).
#[must_use]
pub fn billed(alarm: &Alarm) -> usize {
    let metrics = alarm.parts.iter().filter(|part| matches!(part.of, Of::Metric { .. })).count();
    if alarm.band.is_some() { metrics * 3 } else { metrics }
}

#[cfg(test)]
mod tests;
