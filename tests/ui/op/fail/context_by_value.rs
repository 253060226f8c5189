use fanfold::prelude::*;

#[op]
fn shout(ctx: OpContext, text: String) -> String {
    format!("{text} {}", ctx.run_id())
}

fn main() {}
