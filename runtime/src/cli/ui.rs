//! `ui`: the page, served until somebody ends it. In a binary without the page: what to add.

use clap::Args;

use super::problem::Problem;
use super::store::StoreFlags;

/// The flags of `ui`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Serve at this port; 0 for any [default: 3000, or the next that is free]
    #[arg(long, value_name = "N")]
    pub(super) port: Option<u16>,
    /// Serve to others than this machine, under this address or name; or to a proxy on this machine, whose
    /// origin this is (https://runs.example.org). Needs a token
    #[arg(long, value_name = "ADDR")]
    pub(super) host: Option<String>,
    /// The file that holds the token which opens the page [default: FANFOLD_UI_TOKEN, or a new secret]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) token_file: Option<std::path::PathBuf>,
    /// Show runs, and let nothing be begun or cancelled
    #[arg(long)]
    pub(super) read_only: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub(super) open: bool,
    #[command(flatten)]
    pub(super) store: StoreFlags,
}

/// The variable that holds the token: other users of the machine see a command line, and not this.
#[cfg(feature = "ui")]
pub(crate) const TOKEN: &str = "FANFOLD_UI_TOKEN";

#[cfg(feature = "ui")]
pub(super) use with::{Beside, ui};
#[cfg(not(feature = "ui"))]
pub(super) use without::{Beside, ui};

#[cfg(not(feature = "ui"))]
mod without {
    use std::sync::Arc;

    use super::*;
    use crate::store::Store;

    /// What a binary without the page says.
    const ABSENT: &str = "this binary is built without the page: add the feature `ui` of fanfold \
                          (`cargo add fanfold --features ui`)";

    /// Says what to add.
    pub(in crate::cli) fn ui(_: &str, _: &Flags) -> Result<u8, Problem> {
        Err(Problem::Usage(ABSENT.to_owned()))
    }

    /// The page beside a run.
    #[derive(Debug)]
    pub(in crate::cli) enum Beside {}

    impl Beside {
        pub(in crate::cli) fn start(
            asked: bool,
            _: &str,
            _: &StoreFlags,
            _: &Arc<dyn Store>,
        ) -> Result<Option<Self>, Problem> {
            if asked { Err(Problem::Usage(ABSENT.to_owned())) } else { Ok(None) }
        }

        pub(in crate::cli) fn address(&self, _: &str) -> String {
            match *self {}
        }

        pub(in crate::cli) fn stay(&self) -> Result<(), Problem> {
            match *self {}
        }
    }
}

#[cfg(feature = "ui")]
mod with {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::open::open;
    use super::super::output::print;
    use super::super::signals::Signals;
    use super::*;
    use crate::exit;
    use crate::report::screen::tell;
    use crate::store::Store;
    use crate::text::safe;
    use crate::web::{App, Host, LateStore, PORT, Place, Port, Server, Token};

    /// Serves the page until a signal comes.
    pub(in crate::cli) fn ui(program: &str, flags: &Flags) -> Result<u8, Problem> {
        let host = flags.host.as_deref().map(Host::read).transpose();
        let host = host.map_err(|help| Problem::Usage(format!("--host: {help}")))?;
        let token = token(flags.token_file.as_deref())?;
        if host.is_some() && token.is_none() {
            return Err(Problem::Usage(format!(
                "--host lets others than this machine in, so it needs a token that you choose\n\
                 help: write it to a file and name that by `--token-file FILE`, or set {TOKEN}"
            )));
        }
        let store = LateStore::at(&flags.store.address())?;
        let is_there = store.now()?.is_some();
        let address = store.address().to_owned();
        let place = take(flags.port.map_or(Port::Free, Port::Given), host.as_ref())?;
        let app = app(program, Arc::new(store), address.clone(), flags.read_only)?;
        let server = begin(app, place, token)?;
        said(flags, host.as_ref(), &server);
        if !is_there {
            tell(&format!("there is no store yet: {} is read as soon as there is", safe(&address)));
        }
        let opened = flags.open.then(|| open(&server.address("/")));
        if let Some(Err(why)) = &opened {
            tell(why);
        }
        wait()?;
        Ok(exit::SUCCESS)
    }

