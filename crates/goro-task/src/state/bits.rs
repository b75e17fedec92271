//! Where what stands in the state word; the table at the head of the word's module says what it
//! means.

pub(super) const LIVE: u64 = 1;
pub(super) const ABORT: u64 = 1 << 1;
pub(super) const JOIN: u64 = 1 << 2;
pub(super) const DETACH: u64 = 1 << 3;
pub(super) const JWAKER: u64 = 1 << 4;
pub(super) const REASON_SHIFT: u32 = 5;
pub(super) const REASON: u64 = 0b111 << REASON_SHIFT;
pub(super) const REF: u64 = 1 << 8;
pub(super) const REFS: u64 = ((1 << 28) - 1) << 8;
pub(super) const WAKE: u64 = 1 << 36;

/// What keeps the memory.
pub(super) const HOLDS: u64 = LIVE | JOIN | JWAKER | REFS;
/// From here on a wake no longer counts; the other half of the range is for those who overshoot.
pub(super) const MAX_WAKES: u64 = WAKE << 27;
/// Half the range again, so that threads racing past the check cannot wrap the field.
pub(super) const MAX_REFS: u64 = REF << 27;

/// The wakes, where they stand.
#[inline]
pub(super) fn wakes(word: u64) -> u64 {
    word & !(WAKE - 1)
}
