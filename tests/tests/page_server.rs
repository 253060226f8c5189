//! The page's server from outside: the real program over plain TCP, attacked as a site in a browser, a
//! program on the same machine and a broken client would.
#![cfg(unix)]

#[path = "page_server/attacks.rs"]
mod attacks;
#[path = "page_server/broken.rs"]
mod broken;
#[path = "page_server/places.rs"]
mod places;
#[path = "page_server/secrets.rs"]
mod secrets;
#[path = "page_server/served.rs"]
mod served;
