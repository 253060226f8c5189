//! The procedural macros of fanfold.
