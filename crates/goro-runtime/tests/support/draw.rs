//! Drawing programs from a seed.

/// A small generator, so that programs stay what they are whatever the runtime draws.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// `GORO_SEED` asks for one seed, `GORO_SEEDS` for so many.
pub(crate) fn seeds(default: u64) -> std::ops::Range<u64> {
    let from = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    match (from("GORO_SEED"), from("GORO_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(default),
    }
}
