//! Killing processes, and looking at what they leave behind.

mod figures;
mod ledger;
mod scene;

pub use figures::Figures;
pub use ledger::Ledger;
pub use scene::{Ended, Scene};
