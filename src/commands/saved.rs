//! `--plan-out` and `--plan`: a plan on its way into a file, and a run that is held to one.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use documents::{PlanDifference, PlanRefused, Version};

use super::session::{Session, command_of_plan, consent};
use crate::cli::{Cli, Command, Global, NOT_SAVED, Output, Plans};
use crate::discover::Problem;
use crate::error::Failure;
use crate::exit::Exit;
use crate::plain;
use crate::plan::Terms;
use crate::report;
use crate::saved::{self, LARGEST, Place, Planned, SavedPlan, Settings, VERSION};

/// What helps where a plan is not carried out.
const AGAIN: &str = "Nothing was changed. Save the plan again with --plan-out, and review it again.";

/// What is wrong with settings that are not those of the command.
pub(super) const OTHER: &str = "its settings are those of another command";

/// A saved plan that is to be carried out.
pub(super) struct Saved {
    file: PathBuf,
    plan: SavedPlan,
}

impl Saved {
    /// Reads the file that the flags name, if they name one. One that is to be written is looked at before anything
    /// else.
    pub(super) fn open(plans: &Plans, command: Planned) -> Result<Option<Self>, Failure> {
        if let Some(file) = &plans.plan_out {
            replaceable(file)?;
        }
        let Some(file) = plans.plan.clone() else { return Ok(None) };
        let plan = read(&file).map_err(|error| error.to_string());
        let plan = plan.and_then(|bytes| saved::read(&bytes)).map_err(|why| unusable(&file, &why))?;
        if plan.command != command {
            let why = format!("it is a plan of {}, not of {}", plan.command.verb(), command.verb());
            return Err(unusable(&file, &why));
        }
        let saved = Self { file, plan };
        if saved.plan.version != VERSION {
            let why = format!("version {} saved it, and this is version {VERSION}", saved.plan.version);
            return Err(saved.refused(Exit::Outdated, &why, AGAIN));
        }
        Ok(Some(saved))
    }

    /// The flags that the plan was drawn up with, as if they stood on the command line.
    pub(super) fn command(&self) -> Result<Command, Failure> {
        let verb = self.plan.command.verb();
        // No file of settings has a say in it.
        let mut words: Vec<OsString> = vec!["rdsproxy-setup".into(), verb.into(), "--config=".into()];
        let cli = Cli::command();
        let known = cli.find_subcommand(verb).into_iter().flat_map(clap::Command::get_arguments);
        let known: Vec<&clap::Arg> = known.filter(|argument| !argument.is_global_set()).collect();
        for (flag, values) in &self.plan.settings {
            let of =
                known.iter().find(|argument| argument.get_long() == Some(flag) && !NOT_SAVED.contains(&flag.as_str()));
            let Some(argument) = of else {
                return Err(self.unusable(&format!("{verb} has no setting {flag:?} that a plan may have")));
            };
            match (argument.get_action().takes_values(), values.is_empty()) {
                (true, true) => return Err(self.unusable(&format!("the setting {flag:?} has no value"))),
                (false, false) => return Err(self.unusable(&format!("the setting {flag:?} takes no value"))),
                (true, false) | (false, true) => {}
            }
            if values.is_empty() {
                words.push(format!("--{flag}").into());
            }
            words.extend(values.iter().map(|value| format!("--{flag}={value}").into()));
        }
        let wrong = |error: clap::Error| {
            let text = error.render().to_string();
            let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            self.unusable(lines.join(" ").trim_start_matches("error: "))
        };
        Ok(Cli::read(words).map_err(wrong)?.command)
    }

    /// Holds the plan to the account and the Region in use.
    pub(super) async fn fits(&self, session: &Session) -> Result<(), Failure> {
        let account = account(session).await?;
        let places = [("account", &self.plan.account, &account), ("Region", &self.plan.region, &session.cloud.region)];
        for (what, saved, now) in places {
            if saved != now {
                let why = format!("it is for the {what} {saved}, and this is {now}");
                return Err(self.refused(Exit::Decide, &why, "Nothing was changed. Check --profile and --region."));
            }
        }
        Ok(())
    }

