//! Advice as text: the verdict first, then the arithmetic, then what it costs.

use advice::Advice;
use advice::figure::{Amount, Figure, Origin};
use advice::verdict::{Kind, Limit, Place};

use super::{layout, style};
use crate::plain::line;
use crate::shell::quoted;

/// Where the numbers begin.
const BESIDE: usize = 36;

/// One row for each database, those first that need something most.
#[must_use]
pub fn ranking(all: &[Advice]) -> String {
    let peak = |figure: &Figure| figure.amount.to_string();
    let cells = |advice: &Advice| {
        [
            advice.database.clone(),
            kind(advice.verdict.kind).to_owned(),
            peak(&advice.demand.expected),
            peak(&advice.demand.possible),
            peak(&advice.supply.limit),
            dollars(advice.cost.monthly_cents.amount),
        ]
    };
    let head = ["database", "a proxy", "measured peak", "possible peak", "limit", "cost a month"].map(str::to_owned);
    let rows: Vec<[String; 6]> = [head].into_iter().chain(all.iter().map(cells)).collect();
    let width = |place: usize| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let row = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:<width$}", line(cell)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// A verdict in two or three words.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::NotNeeded => "is not needed",
        Kind::NotNeededIfLimited => "is not needed with limits",
        Kind::Helps => "helps",
        Kind::FailoverOnly => "helps for failover only",
        Kind::WillNotHelp => "will not help",
        Kind::Harmful => "does harm",
        Kind::CannotTell => "not known",
    }
}

/// A screen of it; with `explain`, each number with its source.
#[must_use]
pub fn advice(advice: &Advice, explain: bool) -> String {
    let mut page = Page { lines: Vec::new(), explain, columns: layout::columns() };
    page.prose(&advice.verdict.sentence);
    page.why(advice);
    page.connections(advice);
    page.pool(advice);
    page.cost(advice);
    page.limits(advice);
    page.gaps(advice);
    page.lines.join("\n")
}

/// The command that sets a limit.
#[must_use]
pub fn limit_command(limit: &Limit, region: &str) -> String {
    match &limit.place {
        Place::ReservedConcurrency => format!(
            "aws lambda put-function-concurrency --function-name {} --reserved-concurrent-executions {} --region {region}",
            quoted(&limit.function),
            limit.value
        ),
        Place::SqsMaximumConcurrency { uuid } => format!(
            "aws lambda update-event-source-mapping --uuid {} --scaling-config MaximumConcurrency={} --region {region}",
            quoted(uuid),
            limit.value
        ),
    }
}

struct Page {
    lines: Vec<String>,
    explain: bool,
    columns: Option<usize>,
}

impl Page {
    fn prose(&mut self, text: &str) {
        self.lines.push(layout::sentence(&line(text)));
    }

    fn heading(&mut self, text: &str) {
        self.lines.push(String::new());
        self.lines.push(text.to_owned());
    }

    fn row(&mut self, title: &str, cells: &[String]) {
        let rows = layout::row(&format!("  {}", line(title)), BESIDE, self.columns, |_| cells.to_vec());
        self.lines.extend(rows);
    }

    /// A number, with its source where that was asked for.
    fn figure(&mut self, title: &str, figure: &Figure, amount: impl Fn(Amount) -> String) {
        let mut cells = vec![amount(figure.amount)];
        if figure.origin == Origin::Unknown && !self.explain {
            cells[0] = format!("unknown: {}", line(&figure.source));
        }
        if self.explain {
            cells.push(style::quiet(&format!("{}: {}", origin(figure), line(&figure.source))));
        }
        self.row(title, &cells);
    }

    fn list(&mut self, heading: &str, items: Vec<String>) {
        if items.is_empty() {
            return;
        }
        self.heading(heading);
        for item in items {
            self.prose(&format!("  - {item}"));
        }
    }

    fn why(&mut self, advice: &Advice) {
        self.list("Why", advice.verdict.reasons.iter().map(ToString::to_string).collect());
        self.list("What would change this", advice.verdict.changes.iter().map(ToString::to_string).collect());
    }

    fn connections(&mut self, advice: &Advice) {
        let (demand, supply) = (&advice.demand, &advice.supply);
        self.heading("Connections");
        for function in &demand.functions {
            let name = &function.function;
            self.figure(&format!("{name}, measured peak"), &function.expected, plain);
            self.figure(&format!("{name}, possible peak"), &function.possible, plain);
        }
        self.figure("all functions, measured peak", &demand.expected, plain);
        self.figure("all functions, possible peak", &demand.possible, plain);
        self.figure("max_connections", &supply.max_connections, plain);
        if supply.pending_reboot {
            self.row("", &["a parameter group waits for a reboot, which may change it".to_owned()]);
        }
        self.figure("of other clients", &supply.others, plain);
        self.figure("left for the functions", &supply.usable, plain);
        self.figure("of which at most in use", &supply.limit, plain);
        if self.explain {
            self.figure("kept for superusers", &supply.reserved, plain);
            self.figure("sessions of RDS itself", &supply.internal, plain);
            self.figure("DBInstanceClassMemory in bytes", &supply.memory_bytes, plain);
            self.figure("vCPUs", &supply.vcpus, plain);
            self.figure("new environments a second", &demand.cold_starts_per_second, plain);
        }
        if let Some(allowed) = &supply.proxy_allows {
            self.figure("allowed to the proxy", allowed, plain);
        }
        self.figure("served by the vCPUs in a pool", &supply.served, plain);
    }

