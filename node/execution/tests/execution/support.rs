//! A state in memory, keys that sign, and bytecode by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::{Header, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, TxKind, U256, keccak256};
use revm::bytecode::opcode as op;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use tbsi_execution::{BlockContext, ExecutionError, Outcome, Protocol, execute};
use tbsi_governance::consent::{Joining, consent};
use tbsi_governance::contracts::Permissions::addAccountCall;
use tbsi_types::block::prev_randao;
use tbsi_types::{
    Account, ChainIdentity, Height, StateDiff, StateView, TimestampMs, Transaction, TxEnvelope,
    ViewError,
};

pub(crate) const CHAIN_ID: u64 = 8_862_026;
pub(crate) const BLOCK_GAS: u64 = 300_000_000;
pub(crate) const BENEFICIARY: Address = Address::repeat_byte(0xbe);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemoryState {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) storage: BTreeMap<(Address, U256), U256>,
    pub(crate) codes: BTreeMap<B256, Bytes>,
}

impl MemoryState {
    pub(crate) fn with_code(mut self, address: Address, code: impl Into<Bytes>) -> Self {
        let code = code.into();
        let code_hash = keccak256(&code);
        self.accounts.entry(address).or_default().code_hash = code_hash;
        self.codes.insert(code_hash, code);
        self
    }

    pub(crate) fn with_balance(mut self, address: Address, balance: u64) -> Self {
        self.accounts.entry(address).or_default().balance = U256::from(balance);
        self
    }

    pub(crate) fn slot(&self, address: Address, slot: u64) -> U256 {
        let key = (address, U256::from(slot));
        self.storage.get(&key).copied().unwrap_or_default()
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.accounts
            .get(&address)
            .map(|account| account.balance)
            .unwrap_or_default()
    }

    /// Applies a diff and refuses one that is not minimal or not complete.
    pub(crate) fn apply(&mut self, diff: &StateDiff) {
        for (hash, code) in &diff.codes {
            assert_eq!(*hash, keccak256(code));
            self.codes.insert(*hash, code.clone());
        }
        for (address, change) in &diff.accounts {
            let before = self.accounts.get(address).copied();
            let some_change = before != change.account || change.storage_wiped;
            assert!(some_change || !change.storage.is_empty(), "{address}");
            assert!(change.account.is_none_or(|account| !account.is_empty()));
            if change.storage_wiped {
                self.storage.retain(|(owner, _), _| owner != address);
            }
            match change.account {
                Some(account) => {
                    assert!(
                        account.code_hash == KECCAK256_EMPTY
                            || self.codes.contains_key(&account.code_hash)
                    );
                    self.accounts.insert(*address, account);
                }
                None => {
                    assert!(before.is_some() && change.storage_wiped && change.storage.is_empty());
                    self.accounts.remove(address);
                }
            }
            for (slot, value) in &change.storage {
                let key = (*address, *slot);
                let before = self.storage.get(&key).copied().unwrap_or_default();
                assert_ne!(before, *value, "{address} {slot}");
                if value.is_zero() {
                    self.storage.remove(&key);
                } else {
                    self.storage.insert(key, *value);
                }
            }
        }
    }

    /// Executes a block at `height` and applies it.
    pub(crate) fn advance(
        &mut self,
        height: u64,
        transactions: &[Arc<Transaction>],
    ) -> Result<Outcome, ExecutionError> {
        let outcome = execute(self, &context(height), transactions)?;
        self.apply(&outcome.diff);
        Ok(outcome)
    }
}

impl StateView for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        Ok(self.codes[&code_hash].clone())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let value = self.storage.get(&(address, slot));
        Ok(value.copied().unwrap_or_default())
    }

    fn block_hash(&self, height: u64) -> Result<B256, ViewError> {
        Ok(block_hash(height))
    }
}

/// A state on a broken disk.
pub(crate) struct Unreadable;

impl Unreadable {
    fn error<T>() -> Result<T, ViewError> {
        Err(ViewError {
            what: "account".into(),
            source: "input/output error".into(),
        })
    }
}

