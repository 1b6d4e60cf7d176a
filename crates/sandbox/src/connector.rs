//! The sandbox as an HTTP client of the AWS SDK: in process, without a socket.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use tokio::time::Instant;

use super::account::{Handled, Moment, Reply, Request, World};
use super::store::Store;

/// Something that answers requests as an AWS account does.
pub trait Account: Debug + Send + Sync + 'static {
    /// Answers one request.
    ///
    /// # Errors
    /// When the account's state cannot be read or written.
    fn answer(&self, request: &Request) -> io::Result<Handled>;
}

impl Account for Store {
    fn answer(&self, request: &Request) -> io::Result<Handled> {
        self.handle(request)
    }
}

/// A world in memory, on the time of the runtime: a paused clock makes minutes pass at once.
#[derive(Debug)]
pub struct InMemory {
    world: Mutex<World>,
    origin: Instant,
    start: Moment,
}

impl InMemory {
    /// A world whose time goes on from now.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { start: world.now, world: Mutex::new(world), origin: Instant::now() }
    }

    /// Looks at the world, or changes it by hand.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.start + self.origin.elapsed();
        world.tick(now);
        look(&mut world)
    }
}

impl Account for InMemory {
    fn answer(&self, request: &Request) -> io::Result<Handled> {
        let now = self.start + self.origin.elapsed();
        let mut world = self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(world.handle(now, request))
    }
}

/// The time that an account is mounted on.
pub trait Wait: Debug + Send + Sync + 'static {
    /// Lets as much time pass as AWS takes to answer.
    fn wait(&self, latency: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The runtime's time, in which `speed` seconds of AWS's are one.
#[derive(Debug)]
struct Runtime {
    speed: f64,
}

impl Wait for Runtime {
    fn wait(&self, latency: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(latency.div_f64(self.speed.max(0.001))))
    }
}

/// Mounts an account as an HTTP client; `speed` divides the time that AWS takes to answer.
#[must_use]
pub fn mount(account: Arc<dyn Account>, speed: f64) -> SharedHttpClient {
    mount_on(account, Arc::new(Runtime { speed }))
}

/// Mounts an account as an HTTP client, on another time than the runtime's.
#[must_use]
pub fn mount_on(account: Arc<dyn Account>, time: Arc<dyn Wait>) -> SharedHttpClient {
    SharedHttpClient::new(Connector { account, time })
}

#[derive(Debug, Clone)]
struct Connector {
    account: Arc<dyn Account>,
    time: Arc<dyn Wait>,
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (account, time) = (Arc::clone(&self.account), Arc::clone(&self.time));
        HttpConnectorFuture::new(async move {
            let handled =
                account.answer(&decode(&request)).map_err(|error| ConnectorError::other(error.into(), None))?;
            if !handled.latency.is_zero() {
                time.wait(handled.latency).await;
            }
            let answer = match handled.reply {
                Reply::Answer(answer) => answer,
                Reply::Dropped => {
                    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "the connection was reset");
                    return Err(ConnectorError::io(broken.into()));
                }
                Reply::Silence => std::future::pending().await,
            };
            let mut response = http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            let response =
                response.body(SdkBody::from(answer.body)).map_err(|error| ConnectorError::other(error.into(), None))?;
            response
                .try_into()
                .map_err(|error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None))
        })
    }
}

fn decode(request: &HttpRequest) -> Request {
    let uri: http::Uri = request.uri().parse().unwrap_or_default();
    let mut headers: std::collections::BTreeMap<String, String> =
        request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    if let Some(host) = uri.host() {
        headers.entry("host".to_owned()).or_insert_with(|| host.to_owned());
    }
    Request {
        method: request.method().to_owned(),
        target: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers,
        body: request.body().bytes().unwrap_or_default().to_vec(),
    }
}
