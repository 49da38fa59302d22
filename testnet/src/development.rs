//! Accounts for trying things out. Their keys are **public**: whoever reads this can use them.
//! On TBSI no account needs funds, so any fresh key serves as well.

use tbsi_types::{Address, B256, SecretKey};

/// How many accounts [`accounts`] returns.
pub const ACCOUNTS: usize = 3;

/// A development account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevelopmentAccount {
    /// Its address.
    pub address: Address,
    /// Its secret key, which is no secret.
    pub secret_key: B256,
}

/// The development accounts, the same on every machine.
pub fn accounts() -> [DevelopmentAccount; ACCOUNTS] {
    std::array::from_fn(|index| {
        let seed = format!("TBSI public development account {}", index + 1);
        let key = SecretKey::from_seed(seed.as_bytes());
        DevelopmentAccount {
            address: key.public_key().address(),
            secret_key: B256::from(key.expose()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_never_change() {
        let addresses = accounts().map(|account| account.address.to_string());
        assert_eq!(
            addresses,
            [
                "0xA09F340131eB42DABd2aFa1AAF09aBb8FCcA7a72",
                "0xd3d9Aa21407233aB73303FC518cc25d626957f30",
                "0x43Ff3DE8bF454A33d93f7169bB0541C501F99A44",
            ]
        );
    }
}
