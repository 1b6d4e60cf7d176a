//! Steps 10 and 11, and the rest of step 3: a proxy that serves.

use std::sync::atomic::Ordering;

use crate::cloud::rds::TaggedProxy;
use crate::engine::event::Ending;
use crate::engine::{Diff, Milestone, Observed, Run, Step as _, StepError, all2};
use crate::resources::proxy::Proxy;
use crate::resources::reader_endpoint::OwnedEndpoint;
use crate::survey::Survey;

/// A proxy whose target is available.
pub(super) struct Serving {
    /// The proxy.
    pub(super) proxy: Observed<TaggedProxy>,
    /// Its read-only endpoint, where there is to be one.
    pub(super) reader: Observed<OwnedEndpoint>,
}

/// Waits for a proxy that was `created` to be available, registers the target, and waits for that.
///
/// # Errors
/// The first step that stopped.
pub(super) async fn serve(
    run: &Run<'_>,
    survey: &Survey,
    proxy: &Proxy<'_>,
    created: &Observed<TaggedProxy>,
) -> Result<Serving, StepError> {
    let seen = &survey.seen;
    let target = survey.target();
    let available = async {
        // Reported once: where nothing is left to wait for, the step has ended before.
        let available = if proxy.compare(created) == Diff::None {
            created.clone()
        } else {
            let so_far = if seen.proxy.is_absent() { Ending::Created } else { Ending::Unchanged };
            run.finish(proxy, created.clone(), so_far).await?
        };
        // From now on, what a refused registration says is final.
        target.proxy_available.store(true, Ordering::SeqCst);
        Ok(available)
    };
    let register = run.converge(&target, seen.registered.clone(), Milestone::Ready);
    // The target cannot be available before its proxy is, so its timeout begins with the proxy's end.
    let (available, registered) = tokio::join!(available, register);
    let (available, registered) = all2(available, registered)?;
    let health = async {
        let rows = Observed::Present(registered.present().map(|found| found.rows.clone()).unwrap_or_default());
        if *created == available {
            return run.converge(&survey.health(), rows, Milestone::Ready).await;
        }
        // What the registration said of the target's health is minutes old by now.
        run.look_and_converge(&survey.health(), rows).await
    };
    let reader = async {
        if !survey.wants_reader {
            return Ok(Observed::Absent);
        }
        run.converge(&survey.reader_endpoint(available.present()), seen.reader.clone(), Milestone::Ready).await
    };
    let (health, reader) = tokio::join!(health, reader);
    let (_, reader) = all2(health, reader)?;
    Ok(Serving { proxy: available, reader })
}
