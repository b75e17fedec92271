//! What travels through the kernel and back: a slot's key and the generation it was given out in.
//!
//! ```text
//!  63            32 31             0      64-bit targets
//! +----------------+----------------+
//! |   generation   |      key       |     (20 key bits and 12 of generation on 32-bit ones)
//! +----------------+----------------+
//! ```
//!
//! Invariants:
//! 1. Never a pointer: a token that arrives late, twice or from nowhere can at worst name nobody.
//! 2. The highest key is never a slot's: its tokens are the reactor's own (notice and alarm).
//! 3. Generations count registrations of the whole reactor, not of a slot, so that a slot's next
//!    tenant differs from the last unless exactly 2^32 registrations lie between them.

/// How many low bits of a token are the key.
const KEY_BITS: u32 = if usize::BITS == 64 { 32 } else { 20 };
const KEY_MASK: usize = (1 << KEY_BITS) - 1;

/// The first generation: near the wrap in debug builds, so that tests cross it.
pub(crate) const FIRST_GENERATION: u32 =
    if cfg!(debug_assertions) { Token::LAST_GENERATION - 2 } else { 0 };

/// A slot's key and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token(usize);

impl Token {
    /// Names the [`notify`](crate::Reactor::notify) descriptor.
    pub(crate) const NOTICE: Self = Self(usize::MAX);
    /// Names the timer descriptor.
    pub(crate) const ALARM: Self = Self(usize::MAX - (1 << KEY_BITS));
    /// Slots must have keys below this.
    pub(crate) const KEY_LIMIT: usize = KEY_MASK;
    /// The generation after which counting starts over.
    pub(crate) const LAST_GENERATION: u32 = (usize::MAX >> KEY_BITS) as u32;

    /// Joins a key below [`KEY_LIMIT`](Self::KEY_LIMIT) and a generation.
    pub(crate) fn new(key: usize, generation: u32) -> Self {
        debug_assert!(key < Self::KEY_LIMIT, "the directory refuses keys this high");
        Self((generation as usize) << KEY_BITS | key)
    }

    pub(crate) fn key(self) -> usize {
        self.0 & KEY_MASK
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> KEY_BITS) as u32
    }

    /// The generation that follows `generation`.
    pub(crate) fn generation_after(generation: u32) -> u32 {
        if generation == Self::LAST_GENERATION { 0 } else { generation + 1 }
    }

    /// As a number for reports and wait notes.
    pub(crate) fn number(self) -> u64 {
        self.0 as u64
    }
}

impl From<mio::Token> for Token {
    fn from(token: mio::Token) -> Self {
        Self(token.0)
    }
}

impl From<Token> for mio::Token {
    fn from(token: Token) -> Self {
        Self(token.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Pitfall 140: nothing of a token is lost on its way through the kernel.
        #[test]
        fn a_token_comes_back_as_it_went(
            key in 0..Token::KEY_LIMIT,
            generation in 0..=Token::LAST_GENERATION,
        ) {
            let back = Token::from(mio::Token::from(Token::new(key, generation)));
            prop_assert_eq!(back.key(), key);
            prop_assert_eq!(back.generation(), generation);
            prop_assert!(back != Token::NOTICE && back != Token::ALARM);
        }

        #[test]
        fn two_tokens_are_equal_only_if_both_halves_are(
            a in (0..Token::KEY_LIMIT, 0..=Token::LAST_GENERATION),
            b in (0..Token::KEY_LIMIT, 0..=Token::LAST_GENERATION),
        ) {
            prop_assert_eq!(Token::new(a.0, a.1) == Token::new(b.0, b.1), a == b);
        }
    }

    #[test]
    fn generations_wrap_to_zero() {
        assert_eq!(Token::generation_after(7), 8);
        assert_eq!(Token::generation_after(Token::LAST_GENERATION), 0);
    }

    #[test]
    fn the_reactors_own_tokens_have_a_key_no_slot_gets() {
        assert_ne!(Token::NOTICE, Token::ALARM);
        for token in [Token::NOTICE, Token::ALARM] {
            assert_eq!(token.key(), Token::KEY_LIMIT);
        }
    }
}
