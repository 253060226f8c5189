//! A second opinion on what a job means.
//!
//! A [`plan::Plan`] is a job as plain data, [`generate`] makes random ones, and [`interpret`]
//! says what each must come to. All of it is written from the rules alone: nothing here looks at
//! how the engine does it, so where the two agree, two independent readings agree.
//!
//! The numbers in comments (§4.4) are those of the rules.

pub mod beneath;
pub mod compare;
pub mod counters;
pub mod drive;
mod emission;
mod fan;
mod frame;
mod gathering;
pub mod generate;
pub mod harness;
pub mod interpret;
pub mod keys;
pub mod legal;
pub mod names;
pub mod observe;
pub mod perform;
pub mod plan;
mod raw;
pub mod recorded;
pub mod report;
pub mod scope;
pub mod session;
mod show;
mod shrink;
pub mod story;
pub mod to_graph;
pub mod value;
pub mod write;

#[cfg(test)]
mod rules;
