//! Which of the two attributes is meant.

/// An attribute of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `#[goro::main]`
    Main,
    /// `#[goro::test]`
    Test,
}

impl Entry {
    /// The attribute as the user wrote it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Main => "#[goro::main]",
            Self::Test => "#[goro::test]",
        }
    }

    /// The arguments that it knows.
    pub(crate) fn arguments(self) -> &'static str {
        match self {
            Self::Main => "`workers = N`, `flavor = \"local\"`, `crate = \"path\"` and `shutdown`",
            Self::Test => {
                "`sim`, `seeds = N`, `workers = N`, `flavor = \"local\"` and `crate = \"path\"`"
            }
        }
    }

    /// The facade's function behind it, and the last segment of the attribute's path.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
        }
    }

    /// The facade's function behind it for the local flavor.
    pub(crate) fn local(self) -> &'static str {
        match self {
            Self::Main => "local_main",
            Self::Test => "local_test",
        }
    }

    /// How many workers there are when the user does not say; `None` leaves it to the facade.
    pub(crate) fn workers(self) -> Option<usize> {
        match self {
            Self::Main => None,
            // Two, so that tasks run in parallel, and as many on the author's machine as elsewhere.
            Self::Test => Some(2),
        }
    }
}
