//! The limits of a run: flags before the config file before the job.

use std::collections::BTreeMap;

use super::config::Config;
use super::flags::LimitFlags;
use super::problem::{Problem, unknown};
use crate::graph::Graph;
use crate::options::PoolLimit;
use crate::run::RunOptions;

/// What flags and file say of a run.
pub(super) fn run_options(graph: &Graph, flags: &LimitFlags, config: &Config) -> Result<RunOptions, Problem> {
    let fail_fast = match (flags.fail_fast, flags.no_fail_fast) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => config.fail_fast,
    };
    Ok(RunOptions {
        max_concurrent: flags.max_concurrent.or(config.max_concurrent),
        order: flags.order.map(Into::into).or(config.order),
        pools: pools(graph, flags, config)?,
        tag_limits: tags(graph, flags, config)?,
        fail_fast,
        grace: flags.grace,
        seed: flags.seed,
        keep_values: false,
    })
}

fn pools(graph: &Graph, flags: &LimitFlags, config: &Config) -> Result<BTreeMap<String, PoolLimit>, Problem> {
    let mut known: Vec<&str> = graph.nodes.iter().filter_map(|node| node.options.pool.as_deref()).collect();
    known.extend(graph.job.options.pools.iter().map(|(name, _)| *name));
    known.sort_unstable();
    known.dedup();
    let none = format!("job `{}` uses no pool", graph.job.name);
    let mut pools = BTreeMap::new();
    for (name, placed) in &config.pools {
        if !known.contains(&name.as_str()) {
            let message = unknown("pool", name, known.iter().copied(), &none);
            return Err(Problem::Usage(format!("{}: {message}", placed.place)));
        }
        pools.insert(name.clone(), placed.value);
    }
    let mut given: BTreeMap<&str, PoolLimit> = BTreeMap::new();
    for (name, limit) in &flags.pool {
        if !known.contains(&name.as_str()) {
            let message = unknown("pool", name, known.iter().copied(), &none);
            return Err(Problem::Usage(format!("--pool: {message}")));
        }
        // `--pool api=3 --pool api=10/s` are the two halves of one limit.
        let whole = given.entry(name).or_insert(PoolLimit { max: None, rate: None });
        whole.max = limit.max.or(whole.max);
        whole.rate = limit.rate.or(whole.rate);
    }
    pools.extend(given.into_iter().map(|(name, limit)| (name.to_owned(), limit)));
    Ok(pools)
}

fn tags(
    graph: &Graph,
    flags: &LimitFlags,
    config: &Config,
) -> Result<BTreeMap<(String, String), u32>, Problem> {
    let tags = graph.nodes.iter().flat_map(|node| &node.options.tags);
    let mut known: Vec<String> = tags.map(|(name, value)| format!("{name}:{value}")).collect();
    known.sort_unstable();
    known.dedup();
    let none = format!("job `{}` has no tags", graph.job.name);
    let check = |place: &str, (name, value): &(String, String)| {
        let tag = format!("{name}:{value}");
        if known.contains(&tag) {
            return Ok(());
        }
        let message = unknown("tag", &tag, known.iter().map(String::as_str), &none);
        Err(Problem::Usage(format!("{place}: {message}")))
    };
    let mut limits = BTreeMap::new();
    for (tag, placed) in &config.tags {
        check(&placed.place, tag)?;
        limits.insert(tag.clone(), placed.value);
    }
    for (tag, limit) in &flags.tag_limit {
        check("--tag-limit", tag)?;
        limits.insert(tag.clone(), *limit);
    }
    Ok(limits)
}
