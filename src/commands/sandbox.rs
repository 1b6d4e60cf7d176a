//! `sandbox`: serve the embedded account, show it, start it over.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::session::{sandbox_file, store};
use crate::cli::{Global, Sandbox};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::sandbox::{Store, serve};

/// Runs it.
pub(super) async fn run(global: &Global, command: &Sandbox) -> Result<Exit, Failure> {
    match command {
        Sandbox::Serve { port } => {
            let store = store(global)?;
            let fail = |error: std::io::Error| {
                Failure::new(Exit::Failed, format!("serving on 127.0.0.1:{port}: {error}"), ["Choose another --port."])
            };
            let listener = TcpListener::bind(("127.0.0.1", *port)).await.map_err(fail)?;
            let address = listener.local_addr().map_err(fail)?;
            report::result(&format!("http://{address}"));
            report::say("The embedded account answers there until Ctrl-C. Any access key does.");
            serve(listener, Arc::new(store), tokio::signal::ctrl_c()).await.map_err(fail)?;
        }
        Sandbox::Reset => {
            let file = sandbox_file(global)?;
            Store::reset(&file).map_err(|error| {
                Failure::new(Exit::Failed, format!("resetting the sandbox ({}): {error}", file.display()), [""; 0])
            })?;
            report::result("The sandbox holds the newcomer's world again.");
        }
        Sandbox::Show => {
            let store = store(global)?;
            let world = store.world().map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    format!("reading the sandbox ({}): {error}", store.path().display()),
                    [""; 0],
                )
            })?;
            report::document(&world.dump());
        }
    }
    Ok(Exit::Done)
}