    /// Holds a plan that is drawn up now to the saved one. Where it is no part of it, shows what differs, and how that
    /// ends.
    pub(super) fn refuse(&self, session: &Session, now: Vec<(String, Terms)>) -> Option<Exit> {
        let found = saved::differences(&self.plan, now);
        if found.is_empty() {
            return None;
        }
        let failure = self.refused(Exit::Outdated, "the account has changed since it was saved", AGAIN);
        let document = || PlanRefused {
            schema: Version,
            error: failure.headline.clone(),
            hints: failure.hints.clone(),
            request_id: None,
            exit_code: failure.exit.code(),
            differences: found.clone(),
        };
        if !report::outcome(session.json, document) {
            let saved = plain::line(&self.plan.created_at);
            let entries: Vec<String> = found.iter().map(difference).collect();
            report::result(&format!("Changed since {saved}:\n\n{}", entries.join("\n")));
        }
        report::failure(session.json, &failure.headline, &failure.hints, None);
        Some(failure.exit)
    }

    /// The command that goes on from a run that did not end.
    pub(super) fn resume(&self, global: &Global) -> String {
        command_of_plan(global, self.plan.command.verb(), &self.file)
    }

    fn refused(&self, exit: Exit, why: &str, hint: &str) -> Failure {
        Failure::new(exit, format!("carrying out the plan ({}): {why}", self.file.display()), [hint])
    }

    /// The file is no plan of the command.
    pub(super) fn unusable(&self, why: &str) -> Failure {
        unusable(&self.file, why)
    }
}

/// An entry that differs.
fn difference(found: &PlanDifference) -> String {
    let lines = |word: &str, texts: &[String]| {
        let line = |text: &String| format!("  {word:<4} {}\n", plain::line(text));
        if texts.is_empty() { format!("  {word:<4} nothing\n") } else { texts.iter().map(line).collect::<String>() }
    };
    format!("{}\n{}{}", plain::line(&found.entry), lines("was", &found.was), lines("is", &found.is))
}

/// Asks for consent, unless a plan is carried out: it was saved to be reviewed, and what it does is what it says.
pub(super) async fn agreed(
    saved: Option<&Saved>,
    global: &Global,
    plan: &str,
    explain: &str,
    alone: &str,
) -> Result<bool, Failure> {
    if saved.is_none() {
        return consent(global, plan, explain, alone).await;
    }
    if !(global.quiet || global.output == Output::Json) {
        report::say(plan);
    }
    Ok(true)
}

/// Saves a plan, where the flags ask for it, and says how to carry it out.
pub(super) async fn save(
    global: &Global,
    session: &Session,
    plans: &Plans,
    command: Planned,
    settings: Settings,
    terms: Vec<(String, Terms)>,
) -> Result<(), Failure> {
    let Some(file) = &plans.plan_out else { return Ok(()) };
    let place = Place {
        account: account(session).await?,
        region: session.cloud.region.clone(),
        at: cloud::utc(session.clock.now()),
    };
    let plan = saved::plan(command, settings, place, terms);
    let failed = |error: io::Error| {
        Failure::new(Exit::Failed, format!("saving the plan ({}): {error}", file.display()), ["Name another file."])
    };
    let text = saved::written(&plan).map_err(|error| failed(error.into()))?;
    replaceable(file)?;
    write(file, text.as_bytes()).map_err(failed)?;
    if !session.json {
        let line = command_of_plan(global, command.verb(), file);
        report::result(&format!("\nSaved to {}.\n", plain::line(&file.to_string_lossy())));
        report::result(&report::next(&[(line, "carry out this plan, and nothing else")]));
    }
    Ok(())
}

async fn account(session: &Session) -> Result<String, Failure> {
    let identity = session.cloud.sts.identity().await;
    Ok(identity.map_err(Problem::refused("asking AWS who is calling"))?.account)
}

