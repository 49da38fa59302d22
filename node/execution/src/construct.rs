//! What constructors leave when they run where their contract is to be: accounts for a genesis
//! file.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use revm::SystemCallEvm;
use revm::context_interface::ContextTr;
use revm::context_interface::result::ExecutionResult;
use tbsi_types::genesis::GenesisAccount;
use tbsi_types::{Account, Height, StateDiff, TimestampMs};

use crate::environment::{BlockContext, Environment};
use crate::error::{ExecutionError, fatal};
use crate::genesis::{Written, words};

/// Bytes of a contract's code (EIP-170).
const CODE_BYTES_MAX: usize = 0x6000;
/// Code may not begin with it (EIP-3541).
const RESERVED: u8 = 0xef;

/// Why init code makes no contract.
#[derive(Debug, thiserror::Error)]
pub enum ConstructionError {
    /// The constructor does not end well.
    #[error("the constructor of the contract at {address} ends with {words}")]
    Refused {
        /// Where the contract was to be.
        address: Address,
        /// How it ended, with its revert data.
        words: String,
    },
    /// What it returns cannot be a contract.
    #[error("the contract at {address}: {problem}")]
    Contract {
        /// Where the contract was to be.
        address: Address,
        /// What is wrong.
        problem: String,
    },
    /// revm failed in a way that no init code can cause.
    #[error("run a constructor")]
    Execution(#[from] ExecutionError),
}

/// Runs init codes, arguments included, one after the other, each at its address on the chain
/// with this id, and returns all accounts that there are then: the contracts, and those that
/// their constructors created. The chain is at height 0 and time 0, and the caller is the system
/// address: a constructor that asks for these would not be the same everywhere.
pub fn construct(
    chain_id: u64,
    contracts: &[(Address, Bytes)],
) -> Result<BTreeMap<Address, GenesisAccount>, ConstructionError> {
    let mut state = StateDiff::default();
    for (address, init_code) in contracts {
        if state.accounts.contains_key(address) {
            let problem = "there is another one at this address".into();
            return Err(ConstructionError::Contract {
                address: *address,
                problem,
            });
        }
        let code = run(chain_id, &mut state, *address, init_code)?;
        check(&code).map_err(|problem| ConstructionError::Contract {
            address: *address,
            problem,
        })?;
        place(&mut state, *address, code);
    }
    Ok(accounts(&state))
}

/// Runs one constructor, takes over what it wrote, and returns what it returned.
fn run(
    chain_id: u64,
    state: &mut StateDiff,
    address: Address,
    init_code: &Bytes,
) -> Result<Bytes, ConstructionError> {
    // A contract under construction finds its init code and arguments where code is.
    place(state, address, init_code.clone());
    let context = BlockContext {
        chain_id,
        genesis_hash: B256::ZERO,
        height: Height::GENESIS,
        time: TimestampMs(0),
        beneficiary: Address::ZERO,
        gas_limit: u64::MAX,
        parent_hash: B256::ZERO,
    };
    let (code, written) = {
        let view = Written(state);
        let environment = Environment::new(&context, &view).map_err(ExecutionError::from)?;
        let mut evm = environment.evm(&view);
        let called = evm.system_call(address, Bytes::new()).map_err(fatal)?;
        let ExecutionResult::Success { output, .. } = called.result else {
            return Err(ConstructionError::Refused {
                address,
                words: words(&called.result),
            });
        };
        let kept = evm.ctx.db_mut().commit(called.state);
        kept.map_err(|error| ExecutionError::View(error.0))?;
        (output.into_data(), evm.ctx.journaled_state.database.diff())
    };
    state.codes.extend(written.codes);
    for (changed, change) in written.accounts {
        let entry = state.accounts.entry(changed).or_default();
        entry.account = change.account;
        entry.storage.extend(change.storage);
    }
    Ok(code)
}

/// Gives an account this code, and if it is new the nonce of a contract (EIP-161).
fn place(state: &mut StateDiff, address: Address, code: Bytes) {
    let code_hash = keccak256(&code);
    let entry = state.accounts.entry(address).or_default();
    let account = entry.account.get_or_insert(Account {
        nonce: 1,
        ..Account::default()
    });
    account.code_hash = code_hash;
    state.codes.insert(code_hash, code);
}

fn check(code: &Bytes) -> Result<(), String> {
    if code.is_empty() {
        return Err("its constructor returns no code".into());
    }
    if code.len() > CODE_BYTES_MAX {
        let got = code.len();
        return Err(format!(
            "its code has {got} bytes, at most {CODE_BYTES_MAX} are allowed"
        ));
    }
    if code[0] == RESERVED {
        return Err("its code begins with the reserved byte 0xef".into());
    }
    Ok(())
}

fn accounts(state: &StateDiff) -> BTreeMap<Address, GenesisAccount> {
    let mut accounts = BTreeMap::new();
    for (address, change) in &state.accounts {
        let Some(account) = change.account else {
            continue;
        };
        let code = state.codes.get(&account.code_hash).cloned();
        let storage = change.storage.iter();
        let storage = storage.filter(|(_, value)| !value.is_zero());
        let entry = GenesisAccount {
            balance: account.balance,
            nonce: account.nonce,
            code: code.unwrap_or_default(),
            storage: storage.map(|(slot, value)| (*slot, *value)).collect(),
        };
        accounts.insert(*address, entry);
    }
    accounts
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, address, hex};

