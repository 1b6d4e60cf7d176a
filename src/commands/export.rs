//! `export`: the stack as Terraform or CloudFormation, and the mark that says that it was handed over.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use documents::{ExportFormat, ExportMark, ExportedFile, Version};

use super::session::{Session, command, consent, timeouts};
use super::teardown::{found, serves};
use crate::cli::{Export, Global, To};
use crate::engine::Timeouts;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::shell::quoted;
use crate::spec::{self, DatabaseRef};
use crate::teardown::Stack;
use crate::{export, handover};
use ::export::File;

const EXPLAIN: &str = "A tag is written on the proxy, and nothing else changes. While it is there, up, restore and teardown change nothing of this \
                       stack; status, doctor and verify go on working. export --take-back takes the tag off again.";

const ALONE: &str = "Add --yes to carry it out.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Export) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let named = args.name.as_deref().map(spec::stack_name).transpose()?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    let Some((name, stack)) = found(&session, named.as_deref(), wanted.as_ref()).await? else {
        let headline = format!("exporting a stack: rdsproxy-setup has none in {}", session.cloud.region);
        return Err(Failure::new(Exit::Decide, headline, ["Check --region and --profile."]));
    };
    serves(global, "export", &name, &stack, wanted.as_ref())?;
    let subject = Subject { global, session: &session, name: &name, stack: &stack };
    match args.to {
        Some(to) => Box::pin(subject.write(to, args)).await,
        None => subject.mark(args.hand_over, timeouts).await,
    }
}

/// What is exported.
struct Subject<'a> {
    global: &'a Global,
    session: &'a Session,
    name: &'a str,
    stack: &'a Stack,
}

