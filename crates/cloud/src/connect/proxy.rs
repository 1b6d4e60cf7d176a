//! The HTTP proxy that the environment names.

use aws_smithy_http_client::proxy::ProxyConfig;

use super::ConnectError;
use super::http::origin;
use super::settings::env;

/// A proxy for encrypted requests. Plain ones go to this machine alone, and never through a proxy: the proxy's
/// `localhost` is another one, and signed requests would cross the network in the clear.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) config: ProxyConfig,
    /// Its address without user and password.
    pub(super) shown: String,
}

impl Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`; lower case goes before upper case, as in the AWS CLI (Python's `urllib`:
    /// <https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies>).
    pub(super) fn from_env() -> Result<Option<Self>, ConnectError> {
        let Some((variable, text)) = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            .iter()
            .find_map(|&variable| env(variable).map(|text| (variable, text)))
        else {
            return Ok(None);
        };
        let skipped = env("no_proxy").or_else(|| env("NO_PROXY"));
        Self::new(variable, &text, skipped.as_deref()).map(Some)
    }

    fn new(variable: &'static str, text: &str, skipped: Option<&str>) -> Result<Self, ConnectError> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let shown = origin(&url);
        // Never the parser's own words: they quote the password.
        let bad = |why: &'static str| ConnectError::Proxy { variable, shown: shown.clone(), why };
        let scheme = url.split("://").next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(bad("only http:// and https:// proxies can be used"));
        }
        let config = ProxyConfig::https(url.as_str()).map_err(|_| bad("it is not a valid URL"))?;
        let config = match skipped {
            Some(skipped) => config.no_proxy(skipped),
            None => config,
        };
        Ok(Self { config, shown })
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let proxy = Proxy::new("HTTPS_PROXY", "user:pa%40ss@proxy.example.com:3128", Some("localhost")).unwrap();
        assert_eq!(proxy.shown, "http://proxy.example.com:3128");
        let refused = Proxy::new("ALL_PROXY", "socks5://user:secret@proxy:1080", None).unwrap_err().to_string();
        assert!(refused.contains("ALL_PROXY") && !refused.contains("secret"), "{refused}");
        assert!(Proxy::new("HTTPS_PROXY", "http://user:se cret@proxy", None).is_err());
    }
}
