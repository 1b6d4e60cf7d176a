//! `restore`: the functions use the database again, and the proxy stays: the fast way out.

use documents::Version;

use super::saved::{OTHER, Saved, agreed, save};
use super::session::{Session, command, timeouts};
use super::teardown::{found, ours_to_change, serves, show};
use crate::cli::{self, Global, Restore};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::resources::{Line, Removal};
use crate::saved::{self, Planned};
use crate::shell::quoted;
use crate::spec::{self, DatabaseRef};
use crate::teardown;

const EXPLAIN: &str = "What close-direct removed comes back first. Variables that hold the proxy's host get the database's again, and \
                       aliases call a version that does. The proxy, its rights and its rules stay as they are, so that up points the functions at \
                       it again.";

const ALONE: &str = "Add --yes to carry the plan out, or look at it only with restore --dry-run.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Restore) -> Result<Exit, Failure> {
    let Some(saved) = Saved::open(&args.plans, Planned::Restore)? else { return plan(global, args, None).await };
    let cli::Command::Restore(mut wanted) = saved.command()? else { return Err(saved.unusable(OTHER)) };
    wanted.waits.timeouts.clone_from(&args.waits.timeouts);
    wanted.dry_run = args.dry_run;
    plan(global, &wanted, Some(&saved)).await
}

/// Plans, and carries it out; `saved` is what the plan must be a part of.
async fn plan(global: &Global, args: &Restore, saved: Option<&Saved>) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let named = args.name.as_deref().map(spec::stack_name).transpose()?;
    let functions: Vec<String> = args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    if let Some(saved) = saved {
        saved.fits(&session).await?;
    }
    let settings = |name: Option<&str>| saved::of_stack(args.db.as_deref(), name, &functions, false);
    let save = async |name: Option<&str>, terms| {
        save(global, &session, &args.plans, Planned::Restore, settings(name), terms).await
    };
    let Some((name, mut stack)) = found(&session, named.as_deref(), wanted.as_ref()).await? else {
        let exit = nothing(&session, "", "There is no stack of rdsproxy-setup in this Region.");
        save(None, Vec::new()).await?;
        return Ok(exit);
    };
    serves(global, "restore", &name, &stack, wanted.as_ref())?;
    ours_to_change(global, "restoring the functions", &name, &stack)?;
    // What a run before this one has restored does not use the proxy any more.
    let restored = |name: &String| saved.is_some() && !stack.functions.iter().any(|found| found.function.name == *name);
    let (limited, asked) = (!functions.is_empty(), functions.clone());
    let functions: Vec<String> = asked.into_iter().filter(|name| !restored(name)).collect();
    if let Some(missing) =
        functions.iter().find(|name| !stack.functions.iter().any(|found| found.function.name == **name))
    {
        return Err(Failure::new(
            Exit::Decide,
            format!("restoring the function ({missing}): it does not use the proxy {name}"),
            [format!("Nothing was changed. These do: {}.", listed(&stack))],
        ));
    }
    stack.functions.retain(|found| !limited || functions.contains(&found.function.name));
    if limited {
        stack.direct = stack.direct.into_iter().map(|rules| rules.only(&stack.functions)).collect();
    }
    let reopens = stack.direct.iter().any(|rules| !rules.back.is_empty());
    if stack.functions.is_empty() && !reopens {
        for line in stack.direct.iter().flat_map(Removal::lines) {
            report::note(session.json, &format!("note: {}: {}", line.what, line.detail));
        }
        let exit = nothing(&session, &name, &format!("No function uses {name}: nothing to restore."));
        save(Some(&name), Vec::new()).await?;
        return Ok(exit);
    }
    if let Some(exit) = saved.and_then(|saved| saved.refuse(&session, stack.terms_of_restore())) {
        return Ok(exit);
    }
    let direct = stack.direct.iter().flat_map(Removal::lines);
    let lines: Vec<Line> = direct.chain(stack.functions.iter().flat_map(Removal::lines)).collect();
    let would = if args.dry_run || args.plans.plan_out.is_some() { "would point" } else { "points" };
    let intro = report::sentence(&format!("This {would} functions of {name} back at the database; the proxy stays:"));
    if args.dry_run || args.plans.plan_out.is_some() {
        let exit = show(&session, &name, &intro, &lines);
        save(Some(&name), stack.terms_of_restore()).await?;
        return Ok(exit);
    }
    if !agreed(saved, global, &format!("{intro}\n\n{}\n", report::removals(&lines)), EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let began = session.clock.elapsed();
    let steps: Vec<_> = stack.functions.iter().filter_map(Removal::step).take(1).collect();
    let progress = session.progress(&steps);
    let result = Box::pin(teardown::restore(&session.run(timeouts, &progress), &stack)).await;
    drop(progress);
    let database = stack.database.clone().unwrap_or_else(|| name.strip_suffix("-proxy").unwrap_or(&name).to_owned());
    let of = |verb: &str| command(global, verb, &database, &name);
    result.map_err(|stop| {
        let named = |line: String, name: &String| line + &format!(" --function {}", quoted(name));
        let again = saved.map_or_else(|| functions.iter().fold(of("restore"), named), |saved| saved.resume(global));
        Failure::from(stop).after("What is restored is restored; the rest still uses the proxy.", again, None)
    })?;
    let document = || documents::Restore {
        schema: Version,
        proxy: name.clone(),
        changes: report::removal(&lines),
        other_users: stack.other_users.clone(),
    };
    if report::outcome(session.json, document) {
        return Ok(Exit::Done);
    }
    let elapsed = report::duration(session.clock.elapsed().saturating_sub(began));
    let who = if stack.functions.is_empty() { "the direct path is open".to_owned() } else { uses(&listed(&stack)) };
    let what = if stack.functions.is_empty() { " again" } else { " the database directly again" };
    report::result(&format!("Done in {elapsed}: {who}{what}."));
    if !stack.other_users.is_empty() {
        report::result(&format!("What was left at the proxy: {}.", stack.other_users.join(", ")));
    }
    report::result(&format!(
        "\n{}",
        report::next(&[(of("up"), "point them at the proxy again"), (of("doctor"), "see what is wrong, and why")])
    ));
    Ok(Exit::Done)
}

fn listed(stack: &teardown::Stack) -> String {
    let names: Vec<&str> = stack.functions.iter().map(|found| found.function.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn uses(names: &str) -> String {
    if names.contains(", ") { format!("{names} use") } else { format!("{names} uses") }
}

/// Nothing was to be done.
fn nothing(session: &Session, name: &str, text: &str) -> Exit {
    if session.json {
        let (changes, other_users) = (Vec::new(), Vec::new());
        report::document(&documents::Restore { schema: Version, proxy: name.to_owned(), changes, other_users });
    } else {
        report::result(text);
    }
    Exit::Done
}
