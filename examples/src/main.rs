//! The example jobs of fanfold.

fn main() {}
