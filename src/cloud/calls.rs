//! Every call, for listeners that log it (`-v`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::time::Instant;

/// One attempt at a call, without anything of its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service, as the SDK names it.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub elapsed: Duration,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

type Hear = dyn Fn(&Call) + Send + Sync;

/// Hears of every call, or of none.
#[derive(Clone, Default)]
pub struct Calls(Option<Arc<Hear>>);

impl Calls {
    /// Reports to `hear` every attempt at a call.
    pub fn heard_by(hear: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calls").field(&self.0.is_some()).finish()
    }
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "calls"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.is_some() {
            bag.interceptor_state().store_put(Began(Instant::now()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(hear), Some(made)) = (&self.0, bag.load::<Metadata>()) else { return Ok(()) };
        let response = context.response();
        let id = |name: &str| response.and_then(|response| response.headers().get(name)).map(str::to_owned);
        hear(&Call {
            service: made.service().to_owned(),
            operation: made.name().to_owned(),
            status: response.map(|response| response.status().as_u16()),
            elapsed: bag.load::<Began>().map(|began| began.0.elapsed()).unwrap_or_default(),
            request_id: id("x-amzn-requestid").or_else(|| id("x-amz-request-id")),
        });
        Ok(())
    }
}
