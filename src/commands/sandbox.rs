//! `sandbox`: serve the simulated account, show it, reset it, give its functions a load.

use std::sync::Arc;

use documents::{SandboxLoad, SandboxReset, SandboxServe, Version};
use tokio::net::TcpListener;

use super::interrupt::Signals;
use super::session::{sandbox_file, store};
use crate::cli::{Global, Load, Output, Sandbox};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use ::sandbox::{self as account, AtProxy, Preset, Rate, Store, World, serve};

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
                report::document(&SandboxServe { schema: Version, endpoint_url: url.clone() });
            } else {
                report::result(&url);
            }
            report::note(json, "The simulated account answers there until Ctrl-C. Any access key works:");
            report::note(json, &example(&url, &region));
            let signal = async {
                signals.next().await;
            };
            serve(listener, Arc::new(store), signal).await.map_err(fail)?;
        }
        Sandbox::Reset => {
            let file = sandbox_file(global)?;
            Store::reset(&file).map_err(|error| {
                Failure::new(Exit::Failed, format!("resetting the sandbox ({}): {error}", file.display()), [""; 0])
            })?;
            if json {
                report::document(&SandboxReset { schema: Version, file: file.display().to_string() });
            } else {
                report::result("The sandbox holds the sample account again.");
            }
        }
        Sandbox::Show => {
            let store = store(global)?;
            report::foreign(&world(&store)?.dump());
        }
        Sandbox::Load(load) => put_load(global, load)?,
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

/// Gives a function a load.
fn put_load(global: &Global, given: &Load) -> Result<(), Failure> {
    let store = store(global)?;
    let preset = given.preset.as_deref().and_then(|name| Preset::ALL.into_iter().find(|preset| preset.name() == name));
    let rate = given.rate.unwrap_or_default();
    let at_proxy = given.at_proxy.as_deref().and_then(|name| AtProxy::ALL.into_iter().find(|one| one.name() == name));
    let changed = store.change(|world| {
        if !world.lambda.functions.contains_key(&given.function) {
            return Err(world.lambda.functions.keys().cloned().collect::<Vec<_>>());
        }
        match preset {
            Some(preset) => world.set_preset(&given.function, preset),
            None if given.rate.is_none() => {}
            None => world.set_load(
                &given.function,
                account::Load {
                    rate: Rate::Constant(rate),
                    duration: f64::from(given.duration),
                    connections: given.connections,
                    closes: given.closes,
                    pinned: given.pinned,
                    ..account::Load::default()
                },
            ),
        }
        if let Some(at_proxy) = at_proxy {
            world.set_at_proxy(&given.function, at_proxy);
        }
        Ok(())
    });
    let changed = changed.map_err(|error| {
        Failure::new(Exit::Failed, format!("changing the sandbox ({}): {error}", store.path().display()), [""; 0])
    })?;
    if let Err(functions) = changed {
        return Err(Failure::new(
            Exit::Decide,
            format!("the simulated account has no function {}", given.function),
            [format!("Its functions are: {}.", functions.join(", "))],
        ));
    }
    if global.output == Output::Json {
        report::document(&SandboxLoad {
            schema: Version,
            function: given.function.clone(),
            preset: given.preset.clone(),
            rate: given.rate,
            at_proxy: given.at_proxy.clone(),
        });
    } else {
        let name = &given.function;
        report::result(&match preset {
            Some(preset) => format!("{name} has the load \"{}\", and always had it.", preset.name()),
            None if given.rate.is_none() => format!("{name} is invoked as before."),
            None => format!("{name} is invoked {rate} times a second from now on."),
        });
        if let Some(at_proxy) = &given.at_proxy {
            report::result(&match at_proxy.as_str() {
                "works" => "At a proxy, it works as elsewhere.".to_owned(),
                other => format!("At a proxy, it is {other}."),
            });
        }
    }
    Ok(())
}
