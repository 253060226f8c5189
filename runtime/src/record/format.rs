//! The bytes that name things in a block.
//!
//! A block is the [`FORMAT`], the number of items opened before it, the time of its first event in
//! microseconds since the run began, and events up to its end. An event is a tag (a kind and flags), the
//! time since the event before, and its fields. What is like the event before is left out or written as
//! a difference; nothing refers to another block but the numbers of items.

/// The version of the format, and the first byte of each block.
pub const FORMAT: u8 = 1;

/// Which bits of a tag are its kind; the others are flags.
pub(super) const KIND: u8 = 0x0f;

pub(super) const RUN_STARTED: u8 = 0;
pub(super) const RUN_RESUMED: u8 = 1;
pub(super) const STEP_STARTED: u8 = 2;
pub(super) const STEP_SUCCEEDED: u8 = 3;
pub(super) const STEP_REUSED: u8 = 4;
pub(super) const ATTEMPT_FAILED: u8 = 5;
pub(super) const STEP_FAILED: u8 = 6;
pub(super) const STEPS_NOT_RUN: u8 = 7;
pub(super) const ITEM_YIELDED: u8 = 8;
pub(super) const FAN_OUT_CLOSED: u8 = 9;
pub(super) const ITEM_SUPERSEDED: u8 = 10;
pub(super) const RUN_CANCELLING: u8 = 11;
pub(super) const RUN_ENDED: u8 = 12;
pub(super) const STEP_REMADE: u8 = 13;
pub(super) const ITEM_MOVED: u8 = 14;

/// The event came at the time of the one before.
pub(super) const SAME_TIME: u8 = 0x10;
/// The step, or the superseded item, has the item of the step before.
pub(super) const SAME_ITEM: u8 = 0x20;
/// The item came from the fan-out that the item before came from.
pub(super) const SAME_FAN: u8 = 0x20;
/// The attempt is given; else it is the first.
pub(super) const ATTEMPT: u8 = 0x40;
/// The failed step's thread was left behind.
pub(super) const LEFT_BEHIND: u8 = 0x80;
/// The item's index is the next in its fan-out.
pub(super) const NEXT_INDEX: u8 = 0x40;
/// The item lies more than one level below the step that gave it.
pub(super) const PARTS: u8 = 0x80;
/// Several steps of one item were not run.
pub(super) const MANY: u8 = 0x40;
/// Something lay below the superseded item.
pub(super) const BELOW: u8 = 0x40;
/// A failed step was the reason.
pub(super) const CAUSE: u8 = 0x80;
