//! A store that is read as soon as it is there: the page may be opened before the first run, and stays
//! open when the store's file is removed and made anew.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{
    Commit, CommitHead, Drive, Finding, Hash, LogFilter, LogRow, NewRun, RunFilter, RunRow, Store,
    StoreError, open_read_only,
};

/// The store of an address, whether or not there is one yet.
pub(crate) struct LateStore {
    address: String,
    /// Its file; `None` where there is no file to wait for.
    file: Option<PathBuf>,
    open: Mutex<Open>,
}

/// What is open now.
#[derive(Default)]
struct Open {
    store: Option<(Identity, Arc<dyn Store>)>,
    /// How often one was opened, or found to be gone.
    times: u64,
}

/// Which file it is, whatever its name: another file under the same name is another store.
type Identity = Option<(u64, u64)>;

impl LateStore {
    /// The store of an address.
    ///
    /// # Errors
    /// It is no address, or there is something that cannot be opened.
    pub(crate) fn at(address: &str) -> Result<Self, StoreError> {
        let file = address.strip_prefix("sqlite:").filter(|path| !path.is_empty()).map(PathBuf::from);
        // An op of this process may change the working directory.
        let file = file.map(|file| std::path::absolute(&file).unwrap_or(file));
        let address = file.as_ref().map_or(address.to_owned(), |file| format!("sqlite:{}", file.display()));
        let store = Self { address, file, open: Mutex::default() };
        store.now()?;
        Ok(store)
    }

    /// The address, as another process reads it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The store, if there is one by now.
    pub(crate) fn now(&self) -> Result<Option<Arc<dyn Store>>, StoreError> {
        let mut open = self.lock();
        let found = self.identity();
        if let Some((identity, store)) = &open.store
            && *identity == found
        {
            return Ok(Some(Arc::clone(store)));
        }
        if open.store.take().is_some() || found.is_some() {
            open.times += 1;
        }
        if self.file.is_some() && found.is_none() {
            return Ok(None);
        }
        let store = open_read_only(&self.address)?;
        open.store = Some((found, Arc::clone(&store)));
        Ok(Some(store))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(unix)]
    fn identity(&self) -> Identity {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(self.file.as_ref()?).ok()?;
        Some((found.dev(), found.ino()))
    }

    #[cfg(not(unix))]
    fn identity(&self) -> Identity {
        std::fs::metadata(self.file.as_ref()?).ok().map(|_| (0, 0))
    }

    fn of(&self, run: &str) -> Result<Arc<dyn Store>, StoreError> {
        self.now()?.ok_or_else(|| StoreError::NoRun { run: run.to_owned(), store: self.name() })
    }
}

impl fmt::Debug for LateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateStore").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Store for LateStore {
    fn name(&self) -> String {
        self.address.clone()
    }

    fn create(&self, _: NewRun) -> Result<Arc<dyn Drive>, StoreError> {
        let why = "it was opened to be read alone".to_owned();
        Err(StoreError::Refused { store: self.name(), why })
    }

    fn drive(&self, run: &str, take_over: bool) -> Result<Arc<dyn Drive>, StoreError> {
        self.of(run)?.drive(run, take_over)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.runs(filter))
    }

    fn each_run(&self, filter: &RunFilter) -> Result<Vec<Result<RunRow, StoreError>>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.each_run(filter))
    }

    fn ended(&self) -> Result<Vec<(String, crate::RunState, u64)>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.ended())
    }

    fn jobs(&self) -> Result<Vec<String>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.jobs())
    }

    fn ids(&self, prefix: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.ids(prefix, limit))
    }

    fn run(&self, id: &str) -> Result<RunRow, StoreError> {
        self.of(id)?.run(id)
    }

    fn heads(&self, run: &str, after: u64) -> Result<Vec<CommitHead>, StoreError> {
        self.of(run)?.heads(run, after)
    }

    fn commits(&self, run: &str, after: u64, limit: usize) -> Result<Vec<Commit>, StoreError> {
        self.of(run)?.commits(run, after, limit)
    }

    fn summary(&self, run: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.of(run)?.summary(run)
    }

    fn logs(
        &self,
        run: &str,
        filter: &LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.of(run)?.logs(run, filter, after, limit)
    }

    fn last_logs(
        &self,
        run: &str,
        filter: &LogFilter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        self.of(run)?.last_logs(run, filter, before, limit)
    }

    fn count_logs(&self, run: &str, filter: &LogFilter) -> Result<u64, StoreError> {
        self.of(run)?.count_logs(run, filter)
    }

    fn blob(&self, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        self.of(run)?.blob(run, hash)
    }

    /// Another file counts its own changes, so the number also says which file it is.
    fn version(&self) -> Result<u64, StoreError> {
        let version = self.now()?.map_or(Ok(0), |store| store.version())?;
        Ok(version.wrapping_add(self.lock().times << 40))
    }

    fn request_cancel(&self, run: &str, reason: &str) -> Result<(), StoreError> {
        self.of(run)?.request_cancel(run, reason)
    }

    fn remove(&self, run: &str, logs_only: bool) -> Result<(), StoreError> {
        self.of(run)?.remove(run, logs_only)
    }

    fn tidy(&self) {
        if let Ok(Some(store)) = self.now() {
            store.tidy();
        }
    }

    fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        self.now()?.map_or(Ok(Vec::new()), |store| store.examine())
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::index::OpenRun;
    use crate::record::samples::record;
    use crate::store::open;

    fn enter(address: &str, id: &str) {
        let run = NewRun {
            id: id.to_owned(),
            job: "letters".to_owned(),
            started: SystemTime::UNIX_EPOCH,
            parent: None,
            facts: "{}".to_owned(),
            tags: vec![],
        };
        drop(open(address).unwrap().create(run).unwrap());
    }

    #[test]
    fn a_store_is_read_as_soon_as_it_is_there_and_again_when_it_is_another() {
        let folder = std::env::temp_dir().join(format!("fanfold-late-{}", std::process::id()));
        let address = format!("sqlite:{}", folder.join("runs.db").display());
        assert!(LateStore::at("runs.db").is_err());
        let store = LateStore::at(&address).unwrap();
        assert_eq!(store.ids("", 9).unwrap(), Vec::<String>::new());
        assert!(!folder.exists(), "looking made something");
        enter(&address, "7k2mabcd");
        assert_eq!(store.ids("", 9).unwrap(), ["7k2mabcd"]);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(store.ids("", 9).unwrap(), Vec::<String>::new());
        enter(&address, "b111xyz0");
        assert_eq!(store.ids("", 9).unwrap(), ["b111xyz0"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_run_is_read_anew_when_its_store_is_put_back_to_what_it_was() {
        let folder = std::env::temp_dir().join(format!("fanfold-back-{}", std::process::id()));
        let address = |name: &str| format!("sqlite:{}", folder.join(name).join("runs.db").display());
        for (name, commits) in [("now", 5), ("before", 2)] {
            let store = open(&address(name)).unwrap();
            record(&*store, 7, commits, 20).release();
        }
        let store = Arc::new(LateStore::at(&address("now")).unwrap());
        let mut run = OpenRun::open(store, "7k2m").unwrap();
        assert_eq!(run.seq(), 5);
        std::fs::rename(folder.join("now"), folder.join("gone")).unwrap();
        std::fs::rename(folder.join("before"), folder.join("now")).unwrap();
        assert!(run.refresh().unwrap());
        assert_eq!((run.seq(), run.heads().len()), (2, 2));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