    use super::*;

    const HERE: Address = address!("00000000000000000000000000000000000000aa");
    const THERE: Address = address!("00000000000000000000000000000000000000bb");
    const CHAIN: u64 = 8_862_026;

    fn init(code: &str) -> Bytes {
        hex::decode(code).unwrap().into()
    }

    fn one(code: &str) -> BTreeMap<Address, GenesisAccount> {
        construct(CHAIN, &[(HERE, init(code))]).unwrap()
    }

    #[test]
    fn keeps_what_the_constructor_returns_and_writes() {
        // sstore(7, 42), sstore(8, 0); returns the byte 00.
        let built = one("602a600755600060085560016000f3");
        assert_eq!(built.len(), 1);
        let contract = &built[&HERE];
        assert_eq!((contract.nonce, contract.balance), (1, U256::ZERO));
        assert_eq!(
            contract.storage,
            BTreeMap::from([(U256::from(7), U256::from(42))])
        );
        assert_eq!(contract.code, init("00"));
    }

    #[test]
    fn knows_the_chain_and_its_own_address() {
        // mstore(0, chainid), mstore(32, address), return(0, 64)
        let built = one("466000523060205260406000f3");
        let code = &built[&HERE].code;
        assert_eq!(U256::from_be_slice(&code[..32]), U256::from(CHAIN));
        assert_eq!(Address::from_slice(&code[44..64]), HERE);
    }

    #[test]
    fn finds_its_arguments_after_its_code() {
        // codecopy(0, 12, 32), return(0, 32), then the argument.
        let argument = "11".repeat(32);
        let built = one(&format!("6020600c60003960206000f3{argument}"));
        assert_eq!(built[&HERE].code, init(&argument));
    }

    #[test]
    fn keeps_what_the_constructor_created() {
        // mstore(0, init code that returns one zero byte), create(0, 27, 5), return(0, 1)
        let built = one("6460016000f36000526005601b6000f05060016000f3");
        let child = HERE.create(1);
        assert_eq!(built[&child].code, init("00"));
        assert_eq!((built[&child].nonce, built[&HERE].nonce), (1, 2));
    }

    #[test]
    fn later_ones_see_earlier_ones() {
        // mstore(0, extcodesize(bb)), return(0, 32)
        let look = init("60bb3b60005260206000f3");
        let stays = init("60016000f3");
        let built = construct(CHAIN, &[(THERE, stays), (HERE, look)]).unwrap();
        assert_eq!(U256::from_be_slice(&built[&HERE].code), U256::from(1));
    }

    #[test]
    fn refuses_what_makes_no_contract() {
        let refuse = |contracts: &[(Address, Bytes)], words: &str| {
            let said = construct(CHAIN, contracts).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        };
        let one = |code: &str, words: &str| refuse(&[(HERE, init(code))], words);
        one("60006000fd", "ends with revert 0x");
        one("fe", "ends with");
        one("00", "returns no code");
        one("6160016000f3", "code has 24577 bytes, at most 24576");
        one("60ef60005360016000f3", "reserved byte 0xef");
        let code = init("60016000f3");
        let twice = [(HERE, code.clone()), (HERE, code)];
        refuse(&twice, "there is another one");
    }
}
