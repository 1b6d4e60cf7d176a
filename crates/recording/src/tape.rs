//! Where lines go: a file, line by line, or memory that forgets the oldest.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::line::{Body, Call, CallError, End, Event, FORMAT, Failure, Flag, Header, Line, Request, VERSION};
use crate::members::unread;
use crate::pseudonyms::is_uuid;
use crate::redact::Redactor;
use crate::wire;

/// What memory holds at most: some thousand calls.
const MOST: usize = 8 * 1024 * 1024;
/// A body of which more is not read: a page of functions is some hundred KB.
const LARGEST: usize = 4 * 1024 * 1024;

/// One attempt at a call, as it was on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exchange<'a> {
    /// The service, as the SDK names it.
    pub service: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The whole URL.
    pub uri: &'a str,
    /// The request's content type.
    pub sent_as: &'a str,
    /// The request's body.
    pub sent: &'a [u8],
    /// The HTTP status.
    pub status: Option<u16>,
    /// The response's content type.
    pub answered_as: &'a str,
    /// The header that names an error.
    pub error_type: Option<&'a str>,
    /// The response's body.
    pub answered: &'a [u8],
    /// Why no response came.
    pub broken: Option<&'a str>,
    /// AWS's id of the request.
    pub request_id: Option<&'a str>,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How long it took.
    pub elapsed: Duration,
    /// The step that it served.
    pub step: Option<&'a str>,
}

/// What the first line says of the run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The program's version.
    pub program: String,
    /// When it began, in UTC.
    pub time: String,
    /// The command.
    pub command: String,
    /// The flags of the command line, with their values; those in the list of names are kept.
    pub flags: Vec<(String, Vec<String>)>,
}

/// Flags whose values are names, and flags whose values are words of the program's. All others are redacted.
const NAMED: &[&str] = &[
    "--account",
    "--canary-function",
    "--connect-policy-arn",
    "--database",
    "--db",
    "--db-user",
    "--exclude-function",
    "--exclude-variable",
    "--function",
    "--function-role",
    "--include-variable",
    "--kms-key",
    "--name",
    "--permissions-boundary",
    "--profile",
    "--region",
    "--role-arn",
    "--secret",
    "--secret-kms-key",
    "--subnet",
    "--topic",
];
const WORDS: &[&str] = &[
    "--client",
    "--client-auth",
    "--client-password-auth",
    "--color",
    "--connection-borrow-timeout",
    "--database-auth",
    "--days",
    "--duration",
    "--for",
    "--idle-client-timeout",
    "--log-retention",
    "--max-connections-percent",
    "--max-idle-connections-percent",
    "--network-type",
    "--on-unknown",
    "--output",
    "--reader-endpoint",
    "--sandbox-speed",
    "--session-pinning-filter",
    "--sizing",
    "--soak",
    "--timeout",
    "--to",
    "--verify",
    "--waves",
    "--with",
];

#[derive(Debug)]
enum Kept {
    Memory(VecDeque<String>),
    File(File),
}

#[derive(Debug)]
struct Inner {
    redactor: Redactor,
    began: Instant,
    header: Header,
    kept: Kept,
    bytes: usize,
    dropped: u64,
    calls: u64,
    broken: Option<String>,
}

/// Records a run; one that records nothing is the default.
#[derive(Debug, Clone, Default)]
pub struct Tape(Option<Arc<Mutex<Inner>>>);

impl Tape {
    /// Keeps what fits in memory, under pseudonyms.
    #[must_use]
    pub fn memory(run: &Run) -> Self {
        Self::new(run, false, Kept::Memory(VecDeque::new()))
    }

    /// Writes each line to a new file at once, so that a run that is killed leaves what it did.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn file(run: &Run, path: &Path, plain: bool) -> io::Result<Self> {
        let file = create(path)?;
        let tape = Self::new(run, plain, Kept::File(file));
        if let Some(inner) = &tape.0 {
            let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
            let header = Line::Header(inner.header.clone());
            inner.put(&header);
            if let Some(error) = inner.broken.take() {
                return Err(io::Error::other(error));
            }
        }
        Ok(tape)
    }

    fn new(run: &Run, plain: bool, kept: Kept) -> Self {
        let mut redactor = Redactor::new(plain);
        let mut flags = Vec::new();
        for (flag, values) in &run.flags {
            let shown = |value: &String| {
                if NAMED.contains(&flag.as_str()) {
                    redactor.name(value)
                } else if WORDS.contains(&flag.as_str()) {
                    redactor.word(value)
                } else {
                    crate::redact::mark(&Value::String(value.clone()))
                }
            };
            let values = values.iter().map(shown).collect();
            flags.push(Flag { flag: flag.clone(), values });
        }
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: run.program.clone(),
            time: run.time.clone(),
            command: run.command.clone(),
            flags,
            pseudonyms: !plain,
            dropped: 0,
        };
        let inner =
            Inner { redactor, began: Instant::now(), header, kept, bytes: 0, dropped: 0, calls: 0, broken: None };
        Self(Some(Arc::new(Mutex::new(inner))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        let inner = self.0.as_ref()?;
        Some(work(&mut inner.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Whether anything is recorded at all.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.0.is_some()
    }

    /// Whether lines go to a file.
    #[must_use]
    pub fn on_file(&self) -> bool {
        self.with(|inner| matches!(inner.kept, Kept::File(_))).unwrap_or_default()
    }

    /// How many calls were recorded.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.with(|inner| inner.calls).unwrap_or_default()
    }

    /// Records a call.
    pub fn call(&self, exchange: &Exchange<'_>) {
        self.with(|inner| {
            inner.calls += 1;
            let call = inner.read(exchange);
            inner.put(&Line::Call(Box::new(call)));
        });
    }

    /// Records an event; its time and its redaction are added here.
    pub fn event(&self, mut event: Event) {
        self.with(|inner| {
            event.at_seconds = inner.at();
            let redactor = &mut inner.redactor;
            for text in [&mut event.state, &mut event.text, &mut event.ending].into_iter().flatten() {
                *text = redactor.sentence(text);
            }
            for name in &mut event.functions {
                *name = redactor.name(name);
            }
            inner.put(&Line::Event(event));
        });
    }

    /// Records why the command failed.
    pub fn failure(&self, error: &str, hints: &[String]) {
        self.with(|inner| {
            let error = inner.redactor.sentence(error);
            let hints = hints.iter().map(|hint| inner.redactor.sentence(hint)).collect();
            let line = Line::Failure(Failure { at_seconds: inner.at(), error, hints });
            inner.put(&line);
        });
    }

    /// Records the end; says why lines are missing in the file, if any are.
    #[must_use]
    pub fn end(&self, exit_code: u8) -> Option<String> {
        self.with(|inner| {
            let line = Line::End(End { at_seconds: inner.at(), exit_code, calls: inner.calls });
            inner.put(&line);
            inner.broken.take()
        })
        .flatten()
    }

    /// Writes what is in memory to a new file.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = self.with(|inner| inner.text()).unwrap_or_default();
        create(path)?.write_all(text.as_bytes())
    }

    /// What is in memory.
    #[must_use]
    pub fn text(&self) -> String {
        self.with(|inner| inner.text()).unwrap_or_default()
    }
}

