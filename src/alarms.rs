//! What watches a proxy: its alarms and its dashboard, read, compared and carried out.

use observe::alarms::{Watched, writer_role};

use crate::cloud::rds::{EngineFamily, TargetKind};
use crate::cloud::{Cloud, Owner};
use crate::discover::Problem;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::resources::alarms::{Existing, Plan, Settings, carry_out};
use crate::resources::proxy;
use crate::spec::DatabaseRef;

/// What the account shows.
#[derive(Debug, Clone)]
pub struct Look {
    seen: Existing,
    watched: Watched,
    region: String,
    arn: String,
}

impl Look {
    /// Reads the proxy, its target and its alarms.
    ///
    /// # Errors
    /// When AWS refuses, or the proxy is not there, has no target, or serves another database.
    pub async fn read(cloud: &Cloud, owner: &Owner, database: &DatabaseRef) -> Result<Self, Problem> {
        let stack = &owner.stack;
        let (found, seen, roles, identity) = tokio::join!(
            proxy::observe(cloud, stack, None),
            Existing::read(cloud, owner),
            cloud.alarms.roles(stack),
            cloud.sts.identity(),
        );
        let doing = format!("looking at the proxy ({stack})");
        let found = found.map_err(Problem::refused(doing.as_str()))?;
        let Some(found) = found.present() else {
            return Err(Problem::unfit(
                format!("{doing}: there is none"),
                [format!("Create it first: rdsproxy-setup up --db {}", database.id)],
            ));
        };
        let rows = cloud.rds.targets(stack).await.map_err(Problem::refused("reading the proxy's target"))?;
        let of = |kind| rows.iter().find(|row| row.kind == kind);
        let cluster = of(TargetKind::Cluster);
        let Some(target) = cluster.or_else(|| of(TargetKind::Instance)) else {
            return Err(Problem::unfit(
                format!("{doing}: it has no target, and so no metrics"),
                [format!("Finish it first: rdsproxy-setup up --db {}", database.id)],
            ));
        };
        if !target.id.eq_ignore_ascii_case(&database.id) {
            return Err(Problem::unfit(
                format!("{doing}: it serves {}, not {}", target.id, database.id),
                [format!(
                    "Nothing was changed. Name the proxy with --name, or the database it serves: --db {}.",
                    target.id
                )],
            ));
        }
        let seen = seen.map_err(Problem::refused("looking for the alarms"))?;
        let roles = roles.map_err(Problem::refused("listing the proxy's metrics"))?;
        let identity = identity.map_err(Problem::refused("asking AWS who is calling"))?;
        Ok(Self {
            watched: Watched {
                proxy: stack.clone(),
                // A metric that was silent for two weeks is not listed any more.
                writer_role: writer_role(roles.iter().map(String::as_str))
                    .map(str::to_owned)
                    .or_else(|| seen.writer_role()),
                cluster: cluster.is_some(),
                requires_tls: found.proxy.require_tls,
                postgresql: found.proxy.family == Some(EngineFamily::PostgreSql),
            },
            seen,
            region: cloud.region.clone(),
            arn: format!("arn:{}:cloudwatch:{}:{}:alarm:", identity.partition, cloud.region, identity.account),
        })
    }

    /// Compares it with what flags ask for.
    #[must_use]
    pub fn plan(&self, settings: &Settings) -> Plan {
        Plan::of(&self.seen, &self.watched, &self.region, settings, |name| format!("{}{name}", self.arn))
    }
}

/// Carries the plan out, and looks again until nothing is left of it.
///
/// # Errors
/// When AWS refuses, a wait times out, or the run is stopped; running it again resumes.
pub async fn converge(run: &Run<'_>, owner: &Owner, mut look: Look, settings: &Settings) -> Result<Plan, StepError> {
    let doing = format!("comparing the alarms ({})", owner.stack);
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    loop {
        let plan = look.plan(settings);
        if !plan.changes() {
            return Ok(plan);
        }
        carry_out(run, owner, &look.seen, &plan).await?;
        let asked = run.clock.elapsed();
        look.seen = poll.look(run, async || Existing::read(run.cloud, owner).await).await?;
        if look.plan(settings).changes() {
            poll.rest_after(run, "not visible yet", asked).await?;
            look.seen = poll.look(run, async || Existing::read(run.cloud, owner).await).await?;
        }
    }
}