impl StateView for Unreadable {
    fn account(&self, _: Address) -> Result<Option<Account>, ViewError> {
        Self::error()
    }

    fn code(&self, _: B256) -> Result<Bytes, ViewError> {
        Self::error()
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ViewError> {
        Self::error()
    }

    fn block_hash(&self, _: u64) -> Result<B256, ViewError> {
        Self::error()
    }
}

pub(crate) fn block_hash(height: u64) -> B256 {
    keccak256(height.to_string())
}

pub(crate) fn context(height: u64) -> BlockContext {
    BlockContext {
        chain_id: CHAIN_ID,
        genesis_hash: B256::repeat_byte(2),
        height: Height(height),
        time: TimestampMs(1_700_000_000_999 + height),
        beneficiary: BENEFICIARY,
        gas_limit: BLOCK_GAS,
        parent_hash: block_hash(height - 1),
    }
}

/// The chain's rules.
pub(crate) fn protocol() -> Protocol {
    Protocol::of(&ChainIdentity {
        chain_id: CHAIN_ID,
        genesis_hash: B256::repeat_byte(2),
    })
}

/// A header that says the same as a context.
pub(crate) fn header_of(context: &BlockContext) -> Header {
    Header {
        number: context.height.0,
        timestamp: context.time.seconds(),
        gas_limit: context.gas_limit,
        beneficiary: context.beneficiary,
        parent_hash: context.parent_hash,
        mix_hash: prev_randao(context.parent_hash, context.height),
        base_fee_per_gas: Some(0),
        ..Header::default()
    }
}

/// A key without funds.
pub(crate) struct Wallet {
    key: SecretKey,
    pub(crate) address: Address,
}

impl Wallet {
    pub(crate) fn new(seed: u8) -> Self {
        Self::of([seed; 32])
    }

    /// One of many: a small number's, none of [`Wallet::new`].
    pub(crate) fn numbered(number: u64) -> Self {
        let secret = U256::from_limbs([number, 0, 1, 0]);
        Self::of(secret.to_be_bytes::<32>())
    }

    fn of(secret: [u8; 32]) -> Self {
        let key = SecretKey::from_byte_array(secret).unwrap();
        let public = PublicKey::from_secret_key(SECP256K1, &key).serialize_uncompressed();
        let address = Address::from_raw_public_key(&public[1..]);
        Self { key, address }
    }

    /// The call by which organisation 2 takes this wallet in, with its consent, to send.
    pub(crate) fn joining(&self) -> addAccountCall {
        let joining = Joining {
            chain_id: CHAIN_ID,
            organisation: 2,
            account: self.address,
            permissions: 1,
            nonce: 0,
            deadline: 1 << 40,
        };
        let key = tbsi_types::SecretKey::parse(&self.key.secret_bytes());
        addAccountCall {
            account: self.address,
            permissions: joining.permissions,
            consent: consent(&joining, &key.unwrap()),
        }
    }

    pub(crate) fn sign_digest(&self, digest: B256) -> Signature {
        let message = Message::from_digest(digest.0);
        let (id, bytes) = SECP256K1
            .sign_ecdsa_recoverable(message, &self.key)
            .serialize_compact();
        Signature::from_bytes_and_parity(&bytes, i32::from(id) == 1)
    }

    /// Any transaction, also one that this chain does not take.
    pub(crate) fn sign<T>(&self, tx: T) -> Arc<Transaction>
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<alloy_consensus::Signed<T>>,
    {
        let signature = self.sign_digest(tx.signature_hash());
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        Arc::new(Transaction::parse_any_chain(&envelope.encoded_2718()).unwrap())
    }

    pub(crate) fn call(&self, nonce: u64, to: Address, input: &[u8]) -> Arc<Transaction> {
        self.sign(TxEip1559 {
            nonce,
            to: TxKind::Call(to),
            input: Bytes::copy_from_slice(input),
            ..plain()
        })
    }

