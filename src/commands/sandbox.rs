//! `sandbox`: serve the simulated account, show it, reset it.

use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;

use super::interrupt::Signals;
use super::session::{sandbox_file, store};
use crate::cli::{Global, Output, Sandbox};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, SCHEMA};
use ::sandbox::{Store, World, serve};

/// Runs it.
pub(super) async fn run(global: &Global, command: &Sandbox) -> Result<Exit, Failure> {
    let json = global.output == Output::Json;
    match command {
        Sandbox::Serve { port } => {
            let store = store(global)?;
            let region = world(&store)?.region;
            let fail = |error: std::io::Error| {
                Failure::new(Exit::Failed, format!("serving on 127.0.0.1:{port}: {error}"), ["Choose another --port."])
            };
            let listener = TcpListener::bind(("127.0.0.1", *port)).await.map_err(fail)?;
            let address = listener.local_addr().map_err(fail)?;
            let mut signals = Signals::listen().map_err(fail)?;
            let url = format!("http://{address}");
            if json {
                report::document(&json!({"schema": SCHEMA, "endpoint_url": url}));
            } else {
                report::result(&url);
            }
            report::note(json, "The simulated account answers there until Ctrl-C. Any access key works:");
            report::note(json, &example(&url, &region));
            serve(listener, Arc::new(store), signals.next()).await.map_err(fail)?;
        }
        Sandbox::Reset => {
            let file = sandbox_file(global)?;
            Store::reset(&file).map_err(|error| {
                Failure::new(Exit::Failed, format!("resetting the sandbox ({}): {error}", file.display()), [""; 0])
            })?;
            if json {
                report::document(&json!({"schema": SCHEMA, "file": file.display().to_string()}));
            } else {
                report::result("The sandbox holds the sample account again.");
            }
        }
        Sandbox::Show => {
            let store = store(global)?;
            report::document(&world(&store)?.dump());
        }
    }
    Ok(Exit::Done)
}

fn world(store: &Store) -> Result<World, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("reading the sandbox ({}): {error}", store.path().display()), [""; 0])
    };
    store.world().map_err(failed)
}

/// A command line of the AWS CLI that reads the account which is served.
fn example(url: &str, region: &str) -> String {
    let keys = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any";
    format!("  {keys} aws --endpoint-url {url} --region {region} rds describe-db-instances")
}
