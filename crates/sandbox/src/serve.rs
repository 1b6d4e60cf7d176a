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
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::account::{Reply, Request, Response};
use super::store::Store;

/// No request of the services spoken here comes near this size.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How long a client may take for its headers, and how long for its body. A busy machine may stop a client of many
/// threads for seconds between the connection and the first byte.
const SLOWEST: Duration = Duration::from_mins(1);

/// More connections than these wait until one of them ends.
const MOST_CONNECTIONS: usize = 128;

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
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                let (stream, _) = accepted?;
                connections.spawn(converse(stream, Arc::clone(&store)));
            }
        }
    }
}

/// Serves one connection; how it ends is the client's business.
async fn converse(stream: TcpStream, store: Arc<Store>) {
    let service = service_fn(|request| answer(request, Arc::clone(&store)));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(SLOWEST);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or a connection dropped on purpose, is no error of ours.
    let _ = connection.await;
}

async fn answer(request: http::Request<Incoming>, store: Arc<Store>) -> Result<http::Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    // A page in a browser reaches this port under a name of its own that leads here; any other client names this
    // machine.
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return Ok(plain(
            421,
            "The sandbox answers only requests to this machine itself: 127.0.0.1, [::1] or localhost.\n",
        ));
    }
    let read = tokio::time::timeout(SLOWEST, Limited::new(body, LONGEST_BODY).collect());
    let Ok(Ok(body)) = read.await else { return Err(Dropped) };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let request = Request { method: parts.method.as_str().to_owned(), target, headers, body: body.to_bytes().to_vec() };
    let speed = store.speed();
    // Another process may hold the file's lock: a request that waits for it must not hold up the other connections.
    let handled = match tokio::task::spawn_blocking(move || store.handle(&request)).await {
        Ok(Ok(handled)) => handled,
        Ok(Err(error)) => return Ok(plain(500, &error.to_string())),
        Err(error) => return Ok(plain(500, &error.to_string())),
    };
    tokio::time::sleep(scaled(handled.latency, speed)).await;
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

/// Whether a `Host` header names this machine: `localhost` or a loopback address, whatever the port.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host();
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An answer that is not AWS's: the world's file cannot be used, or the request is not meant for this server.
fn plain(status: u16, text: &str) -> http::Response<Full<Bytes>> {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    Response { status, headers, body: text.as_bytes().to_vec() }.into_http()
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in ["127.0.0.1", "127.0.0.1:4566", "localhost:1", "LOCALHOST", "[::1]:4566", "127.8.8.8:1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "0.0.0.0:1",
            "[::]:1",
            "x@y",
            "10.0.0.1",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