    pub(crate) fn send(&self, nonce: u64, to: Address, value: u64) -> Arc<Transaction> {
        self.sign(TxEip1559 {
            nonce,
            to: TxKind::Call(to),
            value: U256::from(value),
            ..plain()
        })
    }

    pub(crate) fn create(&self, nonce: u64, init_code: Vec<u8>) -> Arc<Transaction> {
        self.sign(TxEip1559 {
            nonce,
            to: TxKind::Create,
            input: init_code.into(),
            ..plain()
        })
    }

    pub(crate) fn authorize(&self, nonce: u64, target: Address) -> SignedAuthorization {
        let authorization = Authorization {
            chain_id: U256::from(CHAIN_ID),
            address: target,
            nonce,
        };
        let signature = self.sign_digest(authorization.signature_hash());
        authorization.into_signed(signature)
    }
}

/// A clock that stands still.
pub(crate) const NOW: &dyn Fn() -> std::time::Duration = &|| std::time::Duration::ZERO;

/// Enough gas, and a bid of 100 gwei that nobody pays.
pub(crate) fn plain() -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        gas_limit: 500_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        ..TxEip1559::default()
    }
}

/// Two words of calldata.
pub(crate) fn words(first: u64, second: u64) -> Vec<u8> {
    [
        U256::from(first).to_be_bytes::<32>(),
        U256::from(second).to_be_bytes::<32>(),
    ]
    .concat()
}

/// Init code that deploys `runtime`.
pub(crate) fn deploying(runtime: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    let copy = [
        op::PUSH2,
        high,
        low,
        op::DUP1,
        op::PUSH1,
        10,
        op::PUSH0,
        op::CODECOPY,
        op::PUSH0,
        op::RETURN,
    ];
    [&copy[..], runtime].concat()
}

/// `storage[calldata[0]] = calldata[1]`, and a log of the value.
pub(crate) const STORE: &[u8] = &[
    op::PUSH1,
    32,
    op::CALLDATALOAD,
    op::PUSH0,
    op::CALLDATALOAD,
    op::SSTORE, // store
    op::PUSH1,
    32,
    op::CALLDATALOAD,
    op::PUSH0,
    op::MSTORE,
    op::PUSH1,
    7,
    op::PUSH1,
    32,
    op::PUSH0,
    op::LOG1, // log, topic 7
    op::STOP,
];

/// Logs, then reverts with the calldata.
pub(crate) const REVERT: &[u8] = &[
    op::PUSH0,
    op::PUSH0,
    op::LOG0,
    op::CALLDATASIZE,
    op::PUSH0,
    op::PUSH0,
    op::CALLDATACOPY,
    op::CALLDATASIZE,
    op::PUSH0,
    op::REVERT,
];

/// Sends its balance to the caller and, if created in the same transaction, is gone (EIP-6780).
pub(crate) const DESTROY: &[u8] = &[op::CALLER, op::SELFDESTRUCT];

/// CREATE2 with all value, salt `calldata[0]` and the rest of the calldata as init code.
pub(crate) const FACTORY: &[u8] = &[
    op::PUSH1,
    32,
    op::CALLDATASIZE,
    op::SUB,
    op::PUSH1,
    32,
    op::PUSH0,
    op::CALLDATACOPY, // copy
    op::PUSH0,
    op::CALLDATALOAD,
    op::PUSH1,
    32,
    op::CALLDATASIZE,
    op::SUB,
    op::PUSH0,
    op::CALLVALUE,
    op::CREATE2,
    op::POP,
    op::STOP,
];

/// Code that returns the word which `expression` leaves on the stack.
pub(crate) fn returning(expression: &[u8]) -> Vec<u8> {
    let end = [op::PUSH0, op::MSTORE, op::PUSH1, 32, op::PUSH0, op::RETURN];
    [expression, &end].concat()
}

/// Code that pushes an address.
pub(crate) fn push(address: Address) -> Vec<u8> {
    [&[op::PUSH20][..], address.as_slice()].concat()
}