/// A new file that only its owner may read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Inner {
    fn at(&self) -> f64 {
        rounded(self.began.elapsed())
    }

    fn text(&self) -> String {
        let header = Line::Header(Header { dropped: self.dropped, ..self.header.clone() });
        let mut text = written(&header);
        if let Kept::Memory(lines) = &self.kept {
            text.extend(lines.iter().map(String::as_str));
        }
        text
    }

    fn put(&mut self, line: &Line) {
        let line = written(line);
        match &mut self.kept {
            Kept::File(file) => {
                if self.broken.is_none() {
                    self.broken = file.write_all(line.as_bytes()).err().map(|error| error.to_string());
                }
            }
            Kept::Memory(lines) => {
                self.bytes += line.len();
                lines.push_back(line);
                while self.bytes > MOST && lines.len() > 1 {
                    self.bytes -= lines.pop_front().map_or(0, |line| line.len());
                    self.dropped += 1;
                }
            }
        }
    }

    fn read(&mut self, exchange: &Exchange<'_>) -> Call {
        let Exchange { service, operation, uri, .. } = exchange;
        let rest = uri.split_once("://").map_or(*uri, |(_, rest)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let key = |text: &str| text.to_lowercase().replace(' ', "");
        let (sent_unread, answered_unread) = unread(&key(service), &key(operation));
        let read_request = |kind: &str, body: &[u8]| wire::request(&key(service), kind, query, body);
        let sent = self.body(service, exchange.sent_as, exchange.sent, sent_unread, read_request);
        let failed = exchange.status.is_none_or(|status| !(200..300).contains(&status));
        let (mut answered, mut error) = (None, None);
        if exchange.status.is_some() {
            let refused = failed && exchange.answered.len() <= LARGEST;
            if refused {
                let (form, members) = wire::response(&key(service), exchange.answered_as, exchange.answered);
                let (code, message) = wire::refusal(&members, exchange.error_type);
                let code = code.filter(|code| is_code(code));
                let message = message.map(|message| self.redactor.sentence(&message));
                error = Some(CallError { code, message });
                answered = Some(Body { form, bytes: exchange.answered.len(), members: Value::Null });
            } else {
                let read = |kind: &str, body: &[u8]| wire::response(&key(service), kind, body);
                answered =
                    Some(self.body(service, exchange.answered_as, exchange.answered, answered_unread || failed, read));
            }
        } else if let Some(why) = exchange.broken {
            error = Some(CallError { code: None, message: Some(self.redactor.sentence(why)) });
        }
        Call {
            number: self.calls,
            at_seconds: self.at(),
            step: exchange.step.map(str::to_owned),
            service: (*service).to_owned(),
            operation: (*operation).to_owned(),
            attempt: exchange.attempt,
            request: Request {
                method: method(exchange.method).to_owned(),
                host: self.redactor.name(host),
                path: self.redactor.path(path),
                body: sent,
            },
            status: exchange.status,
            error,
            request_id: exchange.request_id.filter(|id| is_uuid(id)).map(str::to_owned),
            elapsed_seconds: rounded(exchange.elapsed),
            response: answered,
        }
    }

    fn body(
        &mut self,
        service: &str,
        kind: &str,
        body: &[u8],
        unread: bool,
        read: impl FnOnce(&str, &[u8]) -> (wire::Form, Value),
    ) -> Body {
        let bytes = body.len();
        if unread || bytes > LARGEST {
            return Body { form: wire::Form::Other, bytes, members: Value::Null };
        }
        let (form, members) = read(kind, body);
        Body { form, bytes, members: self.redactor.members(service, &members) }
    }
}

fn written(line: &Line) -> String {
    // A line has texts for keys and finite numbers, so that writing it cannot fail.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// Seconds, to the millisecond.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run fit a double exactly")]
fn rounded(span: Duration) -> f64 {
    span.as_millis() as f64 / 1_000.0
}

fn method(method: &str) -> &str {
    const KNOWN: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
    KNOWN.iter().find(|known| **known == method).unwrap_or(&"other")
}

fn is_code(code: &str) -> bool {
    code.len() <= 80
        && code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}
