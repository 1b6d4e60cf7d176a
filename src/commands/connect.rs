//! `connect`: the command line with which a person logs in through the proxy.

use documents::{Authorities, Version};

use super::session::{Session, command_in};
use super::token::{named, user};
use crate::cli::{Connect, Global};
use crate::client::{CA_FILE, CA_URL, Client, Login};
use crate::discover::{Database, Problem};
use crate::entrance::Entrance;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::shell::quoted;
use crate::spec::DatabaseRef;

/// Runs it.
pub(super) async fn run(global: &Global, args: &Connect) -> Result<Exit, Failure> {
    let (database, stack) = named(&args.login)?;
    let session = Session::open(global).await?;
    let entrance = Entrance::find(&session.cloud, &database, &stack, args.login.reader).await?;
    let client = client(&session, args, &entrance, &database).await?;
    let user = user(&session, &args.login, &entrance, &database, &stack).await?;
    let token = entrance.takes_tokens().then(|| {
        let region = Some(session.cloud.region.as_str());
        let mut line = command_in(global, region, "token", &database.id, &stack);
        if args.login.reader {
            line.push_str(" --reader");
        }
        format!("{line} --db-user {}", quoted(&user))
    });
    let login = Login {
        host: &entrance.host,
        port: entrance.port,
        user: &user,
        database: args.database.as_deref(),
        ca: args.ca.as_deref().unwrap_or(CA_FILE),
        token: token.as_deref(),
    };
    let line = login.line(client);
    if session.json {
        report::document(&documents::Connect {
            schema: Version,
            command: line,
            client: client.program().to_owned(),
            host: login.host.to_owned(),
            port: login.port,
            user: user.clone(),
            database: login.database.map(str::to_owned),
            login: if token.is_some() { documents::Login::Iam } else { documents::Login::Password },
            ca: Authorities { file: login.ca.to_owned(), url: CA_URL.to_owned() },
        });
        return Ok(Exit::Done);
    }
    if !global.quiet {
        notes(args, client, &entrance, token.is_some(), &user);
    }
    report::result(&line);
    Ok(Exit::Done)
}

/// What the line needs, on stderr: stdout holds the line alone.
fn notes(args: &Connect, client: Client, entrance: &Entrance, token: bool, user: &str) {
    if args.ca.is_none() {
        report::say(&format!("note: the line reads {CA_FILE} in this folder; to get it: curl -sSfO {CA_URL}"));
    }
    if token {
        let right = entrance.right(user);
        report::say(&format!(
            "note: the person who runs it needs {right}, and to reach the proxy: it is never public."
        ));
        if client == Client::Mariadb {
            report::say(
                "note: MariaDB's client needs its plugin mysql_clear_password; where it does not find it, add --plugin-dir=FOLDER.",
            );
        }
    } else {
        report::say(
            "note: the client asks for the password; the person who runs it must reach the proxy: it is never public.",
        );
    }
}

/// The client that was asked for, or the one that fits.
async fn client(
    session: &Session,
    args: &Connect,
    entrance: &Entrance,
    database: &DatabaseRef,
) -> Result<Client, Failure> {
    let doing = format!("choosing the client ({})", entrance.proxy.name);
    if let Some(client) = args.client {
        if client.speaks(entrance.family) {
            return Ok(client);
        }
        let fits = Client::of(entrance.family, false).map_or("no client that this program knows", Client::program);
        let why = format!("{doing}: {} does not speak what this proxy speaks", client.program());
        return Err(Failure::new(Exit::Decide, why, [format!("What fits: {fits}.")]));
    }
    let mariadb = match Database::find(&session.cloud, database).await {
        Ok(found) => found.label.contains("MariaDB"),
        Err(problem @ Problem::Refused { .. }) => return Err(problem.into()),
        // A database that is stopped or unfit by now still has a proxy with a family.
        Err(Problem::Unfit { .. }) => false,
    };
    Client::of(entrance.family, mariadb).ok_or_else(|| {
        Failure::new(
            Exit::Decide,
            format!("{doing}: this program knows no command line for SQL Server"),
            ["token prints a token for it, where the proxy takes one."],
        )
    })
}
