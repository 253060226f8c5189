//! Whether a holder that says nothing has stood still for long enough to be taken over.

use std::thread;
use std::time::{Duration, Instant};

/// What a look at a holder's heartbeat shows.
pub(super) enum Pulse {
    /// So often it has beaten.
    Beats(u64),
    /// The holder let go.
    Gone,
}

/// What watching came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// The holder let go, or died.
    Gone,
    /// It has stood still at this beat.
    Still(u64),
    /// It lives.
    Lives,
}

/// Looks until the heartbeat moves, or has not moved for `limit`.
///
/// A gap between two looks counts for little, however long it was: if everything on this machine stood
/// still meanwhile, the holder had no time to beat either.
pub(super) fn watch<E>(limit: Duration, mut look: impl FnMut() -> Result<Pulse, E>) -> Result<Watched, E> {
    let pause = (limit / 50).max(Duration::from_millis(1));
    let Pulse::Beats(first) = look()? else { return Ok(Watched::Gone) };
    let mut stood = Duration::ZERO;
    while stood < limit {
        let before = Instant::now();
        thread::sleep(pause);
        stood += before.elapsed().min(pause * 2);
        match look()? {
            Pulse::Gone => return Ok(Watched::Gone),
            Pulse::Beats(beat) if beat != first => return Ok(Watched::Lives),
            Pulse::Beats(_) => {}
        }
    }
    Ok(Watched::Still(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mut pulses: Vec<Pulse>) -> Watched {
        pulses.reverse();
        let looks = || Ok::<_, ()>(pulses.pop().unwrap_or(Pulse::Beats(7)));
        watch(Duration::from_millis(20), looks).expect("a look cannot fail")
    }

    #[test]
    fn a_holder_is_taken_over_only_if_it_does_not_move() {
        assert_eq!(seen(vec![]), Watched::Still(7));
        assert_eq!(seen(vec![Pulse::Beats(7), Pulse::Beats(8)]), Watched::Lives);
        assert_eq!(seen(vec![Pulse::Beats(7), Pulse::Gone]), Watched::Gone);
    }
}
