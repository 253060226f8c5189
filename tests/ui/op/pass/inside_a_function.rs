use fanfold::prelude::*;

fn nested() -> i64 {
    #[op]
    fn double(n: i64) -> i64 {
        n * 2
    }
    double::call(4)
}

fn main() {
    assert_eq!(nested(), 8);
}
