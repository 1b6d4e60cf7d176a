//! What is heard, and what comes of it.

use std::collections::BTreeMap;

use sandbox::{Asked, Request, World};

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
#[derive(Debug)]
pub struct Copying {
    world: World,
}

impl Copying {
    /// A copy that has heard nothing yet, of an account in that Region.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self { world: World { region: region.to_owned(), ..World::empty() } }
    }

    /// Learns from an answer.
    pub fn hear(&mut self, heard: &Heard<'_>) {
        let Some(asked) = Asked::of(heard.request) else { return };
        let (_, answer) = recording::wire::response(asked.service.scope(), heard.answered_as, heard.answered);
        if asked.action == "GetCallerIdentity"
            && let Some(account) = answer.get("Account").and_then(|account| account.as_str())
        {
            account.clone_into(&mut self.world.account);
        }
    }

    /// The copy, with the variables of functions reduced to what `keep` leaves of them.
    #[must_use]
    pub fn finish(self, _keep: &dyn Fn(&str, &Variables) -> Variables) -> Copy {
        Copy { world: self.world, gaps: Vec::new() }
    }
}
