//! The world in one file, between commands and between processes.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::account::{Handled, Moment, Request, World};

/// The form of the file; another number is another program's file.
const FORMAT: u32 = 2;

/// A world kept in a file, in which time runs faster than real.
///
/// Every request locks, loads, acts, saves and unlocks: a process that is killed at any point loses nothing that was
/// answered, and many processes share one world. What this process saved last it need not read again.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    speed: f64,
    /// What this process saved last, so that it is not read again while nobody else has written the file.
    kept: Mutex<Option<Kept>>,
}

/// A world as it was saved, and the file that holds it.
#[derive(Debug)]
struct Kept {
    /// Held open, so that no file that takes its place gets its number.
    file: File,
    length: u64,
    modified: SystemTime,
    at: u64,
    world: World,
}

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format: u32,
    /// When it was saved, in milliseconds since 1970.
    at: u64,
    world: World,
}

/// The part of the file that every format has, so that another one is distinguished from a broken file.
#[derive(Debug, Deserialize)]
struct Head {
    format: u32,
}

impl Store {
    /// Opens the file, or creates it with the sample account.
    ///
    /// # Errors
    /// When the folder cannot be written, or the file is damaged or of another format.
    pub fn open(path: impl Into<PathBuf>, speed: f64) -> io::Result<Self> {
        let store = Self::at(path.into(), if speed.is_finite() && speed > 0.0 { speed } else { 1.0 });
        if let Some(folder) = store.folder() {
            fs::create_dir_all(folder)?;
        }
        let lock = store.lock()?;
        if store.load()?.is_none() {
            store.save(World::newcomer())?;
        }
        drop(lock);
        Ok(store)
    }

    fn at(path: PathBuf, speed: f64) -> Self {
        Self { path: followed(path), speed, kept: Mutex::new(None) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much faster than real the world's time runs.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Answers one request.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn handle(&self, request: &Request) -> io::Result<Handled> {
        self.change(|world| {
            let now = world.now;
            world.handle(now, request)
        })
    }

    /// The world as it is now.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn world(&self) -> io::Result<World> {
        self.change(|world| world.clone())
    }

    /// The world's own time.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn now(&self) -> io::Result<Moment> {
        self.change(|world| world.now)
    }

    /// Changes the world by hand.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> io::Result<T> {
        let lock = self.lock()?;
        let mut world = self.load()?.unwrap_or_else(World::newcomer);
        let now = world.now;
        world.tick(now);
        let result = change(&mut world);
        self.save(world)?;
        drop(lock);
        Ok(result)
    }

    /// Writes a world to a new file.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn create(path: impl Into<PathBuf>, world: World) -> io::Result<()> {
        let store = Self::at(path.into(), 1.0);
        // Taken before anything is written, so that two who create it do not both.
        private(OpenOptions::new().create_new(true).write(true)).open(&store.path)?;
        store.save(world)
    }

    /// Starts over with the sample account.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn reset(path: impl Into<PathBuf>) -> io::Result<()> {
        let store = Self::at(path.into(), 1.0);
        if let Some(folder) = store.folder() {
            fs::create_dir_all(folder)?;
        }
        let lock = store.lock()?;
        store.save(World::newcomer())?;
        drop(lock);
        Ok(())
    }

    fn folder(&self) -> Option<&Path> {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty())
    }

    /// The lock lies beside the file, because the file itself is replaced at every change.
    fn lock(&self) -> io::Result<File> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true)).open(path)?;
        lock.lock()?;
        Ok(lock)
    }

    /// The world, with the time that has passed since it was saved added to its clock.
    fn load(&self) -> io::Result<Option<World>> {
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (at, mut world) = match kept {
            Some(kept) if kept.is_all_of(&found)? => (kept.at, kept.world),
            _ => self.read()?,
        };
        let passed = Duration::from_millis(wall().saturating_sub(at));
        let passed = Duration::try_from_secs_f64(passed.as_secs_f64() * self.speed).unwrap_or(passed);
        world.now = world.now + passed;
        Ok(Some(world))
    }

    /// When the world was saved, and the world.
    fn read(&self) -> io::Result<(u64, World)> {
        let bytes = fs::read(&self.path)?;
        let other = |format| self.damaged(&format!("it has format {format}, this program writes {FORMAT}"));
        match serde_json::from_slice::<Saved>(&bytes) {
            Ok(saved) if saved.format == FORMAT => Ok((saved.at, saved.world)),
            Ok(saved) => Err(other(saved.format)),
            Err(error) => match serde_json::from_slice::<Head>(&bytes) {
                Ok(head) if head.format != FORMAT => Err(other(head.format)),
                _ => Err(self.damaged(&error.to_string())),
            },
        }
    }

    fn save(&self, world: World) -> io::Result<()> {
        let saved = Saved { format: FORMAT, at: wall(), world };
        let bytes = serde_json::to_vec(&saved).map_err(io::Error::other)?;
        // A temporary file is readable for its owner alone, and a rename is all or nothing.
        let mut file = tempfile::NamedTempFile::new_in(self.folder().unwrap_or(Path::new(".")))?;
        file.write_all(&bytes)?;
        let file = file.persist(&self.path).map_err(|error| error.error)?;
        let written = file.metadata()?;
        let (length, modified) = (written.len(), written.modified()?);
        // Where files have no numbers, one that is open cannot be replaced either.
        let kept = cfg!(unix).then_some(Kept { file, length, modified, at: saved.at, world: saved.world });
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }

    fn damaged(&self, why: &str) -> io::Error {
        let path = self.path.display();
        let message = format!("the sandbox's file {path} cannot be used: {why}");
        io::Error::new(io::ErrorKind::InvalidData, message)
    }
}

impl Kept {
    /// Whether what was found at the path is this file, and nobody has written into it.
    fn is_all_of(&self, found: &Metadata) -> io::Result<bool> {
        let is_same = numbers(&self.file.metadata()?) == numbers(found);
        Ok(is_same && found.len() == self.length && found.modified()? == self.modified)
    }
}

/// The numbers that the system knows a file by; where it has none, no file is kept.
#[cfg(unix)]
fn numbers(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn numbers(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Where a path leads: the file behind a link is replaced, and not the link.
///
/// It may not be there yet, and nothing is asked of links that lead in a circle: opening the file will show it.
fn followed(mut path: PathBuf) -> PathBuf {
    const MOST: usize = 40;
    for _ in 0..MOST {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    path
}

/// Milliseconds since 1970.
fn wall() -> u64 {
    let span = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &OpenOptions {
    options
}