    /// The page beside a run, in the same process.
    #[derive(Debug)]
    pub(in crate::cli) struct Beside(Server);

    impl Beside {
        /// Serves the page, if it was asked for.
        pub(in crate::cli) fn start(
            asked: bool,
            program: &str,
            flags: &StoreFlags,
            store: &Arc<dyn Store>,
        ) -> Result<Option<Self>, Problem> {
            if !asked {
                return Ok(None);
            }
            let token = token(None)?;
            let app = if flags.lasts() {
                let store = LateStore::at(&flags.address())?;
                let address = store.address().to_owned();
                app(program, Arc::new(store), address, false)?
            } else {
                // Nobody else can open it: neither can a process that the page would begin.
                app(program, Arc::clone(store), flags.address(), true)?
            };
            Ok(Some(Self(begin(app, take(Port::Free, None)?, token)?)))
        }

        /// The address of a page.
        pub(in crate::cli) fn address(&self, path: &str) -> String {
            self.0.address(path)
        }

        /// Goes on serving after the run has ended, until a signal comes.
        pub(in crate::cli) fn stay(&self) -> Result<(), Problem> {
            tell("   the page is served until Ctrl-C");
            wait()
        }
    }

    fn app(program: &str, store: Arc<dyn Store>, address: String, read_only: bool) -> Result<App, Problem> {
        let executable = std::env::current_exe()
            .map_err(|error| Problem::Store(format!("cannot tell which program this is: {error}")))?;
        Ok(App::new(store, address, program, executable, read_only))
    }

    fn take(port: Port, host: Option<&Host>) -> Result<Place, Problem> {
        let place = Place::take(port, host).map_err(|error| Problem::Usage(error.to_string()))?;
        if port == Port::Free && place.port != PORT {
            tell(&format!("port {PORT} is taken: serving at port {}", place.port));
        }
        Ok(place)
    }

    fn begin(app: App, place: Place, token: Option<Token>) -> Result<Server, Problem> {
        let token = token.map_or_else(Token::random, Ok).map_err(Problem::Store)?;
        Server::start(app, place, token)
            .map_err(|error| Problem::Store(format!("the page cannot be served: {error}")))
    }

    /// The token that somebody chose.
    fn token(file: Option<&Path>) -> Result<Option<Token>, Problem> {
        let (place, text) = match (file, std::env::var(TOKEN)) {
            (Some(file), _) => {
                let place = safe(&file.display().to_string()).into_owned();
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Problem::Usage(format!("cannot read {place}: {error}")))?;
                (place, text)
            }
            (None, Ok(text)) => (TOKEN.to_owned(), text),
            (None, Err(_)) => return Ok(None),
        };
        let token = Token::chosen(&text);
        token.map(Some).map_err(|why| Problem::Usage(format!("the token in {place}: {why}")))
    }

    /// Says where the page is. Where nobody reads stdout it is said on stderr: that is no reason to serve
    /// nothing.
    fn said(flags: &Flags, host: Option<&Host>, server: &Server) {
        let address = server.address("/");
        if print(format!("{address}\n").as_bytes()).is_err() {
            tell(&address);
        }
        if flags.token_file.is_some() || std::env::var_os(TOKEN).is_some() {
            tell("it asks for the token");
        }
        if matches!(host, Some(Host::Address(_) | Host::Name(_))) {
            tell("there is no TLS: who can listen on the way sees the token and all data");
        }
        tell("Ctrl-C ends the page, and no run");
    }

    /// Waits for a signal.
    fn wait() -> Result<(), Problem> {
        let refused = |error| Problem::Store(format!("cannot listen to signals: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(refused)?;
            signals.next().await;
            Ok(())
        })
    }
}
