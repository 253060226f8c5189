//! The files that the page is made of, as they were built: embedded, so that nothing behind the server
//! reads a folder by a name that a request gives.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::OnceLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::text::hex;

/// A file of the page.
pub(super) struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    tag: OnceLock<String>,
}

const fn asset(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { name, kind, bytes, tag: OnceLock::new() }
}

pub(super) static INDEX: Asset =
    asset("index.html", "text/html; charset=utf-8", include_bytes!("../../web/dist/index.html"));
pub(super) static SCRIPT: Asset =
    asset("app.js", "text/javascript; charset=utf-8", include_bytes!("../../web/dist/app.js"));
/// What the first screen does without.
pub(super) static MORE: Asset =
    asset("more.js", "text/javascript; charset=utf-8", include_bytes!("../../web/dist/more.js"));
pub(super) static SHEET: Asset =
    asset("app.css", "text/css; charset=utf-8", include_bytes!("../../web/dist/app.css"));
pub(super) static MORE_SHEET: Asset =
    asset("more.css", "text/css; charset=utf-8", include_bytes!("../../web/dist/more.css"));
pub(super) static ICON: Asset =
    asset("favicon.svg", "image/svg+xml", include_bytes!("../../web/dist/favicon.svg"));
pub(super) static DOCUMENT: Asset =
    asset("openapi.json", "application/json", include_bytes!("../../web/openapi.json"));

impl Asset {
    /// Its bytes: those of the folder that `FANFOLD_UI_DIR` names, for who works on the page, or the
    /// embedded ones.
    pub(super) fn bytes(&self) -> Cow<'static, [u8]> {
        let read = || std::fs::read(development()?.join(self.name)).ok();
        read().map_or(Cow::Borrowed(self.bytes), Cow::Owned)
    }

    /// The answer to who asks for it.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response {
        let bytes = self.bytes();
        let tag = match &bytes {
            Cow::Borrowed(bytes) => self.tag.get_or_init(|| tag(bytes)).clone(),
            Cow::Owned(bytes) => tag(bytes),
        };
        let known = asked.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        let headers = [(ETAG, tag.as_str()), (CACHE_CONTROL, "no-cache")];
        if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(CONTENT_TYPE, self.kind)], bytes).into_response()
    }
}

fn tag(bytes: &[u8]) -> String {
    let hash = blake3::hash(bytes);
    format!("\"{}\"", hex(&hash.as_bytes()[..12]))
}

fn development() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::var_os("FANFOLD_UI_DIR").map(PathBuf::from)).clone()
}
