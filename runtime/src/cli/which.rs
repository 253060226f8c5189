//! Which run is meant: by the beginning of its id, or the last.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::columns::columns;
use super::problem::Problem;
use super::when::shown;
use crate::store::{RunFilter, RunRow, Standing, Store};
use crate::text::safe;

/// The fewest letters of an id that are shown, and the fewest that anybody should write down.
const SHORTEST: usize = 4;

/// What stands for the newest run.
pub(super) const LAST: &str = "last";

/// How many runs a message names.
const NAMED: usize = 10;

/// Among how many of the newest runs the nearest id is looked for.
const LOOKED_AT: usize = 1_000;

/// The run that is meant; the newest if none is named.
///
/// # Errors
/// There is none, or there are several.
pub(crate) fn which(store: &Arc<dyn Store>, named: Option<&str>) -> Result<RunRow, Problem> {
    let named = match named {
        None | Some(LAST) => return last(store),
        // Ids have no capitals; who reads one aloud may.
        Some(named) => named.to_ascii_lowercase(),
    };
    let ids = store.ids(&named, NAMED + 1)?;
    match ids.as_slice() {
        [id] => Ok(store.run(id)?),
        ids if ids.contains(&named) => Ok(store.run(&named)?),
        [] => Err(none(store, &named)?),
        ids => Err(several(store, &named, ids)?),
    }
}

fn last(store: &Arc<dyn Store>) -> Result<RunRow, Problem> {
    let newest = store.runs(&RunFilter { limit: 1, ..RunFilter::default() })?;
    newest.into_iter().next().ok_or_else(|| {
        Problem::Usage(format!("there are no runs in {}: begin one with `run JOB`", store.name()))
    })
}

fn none(store: &Arc<dyn Store>, named: &str) -> Result<Problem, Problem> {
    let last = last(store)?;
    let ids = store.ids("", LOOKED_AT)?;
    let near = |id: &&String| {
        let begin = &id[..id.floor_char_boundary(named.len().max(1))];
        strsim::damerau_levenshtein(begin, named) <= 1 + named.len() / 6
    };
    let near: Vec<_> = ids.iter().filter(near).take(3).map(|id| format!("`{id}`")).collect();
    let near = match near.as_slice() {
        [] => "; the".to_owned(),
        near => format!(": did you mean {}? The", near.join(" or ")),
    };
    Ok(Problem::Usage(format!(
        "no run's id begins with `{}`{near} newest is `{}`, of job `{}`",
        safe(named),
        last.id,
        safe(&last.job)
    )))
}

fn several(store: &Arc<dyn Store>, named: &str, ids: &[String]) -> Result<Problem, Problem> {
    let zone = TimeZone::system();
    let mut rows = Vec::new();
    for id in ids.iter().take(NAMED) {
        let RunRow { job, standing, started, .. } = store.run(id)?;
        let words = standing_words(standing).to_owned();
        rows.push(vec![format!("  {id}"), safe(&job).into_owned(), words, shown(started, &zone)]);
    }
    let more = if ids.len() > NAMED { "  … and more\n" } else { "" };
    let begin =
        format!("the ids of several runs begin with `{}`: write more of the one you mean", safe(named));
    let list = format!("{}{more}", columns(&rows));
    Ok(Problem::Usage(format!("{begin}\n{}", list.trim_end())))
}

/// How a run stands, in a word.
pub(crate) fn standing_words(standing: Standing) -> &'static str {
    use crate::event::RunState::{Cancelled, Failed, Succeeded};
    match standing {
        Standing::Running => "running",
        Standing::Interrupted => "interrupted",
        Standing::Ended(Succeeded) => "succeeded",
        Standing::Ended(Failed) => "failed",
        Standing::Ended(Cancelled) => "cancelled",
    }
}

/// So much of an id as tells it apart from all others of a store; all of it if the store cannot say. It
/// costs a look or two into an index, however many runs there are.
pub(crate) fn short<'a>(store: &dyn Store, id: &'a str) -> &'a str {
    let is_alone = |begin: &&str| store.ids(begin, 2).is_ok_and(|ids| ids.iter().all(|other| other == id));
    (SHORTEST..id.len()).filter_map(|length| id.get(..length)).find(is_alone).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::{Ends, shelf};
    use expect_test::{Expect, expect};

    fn said(named: &str, expected: &Expect) {
        let (store, _drives) =
            shelf(&[("7k2mabcd", Ends::Succeeded), ("7k2nabcd", Ends::Failed), ("b111xyz0", Ends::Lost)]);
        let said = match which(&store, Some(named)) {
            Ok(run) => run.id,
            // Times are those of the zone.
            Err(problem) => problem.to_string().replace(|c: char| c.is_ascii_digit() || c == ':', "#"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn a_run_is_found_by_the_beginning_of_its_id() {
        said("7k2m", &expect!["7k2mabcd"]);
        said("7K2N", &expect!["7k2nabcd"]);
        said("last", &expect!["b111xyz0"]);
        said(
            "7k2",
            &expect![[r#"
                the ids of several runs begin with `#k#`# write more of the one you mean
                  #k#nabcd  letters  failed     ####-##-## ########
                  #k#mabcd  letters  succeeded  ####-##-## ########"#]],
        );
        said(
            "b11z",
            &expect![
                "no run's id begins with `b##z`# did you mean `b###xyz#`? The newest is `b###xyz#`, of job `letters`"
            ],
        );
        said(
            "\u{1b}qqqq",
            &expect![[r#"no run's id begins with `\u{#b}qqqq`; the newest is `b###xyz#`, of job `letters`"#]],
        );
    }

    #[test]
    fn so_much_of_an_id_is_emphasised_as_tells_it_apart() {
        let ids = ["7k2mabcd", "7k2mabxx", "b111xyz0", "zz"];
        let (store, _) = shelf(&ids.map(|id| (id, Ends::Succeeded)));
        assert_eq!(ids.map(|id| short(&*store, id)), ["7k2mabc", "7k2mabx", "b111", "zz"]);
        assert_eq!(short(&*store, "pruned00"), "prun");
    }

    #[test]
    fn a_store_without_runs_says_how_to_begin_one() {
        let (store, _) = shelf(&[]);
        let said = which(&store, None).unwrap_err().to_string();
        assert_eq!(said, "there are no runs in memory: begin one with `run JOB`");
    }
}
