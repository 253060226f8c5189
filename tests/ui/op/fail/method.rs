use fanfold::prelude::*;

struct Speaker;

impl Speaker {
    #[op]
    fn shout(&self, text: String) -> String {
        text.to_uppercase()
    }
}

fn main() {}
