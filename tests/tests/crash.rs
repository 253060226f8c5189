//! Processes that die, race and freeze: what they leave behind, and who goes on with it.
#![cfg(unix)]

mod crash {
    mod desk;
    mod kills;
    mod poison;
    mod race;
}
