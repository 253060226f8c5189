use fanfold::prelude::*;

type Text = String;
type Maybe = Option<i64>;

#[op]
fn shout(text: Text, times: Maybe) -> Text {
    text.repeat(times.unwrap_or(1) as usize)
}

#[job]
fn shouting(text: Out<String>, times: Out<i64>) -> Out<Text> {
    shout(text, times)
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
