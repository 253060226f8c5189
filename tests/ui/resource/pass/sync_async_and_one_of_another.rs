use fanfold::prelude::*;

use std::sync::Arc;

struct Config {
    url: String,
}

struct Db {
    url: String,
}

#[resource]
fn config() -> Config {
    Config { url: "db".into() }
}

#[resource]
async fn db(config: &Config, same: Arc<Config>) -> Result<Db, std::io::Error> {
    let _ = same;
    Ok(Db { url: config.url.clone() })
}

#[op]
fn store(#[resource] db: &Db, #[resource] shared: Arc<Db>, text: String) -> usize {
    db.url.len() + shared.url.len() + text.len()
}

#[job]
fn storing(text: Out<String>) -> Out<usize> {
    store(text)
}

fn main() {
    let db = Db { url: "x".into() };
    assert_eq!(store::call(&db, Arc::new(Db { url: "yz".into() }), "abc".into()), 6);
    assert_eq!(fanfold::define::resources().len(), 2);
    fanfold::check_all_jobs().unwrap();
}
