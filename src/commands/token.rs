//! `token`: a fresh IAM token for the proxy, on stdout alone.

use documents::Version;

use super::session::{Session, command};
use crate::cli::{Global, Token};
use crate::discover::Problem;
use crate::entrance::{self, Entrance};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::spec::{self, DatabaseRef, Spec};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Token) -> Result<Exit, Failure> {
    let (database, stack) = named(args)?;
    let session = Session::open(global).await?;
    let entrance = Entrance::find(&session.cloud, &database, &stack, args.reader).await?;
    if !entrance.takes_tokens() {
        return Err(Failure::new(
            Exit::Decide,
            format!("making a token ({stack}): this proxy takes passwords from its clients, and no IAM tokens"),
            [
                format!("To log in with the password: {}", command(global, "connect", &database.id, &stack)),
                "To log in with tokens, run up with --client-auth iam; then every function must do so.".to_owned(),
            ],
        ));
    }
    let user = user(&session, args, &entrance, &database, &stack).await?;
    let (host, port) = (entrance.host.as_str(), entrance.port);
    let token = session.cloud.rds.token(host, port, &user).await;
    let token = token.map_err(Problem::refused(format!("making a token ({stack})")))?;
    // For what the job does with it later. The runner reads two streams: where nothing captures stdout, this may come
    // too late.
    report::github::mask(&token.text);
    if session.json {
        report::document(&documents::Token {
            schema: Version,
            token: token.text.to_string(),
            host: host.to_owned(),
            port,
            user,
            expires: token.expires,
        });
    } else {
        report::result(&token.text);
    }
    Ok(Exit::Done)
}

/// The database and the stack that the flags name.
pub(super) fn named(args: &Token) -> Result<(DatabaseRef, String), Failure> {
    if let Some(user) = &args.db_user {
        spec::db_user(user)?;
    }
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    Ok((database, stack))
}

/// The user that was named, or the one that the account shows.
pub(super) async fn user(
    session: &Session,
    args: &Token,
    entrance: &Entrance,
    database: &DatabaseRef,
    stack: &str,
) -> Result<String, Failure> {
    if let Some(user) = &args.db_user {
        return Ok(user.clone());
    }
    let survey = entrance.survey(&session.cloud, Spec::of(database.clone(), stack.to_owned())).await?;
    Ok(entrance::user(&session.cloud, &survey).await?)
}
