//! By what a fact of another chain was proven (SPEC §16.1).

/// The kind of a light client of another chain, and thereby what its facts rest on. The code
/// is in every leaf of a foreign fact. Code 3 is set aside for Ethereum's sync committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// QBFT of Besu and GoQuorum: at least two thirds of the block's validators sealed it, and
    /// more than the tolerated number of faults of those who were trusted before.
    Qbft,
    /// IBFT 2.0 of Besu: the same, in other bytes.
    Ibft2,
}

impl Assurance {
    /// Every kind that there is.
    pub const ALL: [Self; 2] = [Self::Qbft, Self::Ibft2];

    /// As in leaves, calls and events.
    pub fn code(self) -> u8 {
        match self {
            Self::Qbft => 1,
            Self::Ibft2 => 2,
        }
    }

    /// As people read and type it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Qbft => "qbft",
            Self::Ibft2 => "ibft2",
        }
    }

    /// The kind with a code; `None` if this version knows none.
    pub fn by_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// The kind with a label.
    pub fn by_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.label() == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_labels_lead_back() {
        for known in Assurance::ALL {
            assert_eq!(Assurance::by_code(known.code()), Some(known));
            assert_eq!(Assurance::by_label(known.label()), Some(known));
        }
        assert_eq!(Assurance::by_code(0), None);
        assert_eq!(Assurance::by_code(3), None);
        assert_eq!(Assurance::by_label("QBFT"), None);
    }
}