fn unusable(file: &Path, why: &str) -> Failure {
    let headline = format!("--plan {:?} is not usable: {why}", file.display().to_string());
    Failure::new(Exit::Usage, headline, ["Give a file that --plan-out of the same command saved."])
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let (mut bytes, most) = (Vec::new(), u64::try_from(LARGEST).unwrap_or(u64::MAX));
    fs::File::open(file)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses to write over what is no plan.
fn replaceable(file: &Path) -> Result<(), Failure> {
    let refused = |why: &str| {
        let headline = format!("saving the plan ({}): {why}", file.display());
        Err(Failure::new(Exit::Decide, headline, ["Nothing was written. Name another file with --plan-out."]))
    };
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => refused(&error.to_string()),
        Ok(there) if !there.is_file() => refused("it is there, and no plain file"),
        Ok(_) => match read(file) {
            Ok(bytes) if saved::may_replace(&bytes) => Ok(()),
            Ok(_) => refused("the file is there, and no saved plan"),
            Err(error) => refused(&error.to_string()),
        },
    }
}

/// Writes a file for its owner alone: all of it at once, so that nobody reads a part.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(file.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?);
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = file.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(&beside)?;
    let written = made.write_all(bytes).and_then(|()| made.sync_all()).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // What stopped the first is what is to be seen.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use clap::CommandFactory as _;

    use super::Saved;
    use crate::cli::{Cli, Command, NOT_SAVED, Up};
    use crate::commands::up;
    use crate::saved::{self, Place, Planned, of_up};

    fn parsed(line: &str) -> Box<Up> {
        let words = ["rdsproxy-setup", "up"].into_iter().chain(line.split_whitespace());
        let words = words.map(|word| word.replace('~', " ").into());
        match Cli::read(words).unwrap().command {
            Command::Up(args) => args,
            other => panic!("{other:?}"),
        }
    }

    /// Flags of `up`, all of them in some of these; `~` is a space in a value.
    const LINES: [&str; 6] = [
        "--db Main",
        "--db arn:aws:rds:eu-west-1:123456789012:cluster:main --name orders --function A --function B --prepare \
         --reader-endpoint always",
        "--db main --exclude-function A --exclude-variable A:B_C --include-variable D_E --publish-pending \
         --client-auth password --secret s --client-password-auth postgres-md5 --database-auth secret --inspect-secret \
         --permissions-boundary arn:aws:iam::123456789012:policy/p --subnet subnet-1 --subnet subnet-2 \
         --network-type dual --require-tls",
        "--db main --all-functions --create-secret --db-user app --db-user b --generate-password \
         --secret-kms-key alias/k --no-require-tls --tag a=b=c --tag d= --debug-logging --log-retention 30 \
         --max-connections-percent 50 --max-idle-connections-percent 25 --connection-borrow-timeout 0 \
         --idle-client-timeout 60 --init-query SET~x='--yes',~y=1;~-- --session-pinning-filter EXCLUDE_VARIABLE_SETS",
        "--db main --role-arn arn:aws:iam::123456789012:role/r --enable-iam-auth --db-user * --verify probe --probe-login \
         --connect-policy-arn arn:aws:iam::123456789012:policy/p --canary --waves 2,50%,100% --soak 1h5m \
         --canary-function A --on-unknown continue",
        "--db main --adopt",
    ];

    /// Every flag of `up` that settles something comes back from the file as it went in.
    #[test]
    fn a_plan_has_every_setting_of_up() {
        let mut seen = BTreeSet::new();
        for line in LINES {
            let args = parsed(line);
            let spec = up::read(&args).unwrap();
            let settings = of_up(args.db.as_deref().unwrap(), &spec);
            seen.extend(settings.keys().cloned());
            let place = Place { account: String::new(), region: String::new(), at: String::new() };
            let plan = saved::plan(Planned::Up, settings.clone(), place, Vec::new());
            let Ok(Command::Up(back)) = (Saved { file: PathBuf::new(), plan }).command() else {
                panic!("{settings:?}")
            };
            assert_eq!(up::read(&back).unwrap(), spec, "{line}");
            assert_eq!(back.db, args.db);
            assert_eq!(of_up(back.db.as_deref().unwrap(), &spec), settings);
        }
        let cli = Cli::command();
        let flags = cli.find_subcommand("up").unwrap().get_arguments().filter_map(clap::Arg::get_long);
        // Sizes are worked out before the plan is saved, and stand in it as settings of their own.
        let left: Vec<&str> = flags.filter(|flag| !seen.contains(*flag) && !NOT_SAVED.contains(flag)).collect();
        assert_eq!(left, ["sizing"]);
    }
}
