//! Where the server listens, and by which names it may be called.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::text::safe;

/// The port where none is asked for.
pub(crate) const PORT: u16 = 3000;

/// How many ports after it are tried when it is taken.
const TRIED: u16 = 20;

/// Which port is listened at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// This one, or none; 0 is one that the system chooses.
    Given(u16),
    /// [`PORT`], or the next one that is free.
    Free,
}

/// By what others than this machine reach the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// An address of this machine.
    Address(IpAddr),
    /// A name of this machine.
    Name(String),
    /// The origin of a proxy on this machine, which brings its requests to loopback.
    Proxy(String),
}

impl Host {
    /// Reads what `--host` says.
    ///
    /// # Errors
    /// It is no address, name or origin: with what to write.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = inner.parse() {
            return Ok(Self::Address(address));
        }
        let lower = text.to_ascii_lowercase();
        let is_name = |name: &str, more: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || more.as_bytes().contains(&b))
        };
        if let Some(authority) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) {
            let authority = authority.trim_end_matches('/');
            if is_name(authority, "-.:[]_") {
                return Ok(Self::Proxy(lower.trim_end_matches('/').to_owned()));
            }
        } else if is_name(&lower, "-._") {
            return Ok(Self::Name(lower));
        }
        Err("write an address (`192.168.1.5`), a name of this machine, or the origin of a proxy on it \
             (`https://runs.example.org`)"
            .to_owned())
    }
}

/// Sockets that listen, and what they may be called.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) listeners: Vec<TcpListener>,
    pub(crate) port: u16,
    /// `127.0.0.1:3000`
    pub(super) hosts: Vec<String>,
    /// `http://127.0.0.1:3000`; the first is the one that is shown.
    pub(super) origins: Vec<String>,
}

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The port that was asked for is taken.
    #[error(
        "port {0} is taken by another program (`lsof -i :{0}` says which)\n\
         help: write another, or leave `--port` out: then the next free one is taken"
    )]
    Taken(u16),
    /// So are all that were tried.
    #[error(
        "the ports from {PORT} to {} are all taken (`lsof -i :{PORT}` says by whom)\n\
         help: write a free one, as `--port 8080`, or `--port 0` for any",
        PORT + TRIED
    )]
    NoneFree,
    /// The system refuses it for another reason.
    #[error("cannot listen at {}: {error}\nhelp: {help}", safe(at))]
    Refused {
        /// Where.
        at: String,
        /// What the system says.
        error: io::Error,
        /// What to do.
        help: &'static str,
    },
}

impl Place {
    /// Begins to listen.
    ///
    /// # Errors
    /// The port is taken, or the system refuses it.
    pub(crate) fn take(port: Port, host: Option<&Host>) -> Result<Self, PlaceError> {
        let ports = match port {
            Port::Given(port) => port..=port,
            Port::Free => PORT..=PORT + TRIED,
        };
        for number in ports {
            match listen(number, host) {
                Ok(listeners) => return Ok(Self::of(listeners, host)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(refused(number, host, error)),
            }
        }
        Err(match port {
            Port::Given(port) => PlaceError::Taken(port),
            Port::Free => PlaceError::NoneFree,
        })
    }

    fn of(listeners: Vec<TcpListener>, host: Option<&Host>) -> Self {
        let port = listeners.first().and_then(|first| first.local_addr().ok()).map_or(0, |at| at.port());
        let names: Vec<String> = match host {
            Some(Host::Proxy(origin)) => {
                let authority = origin.split_once("://").map_or(origin.as_str(), |(_, authority)| authority);
                return Self {
                    listeners,
                    port,
                    hosts: vec![authority.to_owned()],
                    origins: vec![origin.clone()],
                };
            }
            Some(Host::Name(name)) => vec![name.clone()],
            Some(Host::Address(IpAddr::V6(address))) if !address.is_unspecified() => {
                vec![format!("[{address}]")]
            }
            Some(Host::Address(IpAddr::V4(address))) if !address.is_unspecified() => {
                vec![address.to_string()]
            }
            // Every address of the machine, or loopback: called as loopback is.
            _ => ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned).to_vec(),
        };
        let mut hosts: Vec<_> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            // Browsers leave out the port that every site has.
            hosts.splice(..0, names);
        }
        let origins = hosts.iter().map(|host| format!("http://{host}")).collect();
        Self { listeners, port, hosts, origins }
    }
}

fn listen(port: u16, host: Option<&Host>) -> io::Result<Vec<TcpListener>> {
    match host {
        None | Some(Host::Proxy(_)) => loopback(port),
        Some(Host::Address(address)) => Ok(vec![TcpListener::bind((*address, port))?]),
        Some(Host::Name(name)) => Ok(vec![TcpListener::bind((name.as_str(), port))?]),
    }
}

/// Both loopback addresses: a browser takes either for `localhost`, and the other must not be somebody
/// else's.
fn loopback(port: u16) -> io::Result<Vec<TcpListener>> {
    /// How often a port that the system chose may be taken at the other address.
    const CHOICES: usize = 16;
    let mut left = if port == 0 { CHOICES } else { 1 };
    loop {
        let first = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let chosen = first.local_addr()?.port();
        left -= 1;
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, chosen))) {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Ok(vec![first]),
            Err(error) if left == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn refused(port: u16, host: Option<&Host>, error: io::Error) -> PlaceError {
    let (name, help) = match host {
        Some(Host::Name(name)) => (name.clone(), "`--host` takes a name or an address of this machine"),
        Some(Host::Address(address)) => (address.to_string(), "`--host` takes an address of this machine"),
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            ("127.0.0.1".to_owned(), "write a port from 1024 on")
        }
        _ => ("127.0.0.1".to_owned(), "write another port"),
    };
    PlaceError::Refused { at: format!("{name}, port {port}"), error, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_a_name_or_an_origin() {
        assert_eq!(Host::read("::1"), Ok(Host::Address(Ipv6Addr::LOCALHOST.into())));
        assert_eq!(Host::read("[::1]"), Ok(Host::Address(Ipv6Addr::LOCALHOST.into())));
        assert_eq!(Host::read("Box.lan"), Ok(Host::Name("box.lan".to_owned())));
        let origin = "https://runs.example.org";
        assert_eq!(Host::read("https://runs.example.org/"), Ok(Host::Proxy(origin.to_owned())));
        for wrong in ["", "a b", "box:3000", "https://", "https://a/b", "ftp://a"] {
            assert!(Host::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_called_by_its_own_names_alone() {
        let names = |host: Option<&str>| {
            let host = host.map(|host| Host::read(host).unwrap());
            let place = Place::of(vec![], host.as_ref());
            (place.hosts.join(" "), place.origins[0].clone())
        };
        let ours = "127.0.0.1:0 localhost:0 [::1]:0".to_owned();
        assert_eq!(names(None), (ours.clone(), "http://127.0.0.1:0".to_owned()));
        assert_eq!(names(Some("0.0.0.0")), (ours, "http://127.0.0.1:0".to_owned()));
        assert_eq!(names(Some("box")), ("box:0".to_owned(), "http://box:0".to_owned()));
        let proxy = "https://runs.example.org";
        assert_eq!(names(Some(proxy)), ("runs.example.org".to_owned(), proxy.to_owned()));
    }

    #[test]
    fn a_port_that_is_taken_is_not_taken_twice() {
        let first = Place::take(Port::Given(0), None).unwrap();
        let error = Place::take(Port::Given(first.port), None).unwrap_err();
        assert!(matches!(error, PlaceError::Taken(port) if port == first.port), "{error}");
    }
}
