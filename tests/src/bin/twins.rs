//! A binary with two jobs of one name.

use fanfold::prelude::*;

fn main() -> std::process::ExitCode {
    fanfold::main()
}

#[op]
fn one() -> u64 {
    1
}

mod first {
    use super::*;

    /// The first.
    #[job]
    fn twin() -> Out<u64> {
        one()
    }
}

mod second {
    use super::*;

    /// The second.
    #[job]
    fn twin() -> Out<u64> {
        one()
    }
}
