//! The flags of `run` that every job has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::limits;
use super::store::StoreFlags;
use crate::options::{Order, PoolLimit};
use crate::report::lines::StatusLevel;

/// The flags of `run` that every job has. A job's argument cannot have the name of one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run options")]
pub(super) struct RunFlags {
    /// Read arguments and limits from a TOML file; flags beat it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// Arguments as a JSON object; flags beat it, and it beats the file
    #[arg(long, value_name = "JSON")]
    pub(super) args: Option<String>,
    /// A tag of the run, to find it by (name=value); repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = limits::run_tag)]
    pub(super) tag: Vec<(String, String)>,
    /// The id of the new run, for whoever begins it and waits for it
    #[arg(long, value_name = "ID", hide = true)]
    pub(super) run_id: Option<String>,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    pub(super) store: StoreFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

/// How a run is run: said when it begins, or when it goes on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitFlags {
    /// At most so many steps in flight
    #[arg(long, value_name = "N", value_parser = limits::limit)]
    pub(super) max_concurrent: Option<u32>,
    /// At most so many steps of a pool in flight (api=3), or starts in a time (api=10/s); repeatable
    #[arg(long, value_name = "NAME=N", value_parser = limits::pool)]
    pub(super) pool: Vec<(String, PoolLimit)>,
    /// At most so many steps with a tag in flight (team:red=2); repeatable
    #[arg(long, value_name = "NAME:VALUE=N", value_parser = limits::tag)]
    pub(super) tag_limit: Vec<((String, String), u32)>,
    /// Finish an item before opening the next, or a level before beginning the next
    #[arg(long, value_name = "ORDER")]
    pub(super) order: Option<OrderFlag>,
    /// Start nothing more after the first failure
    #[arg(long, overrides_with = "no_fail_fast")]
    pub(super) fail_fast: bool,
    /// Go on after failures, whatever the job or the file says
    #[arg(long, overrides_with = "fail_fast")]
    pub(super) no_fail_fast: bool,
    /// How long running steps may go on after the run was cancelled [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = limits::time)]
    pub(super) grace: Option<Duration>,
    /// The seed of all randomness, such as the jitter of retries
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

/// What is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputFlags {
    /// One event a line on stdout, as JSON; the last line is the result
    #[arg(long)]
    pub(super) json: bool,
    /// Show neither progress nor a summary: only failures, and the result
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Show retries (-v), steps that succeeded (-vv), steps that did not run (-vvv)
    #[arg(long, short, action = ArgAction::Count, conflicts_with_all = ["quiet", "status_level"])]
    pub(super) verbose: u8,
    /// How progress is shown on stderr
    #[arg(
        long,
        value_name = "FORM",
        default_value = "auto",
        env = "FANFOLD_PROGRESS",
        hide_env_values = true
    )]
    pub(super) progress: ProgressFlag,
    /// Which ends of steps are shown, each level with those before it
    #[arg(long, value_name = "LEVEL")]
    pub(super) status_level: Option<StatusLevel>,
    /// Serve the page beside the run, and after it until Ctrl-C
    #[arg(long)]
    pub(super) ui: bool,
    /// How many running steps are named
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) max_running: usize,
}

/// In which order ready steps start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OrderFlag {
    /// An item is finished before the next is opened
    DepthFirst,
    /// A level is finished before the next is begun
    BreadthFirst,
}

impl From<OrderFlag> for Order {
    fn from(order: OrderFlag) -> Self {
        match order {
            OrderFlag::DepthFirst => Self::DepthFirst,
            OrderFlag::BreadthFirst => Self::BreadthFirst,
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressFlag {
    /// A bar on a terminal, else plain
    Auto,
    /// One block, redrawn in place
    Bar,
    /// A line for each step
    Lines,
    /// A line now and then, and for each op that begins or ends
    Plain,
    /// Failures alone
    None,
}
