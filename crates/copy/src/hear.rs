//! What is heard, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sandbox::{Asked, Request, World};
use serde_json::Map;

use crate::build::{self, Asks};
use crate::facts::{Facts, Kind, read_once};
use crate::learn::{self, Said};
use crate::read;

/// The variables of one version of a function.
pub type Variables = BTreeMap<String, String>;

/// One call and its answer, as they were on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The request.
    pub request: &'a Request,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer's content type.
    pub answered_as: &'a str,
    /// The header that names an error.
    pub error_type: Option<&'a str>,
    /// The answer's body.
    pub answered: &'a [u8],
}

/// Something of the account that the copy does not have as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What: a sentence's subject, "the rights of the role app-role".
    pub what: String,
    /// What stands in the copy instead, or why it is not there.
    pub why: String,
}

/// A copy of an account.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The account.
    pub world: World,
    /// Where it differs from what was copied, as far as is known.
    pub gaps: Vec<Gap>,
}

/// An account in the making.
///
/// It holds variables as they were heard until [`Copying::finish`], and is never written anywhere.
pub struct Copying {
    region: String,
    facts: Facts,
    asks: Asks,
}

impl fmt::Debug for Copying {
    /// Says how much was heard, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copying")
            .field("region", &self.region)
            .field("facts", &self.facts)
            .field("asks", &self.asks.len())
            .finish()
    }
}

impl Copying {
    /// A copy that has heard nothing yet, of an account in that Region.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self { region: region.to_owned(), facts: Facts::default(), asks: Asks::default() }
    }

    /// Learns from an answer.
    ///
    /// The order in which answers are heard makes no difference. What changes something is passed over, and so is what
    /// failed for another reason than that the caller may not ask.
    pub fn hear(&mut self, heard: &Heard<'_>) {
        let Some(asked) = Asked::of(heard.request).filter(|asked| !asked.mutating) else { return };
        // A form without members is read as an empty text.
        let none = Map::new();
        let input = asked.input.as_object().unwrap_or(&none);
        let (_, answer) = recording::wire::response(asked.service.scope(), heard.answered_as, heard.answered);
        if (200..300).contains(&heard.status) {
            let members = answer.as_object().cloned().unwrap_or_else(Map::new);
            self.asks.note(&asked, heard.request, true);
            learn::learn(&mut self.facts, asked.service, Said { action: &asked.action, input, answer: &members });
            return;
        }
        let (code, _) = recording::wire::refusal(&answer, heard.error_type);
        let code = code.unwrap_or_default();
        if is_denial(heard.status, &code) {
            self.asks.note(&asked, heard.request, false);
        } else if asked.action == "GetRole"
            && code == "NoSuchEntity"
            && let Some(name) = read::text(input, "RoleName")
        {
            self.facts.note(Kind::NoRole, name, &read_once());
        }
    }

    /// The host names of the proxies that were heard of, and of their further endpoints. One that is still being
    /// created has none.
    #[must_use]
    pub fn proxy_hosts(&self) -> BTreeSet<String> {
        let heard = self.facts.all(Kind::Proxy).chain(self.facts.all(Kind::ProxyEndpoint));
        heard.filter_map(|(_, thing)| read::text(thing, "Endpoint").map(str::to_owned)).collect()
    }

    /// The copy, with the variables of functions reduced to what `keep` leaves of them.
    ///
    /// `keep` is called with the name and the variables of each version. Of other values that people wrote, the copy
    /// has this much: values of secrets have their names, and those values that say which database and user they
    /// are for; tags have their keys, and the values of this tool's own tags; descriptions have their lengths, and
    /// stay equal where they were. Policies are kept as they are, because they decide what is allowed, and so are
    /// dashboards that this tool asks for by name.
    #[must_use]
    pub fn finish(self, keep: &dyn Fn(&str, &Variables) -> Variables) -> Copy {
        let (world, gaps) = build::build(&self.facts, &self.asks, &self.region, keep);
        Copy { world, gaps: gaps.into_iter().collect() }
    }
}

/// Whether AWS refused because the caller may not ask. Lambda, KMS, Logs and others say `AccessDeniedException`.
fn is_denial(status: u16, code: &str) -> bool {
    const BEGINNINGS: [&str; 4] = ["AccessDenied", "UnauthorizedOperation", "AuthorizationError", "UnauthorizedAccess"];
    status < 500 && BEGINNINGS.iter().any(|beginning| code.trim_start_matches("Client.").starts_with(beginning))
}
