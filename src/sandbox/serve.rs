//! The world on a port, for any AWS client.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::account::{Reply, Request, Response};
use super::store::Store;

/// No request of the services spoken here comes near this size.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// Why a connection is given up without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

/// Answers requests until `shutdown` is ready; connections still open then are closed.
///
/// # Errors
/// When no more connections can be accepted.
pub async fn serve(listener: TcpListener, store: Arc<Store>, shutdown: impl Future) -> io::Result<()> {
    let mut shutdown = pin!(shutdown);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(converse(stream, Arc::clone(&store)));
            }
        }
    }
}

/// Serves one connection; how it ends is the client's business.
async fn converse(stream: TcpStream, store: Arc<Store>) {
    let service = service_fn(|request| answer(request, Arc::clone(&store)));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or a connection dropped on purpose, is no error of ours.
    let _ = connection.await;
}

async fn answer(request: http::Request<Incoming>, store: Arc<Store>) -> Result<http::Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else { return Err(Dropped) };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let request = Request { method: parts.method.as_str().to_owned(), target, headers, body: body.to_bytes().to_vec() };
    let handled = match store.handle(&request) {
        Ok(handled) => handled,
        Err(error) => return Ok(broken(&error)),
    };
    tokio::time::sleep(scaled(handled.latency, store.speed())).await;
    match handled.reply {
        Reply::Answer(response) => Ok(response.into_http()),
        Reply::Dropped => Err(Dropped),
        Reply::Silence => match std::future::pending::<Infallible>().await {},
    }
}

impl Response {
    /// The same response for `hyper` and the SDK.
    #[must_use]
    pub fn into_http(self) -> http::Response<Full<Bytes>> {
        let mut response = http::Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() =
            http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A span of the world's time as real time.
fn scaled(span: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() / speed).unwrap_or(span)
}

/// The world's file cannot be used: the one error that is not AWS's.
fn broken(error: &io::Error) -> http::Response<Full<Bytes>> {
    let body = error.to_string().into_bytes();
    Response { status: 500, headers: vec![("content-type".to_owned(), "text/plain".to_owned())], body }.into_http()
}
