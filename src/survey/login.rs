//! Third: how the functions log in, and with whose rights the proxy does.

use super::base::Base;
use super::using::Using;
use crate::cloud::Cloud;
use crate::discover::evidence::Evidence;
use crate::discover::given::{self, GivenRole};
use crate::discover::{Login, Problem, auth, remembered};
use crate::spec::ClientAuth;

/// How the functions log in, and with whose rights the proxy does.
pub(super) struct LoginBasis {
    /// The role of the proxy, where an administrator created it.
    pub(super) given: Option<GivenRole>,
    /// How the functions log in.
    pub(super) login: Login,
    /// Users that only a tag of the proxy names, and no flag or variable.
    pub(super) beyond: Vec<String>,
}

impl LoginBasis {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, base: &Base<'_>, using: &Using) -> Result<Self, Problem> {
        let Base { identity, names, owner, database, role, proxy, spec, asked, end_to_end, .. } = base;
        let given =
            if base.adopted { None } else { given::role(cloud, spec, identity, (names, owner, role), proxy).await? };
        let evidence = match spec.client_auth {
            ClientAuth::Auto => Evidence::read(cloud, database, &using.functions, base.described(), identity).await,
            ClientAuth::Iam | ClientAuth::Password => Evidence::default(),
        };
        let login = auth::choose(spec.client_auth, *end_to_end, &using.functions, &spec.db_users, &evidence)?;
        // One that only a tag names shows nothing.
        let own = names.policy_arn(&identity.partition, &identity.account);
        let policy = asked.connect_policy_arn.clone().unwrap_or(own);
        let beyond = remembered::beyond(asked, spec, &login);
        // With a policy that someone else made, nothing is granted here, save the role's own right with end-to-end IAM.
        if spec.connect_policy_arn.is_none() || *end_to_end {
            remembered::granted(cloud, &beyond, &login, owner, (&policy, &names.path)).await?;
        }
        auth::check_end_to_end(&login, spec, database)?;
        Ok(Self { given, login, beyond })
    }
}
