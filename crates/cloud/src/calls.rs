//! Every call, for listeners that log it (`-v`) and for the recording.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::error::display::DisplayErrorContext;
use recording::{Exchange, Tape};
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

/// One attempt at a call and its answer, as they were on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Traffic<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The whole URL.
    pub uri: &'a str,
    /// The request's headers.
    pub headers: &'a [(String, String)],
    /// The request's body.
    pub sent: &'a [u8],
    /// The HTTP status.
    pub status: u16,
    /// The response's content type.
    pub answered_as: &'a str,
    /// The header that names an error.
    pub error_type: Option<&'a str>,
    /// The response's body.
    pub answered: &'a [u8],
}

type Overhear = dyn Fn(&Traffic<'_>) + Send + Sync;

tokio::task_local! {
    /// The step that calls are made for.
    static SERVED: &'static str;
}

/// Does work for a step, so that a recording says which one its calls served.
pub async fn serving<T>(step: &'static str, work: impl Future<Output = T>) -> T {
    SERVED.scope(step, work).await
}

/// The step that the call being made serves, if it serves one.
#[must_use]
pub fn served() -> Option<&'static str> {
    SERVED.try_with(|step| *step).ok()
}

/// Hears of every call, or of none.
#[derive(Clone, Default)]
pub struct Calls {
    hear: Option<Arc<Hear>>,
    overhear: Option<Arc<Overhear>>,
    tape: Tape,
    reads_only: bool,
}

/// Whether an operation reads: what the names of AWS's reading operations begin with, of those that this program has
/// (botocore's models). One of another name would be refused although it reads, and no other way about.
fn reads(operation: &str) -> bool {
    ["Describe", "Filter", "Get", "List", "Simulate"].iter().any(|verb| operation.starts_with(verb))
}

impl Calls {
    /// Reports to `hear` every attempt at a call.
    pub fn heard_by(hear: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self { hear: Some(Arc::new(hear)), ..Self::default() }
    }

    /// Hands every answer over as it came off the wire, too.
    #[must_use]
    pub fn overheard_by(self, overhear: impl Fn(&Traffic<'_>) + Send + Sync + 'static) -> Self {
        Self { overhear: Some(Arc::new(overhear)), ..self }
    }

    /// Makes every call fail that does not read, before anything is sent.
    #[must_use]
    pub fn reading_only(self) -> Self {
        Self { reads_only: true, ..self }
    }

    /// Records every attempt at a call, too.
    #[must_use]
    pub fn recorded_on(self, tape: &Tape) -> Self {
        Self { tape: tape.clone(), ..self }
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = [self.hear.is_some(), self.overhear.is_some(), self.tape.runs(), self.reads_only];
        f.debug_tuple("Calls").field(&fields).finish()
    }
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

/// What goes out, kept until the answer is there: the SDK hands the request over.
#[derive(Debug)]
struct Sent {
    method: String,
    uri: String,
    kind: String,
    headers: Vec<(String, String)>,
    body: SdkBody,
}

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "calls"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = bag.load::<Metadata>().map_or("(unnamed)", Metadata::name);
        if self.reads_only && !reads(name) {
            return Err(format!("{name} is not a read, and this command only reads").into());
        }
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.hear.is_some() || self.tape.runs() {
            bag.interceptor_state().store_put(Began(Instant::now()));
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.tape.runs() || self.overhear.is_some() {
            let request = context.request();
            let headers = request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
            let headers = if self.overhear.is_some() { headers.collect() } else { Vec::new() };
            bag.interceptor_state().store_put(Sent {
                method: request.method().to_owned(),
                uri: request.uri().to_owned(),
                kind: request.headers().get("content-type").unwrap_or_default().to_owned(),
                headers,
                body: request.body().try_clone().unwrap_or_else(SdkBody::taken),
            });
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(made) = bag.load::<Metadata>() else { return Ok(()) };
        let response = context.response();
        let header = |name: &str| response.and_then(|response| response.headers().get(name));
        let id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
        let status = response.map(|response| response.status().as_u16());
        let elapsed = bag.load::<Began>().map(|began| began.0.elapsed()).unwrap_or_default();
        if let Some(hear) = &self.hear {
            hear(&Call {
                service: made.service().to_owned(),
                operation: made.name().to_owned(),
                status,
                elapsed,
                request_id: id.map(str::to_owned),
            });
        }
        if let (Some(overhear), Some(sent), Some(response)) = (&self.overhear, bag.load::<Sent>(), response) {
            overhear(&Traffic {
                method: &sent.method,
                uri: &sent.uri,
                headers: &sent.headers,
                sent: sent.body.bytes().unwrap_or_default(),
                status: response.status().as_u16(),
                answered_as: header("content-type").unwrap_or_default(),
                error_type: header("x-amzn-query-error").or_else(|| header("x-amzn-errortype")),
                answered: response.body().bytes().unwrap_or_default(),
            });
        }
        // What was not sent, for want of credentials for one, is no call.
        if let (true, Some(sent)) = (self.tape.runs(), bag.load::<Sent>()) {
            let broken = match context.output_or_error() {
                Some(Err(error)) if response.is_none() => {
                    // The outermost sentences say only that a request failed.
                    error.as_connector_error().map(|error| DisplayErrorContext(error).to_string())
                }
                _ => None,
            };
            self.tape.call(&Exchange {
                service: made.service(),
                operation: made.name(),
                method: &sent.method,
                uri: &sent.uri,
                sent_as: &sent.kind,
                sent: sent.body.bytes().unwrap_or_default(),
                status,
                answered_as: header("content-type").unwrap_or_default(),
                error_type: header("x-amzn-query-error").or_else(|| header("x-amzn-errortype")),
                answered: response.and_then(|response| response.body().bytes()).unwrap_or_default(),
                broken: broken.as_deref(),
                request_id: id,
                attempt: bag.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts),
                elapsed,
                step: served(),
            });
        }
        Ok(())
    }
}
