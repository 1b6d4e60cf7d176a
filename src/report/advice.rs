//! Advice as text: the verdict first, then the arithmetic, then what it costs.

use advice::Advice;
use advice::figure::{Amount, Figure, Origin};
use advice::settings::Setting;
use advice::verdict::Kind;

use super::{layout, style};
use crate::plain::line;

/// Where the numbers begin.
const BESIDE: usize = 36;

/// Functions that are listed one by one; `--explain` lists all.
const MOST: usize = 8;

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
    super::table([head].into_iter().chain(all.iter().map(cells)))
}

/// A verdict in two or three words.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::NotNeeded => "is not needed",
        Kind::NotNeededIfLimited => "is not needed with limits",
        Kind::Helps => "helps",
        Kind::FailoverOnly => "helps for failover only",
        Kind::WillNotHelp => "will not help",
        Kind::Harmful => "costs more than it gives",
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
        let mut title = format!("  {}", line(title));
        if title.chars().count() >= BESIDE {
            // A long one stands alone, and the numbers below it.
            self.lines.push(std::mem::take(&mut title));
        }
        self.lines.extend(layout::row(&title, BESIDE, self.columns, |_| cells.to_vec()));
    }

    /// A number with its source.
    fn figure(&mut self, title: &str, figure: &Figure, amount: impl Fn(Amount) -> String) {
        let source = style::quiet(&format!("{}: {}", origin(figure), line(&figure.source)));
        self.row(title, &[amount(figure.amount), source]);
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
        self.list("What would change the answer", advice.verdict.changes.iter().map(ToString::to_string).collect());
    }

    fn connections(&mut self, advice: &Advice) {
        let (demand, supply) = (&advice.demand, &advice.supply);
        self.heading("Connections at the peak");
        if self.explain {
            return self.connections_explained(advice);
        }
        let both = |expected: &Figure, possible: &Figure| {
            format!("{} measured, {} possible", expected.amount, possible.amount)
        };
        for function in demand.functions.iter().filter(|_| demand.functions.len() <= MOST) {
            self.row(&function.function, &[both(&function.expected, &function.possible)]);
        }
        if demand.functions.len() != 1 {
            let all = format!("all {} functions", demand.functions.len());
            self.row(&all, &[both(&demand.expected, &demand.possible)]);
        }
        let reboot = if supply.pending_reboot { "; a reboot is pending, which may change it" } else { "" };
        let used = format!("{} used by other clients", supply.others.amount);
        self.row("max_connections", &[format!("{}, {used}{reboot}", supply.max_connections.amount)]);
        self.row("limit for the functions", &[supply.limit.amount.to_string()]);
        if let Some(allowed) = &supply.proxy_allows {
            self.row("allowed to the proxy", &[allowed.amount.to_string()]);
        }
    }

    fn connections_explained(&mut self, advice: &Advice) {
        let (demand, supply) = (&advice.demand, &advice.supply);
        for function in &demand.functions {
            self.lines.push(format!("  {}", line(&function.function)));
            for (title, figure) in [
                ("environments, measured", &function.expected_environments),
                ("environments, possible", &function.possible_environments),
                ("connections of each", &function.connections_per_environment),
                ("connections, measured", &function.expected),
                ("connections, possible", &function.possible),
                ("environments that keep up", &function.sustained),
                ("throttles in the worst minute", &function.throttles_per_minute),
                ("errors in the worst minute", &function.errors_per_minute),
            ] {
                self.figure(&format!("  {title}"), figure, plain);
            }
        }
        for (title, figure) in [
            ("all functions, measured", &demand.expected),
            ("all functions, possible", &demand.possible),
            ("max_connections", &supply.max_connections),
            ("used by other clients", &supply.others),
            ("kept for superusers", &supply.reserved),
            ("sessions of RDS itself", &supply.internal),
            ("left for the functions", &supply.usable),
            ("limit for the functions", &supply.limit),
            ("vCPUs", &supply.vcpus),
            ("served by the vCPUs in a pool", &supply.served),
            ("new environments a second", &demand.cold_starts_per_second),
        ] {
            self.figure(title, figure, plain);
        }
        self.figure("DBInstanceClassMemory in MiB", &supply.memory_bytes, |amount| plain(amount.map(|b| b >> 20)));
        if let Some(allowed) = &supply.proxy_allows {
            self.figure("allowed to the proxy", allowed, plain);
        }
    }

    fn pool(&mut self, advice: &Advice) {
        let (pool, settings) = (&advice.pool, &advice.settings);
        self.heading("Pool of a proxy");
        let all = [
            ("MaxConnectionsPercent", &settings.max_connections_percent, ""),
            ("MaxIdleConnectionsPercent", &settings.max_idle_connections_percent, ""),
            ("IdleClientTimeout", &settings.idle_client_timeout_seconds, " s"),
            ("ConnectionBorrowTimeout", &settings.connection_borrow_timeout_seconds, " s"),
        ];
        if !self.explain {
            if pool.connections.amount != Amount::Unknown {
                self.row("connections that it needs", &[pool.connections.amount.to_string()]);
            }
            let each = |(name, setting, unit): &(&str, &Setting, &str)| format!("{name} {}{unit}", setting.value);
            let (first, rest) = all.split_at(2);
            let pair = |pair: &[(&str, &Setting, &str)]| pair.iter().map(each).collect::<Vec<_>>().join(", ");
            return self.row("settings", &[pair(first), pair(rest)]);
        }
        self.figure("connections that it needs", &pool.connections, plain);
        self.figure("requests in the busiest minute", &pool.requests_per_minute, plain);
        self.figure("held on average, in microseconds", &pool.borrow_us, plain);
        self.figure("99th percentile of waits, in µs", &pool.wait_us, plain);
        for (name, setting, unit) in all {
            let mut cells = vec![format!("{}{unit}", setting.value)];
            cells.extend(setting.reasons.iter().map(|reason| line(reason).into_owned()));
            self.row(name, &cells);
        }
        self.row("init query", &[line(&settings.init_query).into_owned()]);
        let preset = &settings.preset;
        let fits = if preset.fits { "fits here" } else { "does not fit here" };
        let mut cells = vec![format!("the preset {} {fits}", preset.name)];
        cells.extend(preset.objections.iter().map(|why| line(why).into_owned()));
        self.row("preset", &cells);
    }

    fn cost(&mut self, advice: &Advice) {
        let cost = &advice.cost;
        self.heading("Cost a month");
        if !self.explain {
            self.row("the proxy", &[dollars(cost.monthly_cents.amount)]);
            self.row("the database", &[dollars(cost.database_monthly_cents.amount)]);
            self.row("the functions", &[dollars(cost.functions_monthly_cents.amount)]);
            for other in &cost.alternatives {
                self.row(&instead(&other.way), &[more(other.more_monthly_cents.amount)]);
            }
            return;
        }
        self.figure("the proxy", &cost.monthly_cents, dollars);
        for part in &cost.lines {
            self.figure(&part.what, &part.monthly_cents, dollars);
        }
        self.figure("the database", &cost.database_monthly_cents, dollars);
        self.figure("the functions", &cost.functions_monthly_cents, dollars);
        for other in &cost.alternatives {
            self.figure(&instead(&other.way), &other.more_monthly_cents, more);
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
        if !self.explain {
            if !items.is_empty() {
                let items: Vec<&str> = items.iter().map(|(what, _, _)| *what).collect();
                self.heading("Not known");
                self.prose(&format!("  {} (--explain says why)", items.join("; ")));
            }
            return;
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
    let one = advice::cost::dollars;
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

/// What else would do.
fn instead(way: &advice::cost::Way) -> String {
    use advice::cost::Way;
    match way {
        Way::LimitConcurrency => "instead: limited concurrency".to_owned(),
        Way::LargerClass { class: Some(class) } => format!("instead: {class}"),
        Way::LargerClass { class: None } => "instead: a larger class".to_owned(),
        Way::DataApi => "instead: the Data API".to_owned(),
    }
}

/// Cents as dollars that come on top of what is paid today.
fn more(amount: Amount) -> String {
    if amount == Amount::Unknown { dollars(amount) } else { format!("{} more", dollars(amount)) }
}

fn quantity(what: advice::quotas::Quantity) -> &'static str {
    use advice::quotas::Quantity;
    match what {
        Quantity::Proxies => "proxies in this Region",
        Quantity::SecretsPerProxy => "secrets of the proxy",
        Quantity::EndpointsPerProxy => "further endpoints of the proxy",
        Quantity::Concurrency => "possible concurrent executions",
    }
}
