use fanfold::prelude::*;

mod ops {
    use fanfold::prelude::*;

    #[op]
    pub(crate) fn double(n: i64) -> i64 {
        n * 2
    }

    #[derive(Outputs)]
    pub struct Split {
        pub values: Dynamic<i64>,
        pub count: i64,
    }

    #[op(outputs)]
    pub fn split(n: i64) -> Split {
        Split { values: Vec::new(), count: n }
    }
}

use ops::{double, split};

#[job]
fn doubling(n: Out<i64>) -> Out<i64> {
    let ops::SplitOutputs { values, count } = split(double(n));
    let _ = values.map(double);
    double(count)
}

fn main() {
    assert_eq!(double::call(4), 8);
    fanfold::check_all_jobs().unwrap();
}
