use fanfold::prelude::*;

use std::rc::Rc;

#[op]
async fn wait(n: usize) -> usize {
    let shared = Rc::new(n);
    std::future::ready(()).await;
    *shared
}

fn main() {}
