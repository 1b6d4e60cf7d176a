//! Secrets that `--create-secret` asks for: there already, to be restored, or to be made.

use super::problem::Problem;
use crate::cloud::Cloud;
use crate::cloud::secrets::Secret;
use crate::cloud::tags::STACK;
use crate::names;
use crate::spec::{CreateSecret, Spec};

/// A secret to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// The database user.
    pub user: String,
}

/// Whether this stack created a secret.
pub(super) fn ours(secret: &Secret, stack: &str) -> bool {
    secret.tags.get(STACK).is_some_and(|owner| owner == stack)
}

/// Looks for the secret of each user: those that are there, and those to be made.
pub(super) async fn look(
    cloud: &Cloud,
    spec: &Spec,
    wanted: &CreateSecret,
) -> Result<(Vec<Secret>, Vec<Planned>), Problem> {
    let (mut found, mut planned) = (Vec::new(), Vec::new());
    for user in &wanted.users {
        let name = names::secret_of(&spec.stack, user);
        let doing = format!("looking for the secret to be made ({name})");
        match cloud.secrets.describe(&name).await.map_err(Problem::refused(doing.clone()))? {
            None => planned.push(Planned { name, user: user.clone() }),
            Some(secret) if ours(&secret, &spec.stack) => found.push(Secret { user: Some(user.clone()), ..secret }),
            Some(_) => {
                return Err(Problem::unfit(
                    format!("{doing}: it exists, but does not carry this stack's ownership tag"),
                    [format!("To use it as it is: --secret {name}, without --create-secret.")],
                ));
            }
        }
    }
    Ok((found, planned))
}
