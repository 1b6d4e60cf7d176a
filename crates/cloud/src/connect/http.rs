//! The HTTP client: through the proxy that the environment names, with limits on what it takes.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::ConnectError;
use super::proxy::Proxy;
use crate::cause::{Cause, first_words};
use crate::pages::received;
use crate::url;

/// The largest answer that is read: AWS's own stay below 7 MiB (a Lambda response is 6 MB at most).
const LARGEST: usize = 16 * 1024 * 1024;

/// Where an answer came from, kept with it for error messages.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint(pub(crate) String);

/// Builds the client. An endpoint among `configured` that cannot be reached is not asked again.
pub(super) fn client(bundle: Option<&str>, configured: HashSet<String>) -> Result<SharedHttpClient, ConnectError> {
    let mut trust = TrustStore::default();
    if let Some(path) = bundle {
        let doing = |source| ConnectError::CaBundle { path: path.to_owned(), source };
        trust = trust.with_pem_certificate(std::fs::read(path).map_err(doing)?);
    }
    let context =
        TlsContext::builder().with_trust_store(trust).build().map_err(|error| ConnectError::Tls(error.to_string()))?;
    let proxy = Proxy::from_env()?;
    let config = proxy.as_ref().map_or_else(ProxyConfig::disabled, |proxy| proxy.config.clone());
    let inner = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(config.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    });
    let rules = Rules { configured, proxy: proxy.map(|proxy| proxy.shown), answered: Mutex::default() };
    Ok(SharedHttpClient::new(Guarded { inner, rules: Arc::new(rules) }))
}

#[derive(Debug)]
struct Guarded {
    inner: SharedHttpClient,
    rules: Arc<Rules>,
}

impl HttpClient for Guarded {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, parts);
        SharedHttpConnector::new(Guard { inner, rules: Arc::clone(&self.rules) })
    }
}

#[derive(Debug)]
struct Guard {
    inner: SharedHttpConnector,
    rules: Arc<Rules>,
}

impl HttpConnector for Guard {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = origin(request.uri());
        if !url::encrypted_or_here(&endpoint) && !metadata(&endpoint) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(Box::new(Cause::Plain { endpoint }))));
        }
        let (inner, rules) = (self.inner.clone(), Arc::clone(&self.rules));
        HttpConnectorFuture::new(async move {
            let mut answer = inner.call(request).await.map_err(|error| rules.judged(error, &endpoint))?;
            rules.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.clone());
            // Read here, so that the limits of time that hold for a call hold for its body too.
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            *answer.body_mut() = whole(body, &endpoint).await?;
            received(answer.body().bytes().map_or(0, <[u8]>::len));
            answer.add_extension(Endpoint(endpoint));
            Ok(answer)
        })
    }
}

/// The link-local addresses of the metadata service and of container credentials, which speak plain HTTP only
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>).
fn metadata(endpoint: &str) -> bool {
    const HOSTS: [&str; 5] =
        ["169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    HOSTS.iter().any(|known| host == *known || host.strip_prefix(known).is_some_and(|port| port.starts_with(':')))
}

async fn whole(body: SdkBody, endpoint: &str) -> Result<SdkBody, ConnectorError> {
    if body.bytes().is_some_and(|bytes| bytes.len() <= LARGEST) {
        return Ok(body);
    }
    match Limited::new(body, LARGEST).collect().await {
        Ok(read) => Ok(SdkBody::from(read.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ConnectorError::user(Box::new(Cause::TooLarge { endpoint: endpoint.to_owned(), limit: LARGEST })))
        }
        Err(error) => Err(ConnectorError::io(error)),
    }
}

#[derive(Debug)]
struct Rules {
    configured: HashSet<String>,
    proxy: Option<String>,
    answered: Mutex<HashSet<String>>,
}

impl Rules {
    /// An error with its cause where it is known; what another attempt cannot change is not attempted again.
    fn judged(&self, error: ConnectorError, endpoint: &str) -> ConnectorError {
        let Some((cause, lasts)) = self.cause(&error, endpoint) else { return error };
        let met = self.answered.lock().unwrap_or_else(PoisonError::into_inner).contains(endpoint);
        if lasts && !met { ConnectorError::user(Box::new(cause)) } else { ConnectorError::io(Box::new(cause)) }
    }

    fn cause(&self, error: &ConnectorError, endpoint: &str) -> Option<(Cause, bool)> {
        let words: Vec<String> = chain(error).map(ToString::to_string).collect();
        let says = |part: &str| words.iter().any(|word| word.contains(part));
        let why = first_words(words.last().map_or("", String::as_str), 160);
        let (endpoint, named) = (endpoint.to_owned(), self.configured.contains(endpoint));
        if let (Some(proxy), true) = (&self.proxy, says("tunnel error")) {
            let proxy = proxy.clone();
            if says("proxy authorization required") {
                return Some((Cause::ProxyLogin { proxy }, true));
            }
            let why = if says("unsuccessful") { "it refuses the CONNECT request".to_owned() } else { why };
            return Some((Cause::Proxy { proxy, endpoint, why }, true));
        }
        if says("invalid peer certificate") {
            return Some((Cause::Certificate { endpoint, why }, true));
        }
        if says("dns error") || says("failed to lookup address") {
            // A resolver that fails for a moment is worth another attempt, where the name is one of AWS's.
            let lasts = named || !says("Temporary failure");
            return Some((Cause::Name { endpoint, why }, lasts));
        }
        let refused = chain(error).any(|error| {
            let io = error.downcast_ref::<std::io::Error>();
            io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
        });
        refused.then_some((Cause::Refused { endpoint }, named))
    }
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// `https://host:port` of a request's address.
pub(super) fn origin(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}").to_ascii_lowercase()
}

/// How an answer that is not AWS's begins.
pub(crate) fn opening(answer: &HttpResponse) -> String {
    let status = answer.status().as_u16();
    if let Some(to) = answer.headers().get("location").filter(|_| (300..400).contains(&status)) {
        return format!("a redirect to {}", first_words(&origin(to), 120));
    }
    let body = answer.body().bytes().unwrap_or_default();
    let start = String::from_utf8_lossy(body.get(..body.len().min(2_048)).unwrap_or_default());
    match first_words(&start, 80) {
        words if words.is_empty() => "an empty answer".to_owned(),
        words => format!("\"{words}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_has_neither_path_nor_password() {
        assert_eq!(origin("https://u:p@RDS.example.com:8443/x?y"), "https://rds.example.com:8443");
        assert_eq!(origin("http://[::1]:5000"), "http://[::1]:5000");
    }
}