impl Subject<'_> {
    fn command(&self, flags: &str) -> String {
        let guessed = || self.name.strip_suffix("-proxy").unwrap_or(self.name).to_owned();
        let database = self.stack.database.clone().unwrap_or_else(guessed);
        command(self.global, "export", &database, self.name) + flags
    }

    /// Writes the files.
    async fn write(&self, to: To, args: &Export) -> Result<Exit, Failure> {
        let read = self.session.reading(Box::pin(export::read(&self.session.cloud, self.stack))).await?;
        let files = match to {
            To::Terraform => ::export::terraform(&read),
            To::Cloudformation => ::export::cloudformation(&read),
        };
        let files = files.map_err(|error| Failure::new(Exit::Failed, error.to_string(), [""; 0]))?;
        let default = || PathBuf::from(format!("{}-{}", self.name, to.name()));
        let folder = args.dir.clone().unwrap_or_else(default);
        let written = put(&folder, &files, args.force)?;
        if self.session.json {
            report::document(&self.document(to, &folder, &files, &read.left_out));
            return Ok(Exit::Done);
        }
        let at = folder.display();
        report::result(&match written {
            0 => format!("{} in {at} are as they were.", count(files.len())),
            all if all == files.len() => format!("Wrote {} to {at}:", count(files.len())),
            some => format!("{} in {at}, {some} of them new or changed:", count(files.len())),
        });
        let widest = files.iter().map(|file| file.name.len()).max().unwrap_or(0);
        let line = |file: &File| format!("  {:<widest$}  {}", file.name, file.what);
        report::result(&files.iter().map(line).collect::<Vec<_>>().join("\n"));
        for left in &read.left_out {
            report::result(&report::sentence(&format!("Not in the files: {left}")));
        }
        report::result(&format!("\n{}", report::next(&self.next(to, &folder))));
        Ok(Exit::Done)
    }

    fn document(&self, to: To, folder: &Path, files: &[File], left_out: &[String]) -> documents::Export {
        let one = |file: &File| ExportedFile {
            name: file.name.to_owned(),
            what: file.what.to_owned(),
            path: folder.join(file.name).display().to_string(),
        };
        documents::Export {
            schema: Version,
            proxy: self.name.to_owned(),
            database: self.stack.database.clone(),
            to: match to {
                To::Terraform => ExportFormat::Terraform,
                To::Cloudformation => ExportFormat::Cloudformation,
            },
            files: files.iter().map(one).collect(),
            left_out: left_out.to_vec(),
            handed_over: self.stack.handed_over(),
        }
    }

    fn next(&self, to: To, folder: &Path) -> Vec<(String, &'static str)> {
        let at = quoted(&folder.to_string_lossy());
        let mut next = match to {
            To::Terraform => vec![
                (format!("terraform -chdir={at} init"), "get the AWS provider"),
                (format!("terraform -chdir={at} plan"), "see that it imports and changes nothing; then apply it"),
            ],
            To::Cloudformation => {
                let readme = quoted(&folder.join("README.md").to_string_lossy());
                vec![(format!("less {readme}"), "the commands that import it")]
            }
        };
        if !self.stack.handed_over() {
            next.push((self.command(" --hand-over"), "afterwards: keep rdsproxy-setup from changing it"));
        }
        next
    }

    /// Marks the stack as handed over, or takes it back.
    async fn mark(&self, hand_over: bool, timeouts: Timeouts) -> Result<Exit, Failure> {
        let name = self.name;
        let proxy = export::to_mark(self.stack, hand_over)?;
        if self.stack.handed_over() == hand_over {
            let how = if hand_over { "is marked as handed over already" } else { "is not marked as handed over" };
            return Ok(self.marked(hand_over, false, &format!("{name} {how}: nothing to do.")));
        }
        let plan = if hand_over {
            format!("This marks {name} as handed over: up, restore and teardown will change nothing of it.")
        } else {
            format!("This takes {name} back: up, restore and teardown will change it again.")
        };
        let plan = report::sentence(&plan) + "\n";
        if !consent(self.global, &plan, EXPLAIN, ALONE).await? {
            return Ok(Exit::Decide);
        }
        let progress = self.session.progress(&[]);
        let result = handover::mark(&self.session.run(timeouts, &progress), &proxy.found, hand_over).await;
        drop(progress);
        result.map_err(|stop| {
            let again = self.command(if hand_over { " --hand-over" } else { " --take-back" });
            Failure::from(stop).after("Nothing else was changed.", again, None)
        })?;
        let how = if hand_over { "is marked as handed over" } else { "is rdsproxy-setup's to change again" };
        Ok(self.marked(hand_over, true, &format!("Done: {name} {how}.")))
    }

    fn marked(&self, handed_over: bool, changed: bool, text: &str) -> Exit {
        if self.session.json {
            report::document(&ExportMark {
                schema: Version,
                proxy: self.name.to_owned(),
                database: self.stack.database.clone(),
                handed_over,
                changed,
            });
        } else {
            let next = if handed_over {
                (self.command(" --take-back"), "let rdsproxy-setup change it again")
            } else {
                (self.command(" --hand-over"), "hand it over again")
            };
            report::result(&format!("{text}\n\n{}", report::next(&[next])));
        }
        Exit::Done
    }
}

fn count(files: usize) -> String {
    format!("{files} files")
}

/// Writes the files that are missing or hold something else, which needs `force`: either all of them, or none.
fn put(folder: &Path, files: &[File], force: bool) -> Result<usize, Failure> {
    let failed = |path: &Path, why: &str| {
        let hint = "Nothing was written. Name another folder with --dir, or overwrite the files with --force.";
        Failure::new(Exit::Decide, format!("writing the files ({}): {why}", path.display()), [hint])
    };
    let mut missing = Vec::new();
    for file in files {
        let path = folder.join(file.name);
        match std::fs::read(&path) {
            Ok(held) if held == file.text.as_bytes() => {}
            Ok(_) if !force => return Err(failed(&path, "the file holds something else")),
            Ok(_) => missing.push((path, &file.text)),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((path, &file.text)),
            Err(error) => return Err(failed(&path, &error.to_string())),
        }
    }
    let stopped = |path: &Path, error: &std::io::Error| {
        Failure::new(
            Exit::Failed,
            format!("writing the files ({}): {error}", path.display()),
            ["Name another folder with --dir."],
        )
    };
    std::fs::create_dir_all(folder).map_err(|error| stopped(folder, &error))?;
    for (path, text) in &missing {
        let made = std::fs::File::create(path).and_then(|mut made| made.write_all(text.as_bytes()));
        made.map_err(|error| stopped(path, &error))?;
    }
    Ok(missing.len())
}