    fn pool(&mut self, advice: &Advice) {
        let (pool, settings) = (&advice.pool, &advice.settings);
        self.heading("Pool");
        self.figure("connections that the load needs", &pool.connections, plain);
        if self.explain {
            self.figure("requests in the busiest minute", &pool.requests_per_minute, plain);
            self.figure("held on average, in microseconds", &pool.borrow_us, plain);
            self.figure("99th percentile of waits, in µs", &pool.wait_us, plain);
        }
        for (name, setting) in [
            ("MaxConnectionsPercent", &settings.max_connections_percent),
            ("MaxIdleConnectionsPercent", &settings.max_idle_connections_percent),
            ("IdleClientTimeout", &settings.idle_client_timeout_seconds),
            ("ConnectionBorrowTimeout", &settings.connection_borrow_timeout_seconds),
        ] {
            let mut cells = vec![setting.value.to_string()];
            let reasons = setting.reasons.iter().map(|reason| line(reason).into_owned());
            if self.explain {
                cells.extend(reasons);
            } else if let Some(first) = reasons.into_iter().next() {
                cells[0].push_str(&format!("  {first}"));
            }
            self.row(name, &cells);
        }
        if self.explain {
            self.row("init query", &[line(&settings.init_query).into_owned()]);
            let preset = &settings.preset;
            let fits = if preset.fits { "fits here" } else { "does not fit here" };
            let mut cells = vec![format!("the preset {} {fits}", preset.name)];
            cells.extend(preset.objections.iter().map(|why| line(why).into_owned()));
            self.row("preset", &cells);
        }
    }

    fn cost(&mut self, advice: &Advice) {
        let cost = &advice.cost;
        self.heading("Cost a month");
        self.figure("the proxy", &cost.monthly_cents, dollars);
        for part in &cost.lines {
            if self.explain || cost.lines.len() > 1 {
                self.figure(&format!("  {}", part.what), &part.monthly_cents, dollars);
            }
        }
        self.figure("the database", &cost.database_monthly_cents, dollars);
        if self.explain {
            self.figure("the functions", &cost.functions_monthly_cents, dollars);
        }
        for other in &cost.alternatives {
            self.figure(&format!("instead: {}", way(&other.way)), &other.more_monthly_cents, dollars);
        }
    }

    fn limits(&mut self, advice: &Advice) {
        let tight = advice.quotas.iter().filter(|quota| self.explain || quota.fits == Some(false));
        let rows: Vec<(String, String)> = tight
            .map(|quota| {
                let fits = if quota.fits == Some(false) { "; one more does not fit" } else { "" };
                let source = if self.explain { format!(" ({})", line(&quota.limit.source)) } else { String::new() };
                (
                    quantity(quota.what).to_owned(),
                    format!("{} of {}{fits}{source}", quota.used.amount, quota.limit.amount),
                )
            })
            .collect();
        let logins = self.explain || advice.logins.fits == Some(false);
        if rows.is_empty() && !logins {
            return;
        }
        self.heading("Limits");
        for (title, cell) in rows {
            self.row(&title, &[cell]);
        }
        if logins {
            self.row("IAM log-ins a second", &[line(&advice.logins.advice).into_owned()]);
        }
    }

    fn gaps(&mut self, advice: &Advice) {
        // What is missing of several functions for one reason is one item.
        let mut items: Vec<(&str, Vec<&str>, &str)> = Vec::new();
        for gap in &advice.gaps {
            let (what, of) =
                gap.what.split_once(" of function ").map_or((gap.what.as_str(), None), |(what, of)| (what, Some(of)));
            match items.iter_mut().find(|(other, _, why)| *other == what && *why == gap.why) {
                Some((_, functions, _)) => functions.extend(of),
                None => items.push((what, of.into_iter().collect(), &gap.why)),
            }
        }
        let item = |(what, functions, why): (&str, Vec<&str>, &str)| {
            let of = if functions.is_empty() { String::new() } else { format!(" ({})", functions.join(", ")) };
            format!("{}{}: {}", line(what), line(&of), line(why))
        };
        self.list("Not known", items.into_iter().map(item).collect());
    }
}

fn plain(amount: Amount) -> String {
    amount.to_string()
}

/// Cents as dollars.
fn dollars(amount: Amount) -> String {
    let one = |cents: u64| format!("${}.{:02}", cents / 100, cents % 100);
    match (amount.low(), amount.high()) {
        (Some(low), Some(high)) if low == high => one(low),
        (Some(low), Some(high)) => format!("{} to {}", one(low), one(high)),
        (Some(low), None) => format!("{} or more", one(low)),
        (None, _) => "unknown".to_owned(),
    }
}

fn origin(figure: &Figure) -> &'static str {
    match figure.origin {
        Origin::Measured => "measured",
        Origin::Configured => "configured",
        Origin::EngineDefault => "engine default",
        Origin::AwsTable => "published by AWS",
        Origin::Stated => "stated",
        Origin::Assumed => "assumed",
        Origin::Derived => "worked out",
        Origin::Unknown => "unknown",
    }
}

fn way(way: &advice::cost::Way) -> String {
    use advice::cost::Way;
    match way {
        Way::LimitConcurrency => "limited concurrency".to_owned(),
        Way::LargerClass { class } => format!("the class {class}"),
        Way::DataApi => "the Data API".to_owned(),
    }
}

fn quantity(what: advice::quotas::Quantity) -> &'static str {
    use advice::quotas::Quantity;
    match what {
        Quantity::Proxies => "proxies in this Region",
        Quantity::SecretsPerProxy => "secrets of the proxy",
        Quantity::EndpointsPerProxy => "further endpoints of the proxy",
        Quantity::Concurrency => "concurrent executions",
    }
}
