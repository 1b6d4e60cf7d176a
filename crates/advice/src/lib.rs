//! Whether an RDS Proxy helps, how large its pool is, and what it costs.
//!
//! [`advise`] is one function from [`Facts`], which somebody else reads, to [`Advice`]. Nothing here reads an account,
//! a file or a clock. Every number of the answer is a [`Figure`](figure::Figure) that says where it is from, and what
//! is not known stays unknown.

pub mod cost;
pub mod demand;
pub mod engine;
pub mod facts;
pub mod figure;
pub mod formula;
pub mod logins;
mod num;
pub mod queue;
pub mod quotas;
pub mod settings;
pub mod supply;
pub mod verdict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use facts::Facts;

/// Everything that follows from the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// The database.
    pub database: String,
    /// The Region.
    pub region: String,
    /// Whether a proxy helps, and why.
    pub verdict: verdict::Verdict,
    /// What the functions ask for.
    pub demand: demand::Demand,
    /// What the database takes.
    pub supply: supply::Supply,
    /// The pool that the load needs, as a queue.
    pub pool: queue::Pool,
    /// The pool's settings.
    pub settings: settings::Settings,
    /// What a proxy costs, and what else would do.
    pub cost: cost::Cost,
    /// What AWS allows, and how much of it is used.
    pub quotas: Vec<quotas::Quota>,
    /// Log-ins with IAM.
    pub logins: logins::Logins,
    /// What could not be read, and why.
    pub gaps: Vec<figure::Gap>,
}

/// Works out what follows from the facts.
#[must_use]
pub fn advise(facts: &Facts) -> Advice {
    let (demand, mut gaps) = demand::of(facts);
    let mut more = |found: Vec<figure::Gap>| gaps.extend(found);
    let (supply, found) = supply::of(facts);
    more(found);
    let (pool, found) = queue::of(facts, &demand);
    more(found);
    let (cost, found) = cost::of(facts);
    more(found);
    more(facts.gaps.clone());
    gaps.sort();
    gaps.dedup();
    let settings = settings::of(facts, &demand, &supply, &pool);
    let logins = logins::of(facts, &demand.cold_starts_per_second);
    let verdict = verdict::of(&verdict::Parts {
        facts,
        demand: &demand,
        supply: &supply,
        pool: &pool,
        cost: &cost,
        logins: &logins,
        gaps: &gaps,
    });
    let cost = cost::with_alternatives(cost, facts, &verdict);
    let quotas = quotas::of(facts, &demand.environments);
    Advice {
        database: facts.database.name.clone(),
        region: facts.region.clone(),
        verdict,
        demand,
        supply,
        pool,
        settings,
        cost,
        quotas,
        logins,
        gaps,
    }
}
