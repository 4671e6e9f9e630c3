//! From a path to an open database of ours, or to a sentence that names the file and the way out (R4).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use redb::{
    Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableError, TableHandle,
    backends::FileBackend,
};

use super::{
    FORMAT, FORMAT_VERSION, META, Options, ROWS,
    file::{Figures, Retire, Storage},
    lock::Lock,
};
use crate::Error;

/// How redb's files begin.
const MAGIC: [u8; 4] = *b"redb";

/// An open database and the switch that cuts it off.
pub struct Open {
    pub database: Database,
    pub retire: Retire,
    /// Counts the openings of one store.
    pub opening: u64,
    /// Held as long as any snapshot keeps the database open: it still writes when it closes.
    _lock: Option<Arc<Lock>>,
}

/// For reading and writing, made where there is none, and then its owner's alone: the store holds everybody's records.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty store at `path` where there is no file, beside it and under another name first: a crash meanwhile
/// leaves nothing at `path` that the next start would take for a foreign file. The lock is held.
pub fn make_if_absent(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let mut unfinished = path.as_os_str().to_os_string();
    unfinished.push(".new");
    let make = || -> Result<(), redb::Error> {
        let file = private().truncate(true).open(&unfinished)?;
        initialise(&Database::builder().set_cache_size(1 << 20).create_file(file)?)?;
        fs::rename(&unfinished, path)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(File::open(directory)?.sync_all()?)
    };
    make().map_err(|error| {
        let source = match error {
            redb::Error::Io(source) => source,
            other => io::Error::other(other),
        };
        Error::Open { path: path.to_path_buf(), source: Arc::new(source) }
    })
}

/// Both tables and the format in one commit.
fn initialise(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(FORMAT, FORMAT_VERSION)?;
    transaction.open_table(ROWS)?;
    Ok(transaction.commit()?)
}

type Source = Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync>;

/// Knows how to open the store, the first time and after a fault.
pub struct Opener {
    pub path: PathBuf,
    pub options: Options,
    pub figures: Arc<Figures>,
    openings: AtomicU64,
    source: Source,
    lock: Option<Arc<Lock>>,
}

impl Opener {
    /// A file at `path`.
    pub fn at(path: PathBuf, options: Options, lock: Arc<Lock>) -> Opener {
        let file = path.clone();
        let source = Box::new(move || {
            let file = private().open(&file)?;
            let backend = FileBackend::new(file).map_err(io::Error::other)?;
            Ok(Box::new(backend) as Box<dyn StorageBackend>)
        });
        Opener { path, options, figures: Arc::default(), openings: AtomicU64::new(0), source, lock: Some(lock) }
    }

    /// Any storage.
    #[cfg(any(test, feature = "suite"))]
    pub fn on(path: PathBuf, options: Options, source: Source) -> Opener {
        Opener { path, options, figures: Arc::default(), openings: AtomicU64::new(0), source, lock: None }
    }

    /// Opens, repairs where needed, and checks that the content is ours and of a format known here.
    pub fn open(&self) -> Result<Open, Error> {
        self.check_beginning()?;
        // redb asserts on some damaged files; a store that cannot be opened is an answer, not a crash.
        match catch_unwind(AssertUnwindSafe(|| self.open_database())) {
            Ok(opened) => opened,
            Err(_) => Err(self.corrupt("its pages contradict each other")),
        }
    }

    fn open_database(&self) -> Result<Open, Error> {
        let storage = (self.source)().map_err(|source| self.failed(source))?;
        let bytes = storage.len().map_err(|source| self.failed(source))?;
        self.figures.bytes.store(bytes, Relaxed);
        let (storage, retire) = Storage::new(storage, self.figures.clone());
        let progress = self.options.on_repair.clone();
        let database = Database::builder()
            .set_cache_size(self.options.cache_bytes)
            .set_repair_callback(move |session| progress(session.progress()))
            .create_with_backend(storage)
            .map_err(|error| self.explain(error))?;
        (self.options.on_repair)(1.0);
        let opened = Open { database, retire, opening: self.openings.fetch_add(1, Relaxed), _lock: self.lock.clone() };
        self.check_format(&opened.database)?;
        Ok(opened)
    }

    /// A file that does not begin as redb's do never reaches redb, which would name neither it nor a way out.
    fn check_beginning(&self) -> Result<(), Error> {
        let mut beginning = [0; MAGIC.len()];
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Not there yet, or no file at all but a storage of the suite.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed(error)),
        };
        match file.read(&mut beginning) {
            Ok(0) => Ok(()),
            Ok(_) if beginning == MAGIC => Ok(()),
            Ok(_) => Err(self.foreign("it does not begin as a store does")),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn check_format(&self, database: &Database) -> Result<(), Error> {
        let read = database.begin_read().map_err(|error| self.fault(error.into()))?;
        match read.open_table(META) {
            Ok(meta) => {
                let format = meta.get(FORMAT).map_err(|error| self.fault(error.into()))?.map(|row| row.value());
                match format {
                    Some(found) if found > FORMAT_VERSION => {
                        Err(Error::TooNew { path: self.path.clone(), found, known: FORMAT_VERSION })
                    }
                    Some(_) => Ok(()),
                    None => Err(self.corrupt("it names no format")),
                }
            }
            Err(TableError::TableDoesNotExist(_)) => {
                let mut tables = read.list_tables().map_err(|error| self.fault(error.into()))?;
                match tables.next() {
                    Some(table) => Err(self.foreign(&format!("it has a table `{}` of another program", table.name()))),
                    None => initialise(database).map_err(|error| self.fault(error)),
                }
            }
            Err(TableError::Storage(error)) => Err(self.fault(error.into())),
            Err(error) => Err(self.foreign(&error.to_string())),
        }
    }

    fn explain(&self, error: DatabaseError) -> Error {
        match error {
            DatabaseError::Storage(StorageError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                self.foreign("it does not begin as a store does")
            }
            DatabaseError::UpgradeRequired(version) => {
                self.foreign(&format!("its pages have the old layout {version}"))
            }
            DatabaseError::DatabaseAlreadyOpen => {
                Error::Held { path: self.path.clone(), holder: "another process".to_string() }
            }
            error => self.fault(error.into()),
        }
    }

    /// A fault of the file while it is in use or being opened.
    pub fn fault(&self, error: redb::Error) -> Error {
        match error {
            redb::Error::Corrupted(what) => self.corrupt(&what),
            redb::Error::Io(error) => match error.kind() {
                ErrorKind::UnexpectedEof => self.corrupt("it ends too early"),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full { free: 0, needed: 1 },
                _ => Error::Unavailable { reason: error.to_string().into() },
            },
            error => Error::Unavailable { reason: error.to_string().into() },
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Open { path: self.path.clone(), source: Arc::new(source) }
    }

    fn foreign(&self, what: &str) -> Error {
        Error::Foreign { path: self.path.clone(), what: what.to_string() }
    }

    pub fn corrupt(&self, what: &str) -> Error {
        Error::Corrupt { path: self.path.clone(), what: what.to_string() }
    }
}
