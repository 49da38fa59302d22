//! A chain that governs itself, and its words of SPEC §13.4 written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, TxKind, U256, keccak256};
use alloy_sol_types::{Revert, SolCall, SolError};
use revm::bytecode::opcode as op;
use tbsi_bindings::genesis::Attestations::attestCall;
use tbsi_bindings::genesis::Outbox::sendCall;
use tbsi_execution::{BuildLimits, Built, build, execute, genesis_diff, system_accounts};
use tbsi_governance::abi::{HANDOVER_SLOT, NODES, ORGANISATIONS, PERMISSIONS, handover_due};
use tbsi_types::genesis::{ConsensusParameters, GovernanceEntry, OrganisationEntry, Permission};
use tbsi_types::{CallOutcome, Genesis, TimestampMs, Transaction};

use crate::support::*;

pub(crate) const SEND: u64 = 1;
pub(crate) const DEPLOY: u64 = 2;
pub(crate) const ATTEST: u64 = 4;
pub(crate) const UNLIMITED: u64 = u64::MAX;
/// Of the tests' blocks, which are all in one period.
pub(crate) const PERIOD: u64 = 1_700_000_000 / 60;

/// With this many organisations, numbered from 1; the wallet of a number may do everything for
/// its organisation.
pub(crate) fn founded(organisations: u8) -> MemoryState {
    let mut state = MemoryState::default();
    state.apply(&genesis_diff(&genesis(organisations)).unwrap());
    state
}

/// Its file.
pub(crate) fn genesis(organisations: u8) -> Genesis {
    let tax_ids = ["04595257", "10458575", "12345675", "22099131"];
    let all: BTreeSet<Permission> = Permission::ALL.into();
    let organisation = |number: u8| {
        let entry = OrganisationEntry {
            name_zh_tw: format!("台灣測試公會{number}"),
            name_en: format!("Test Association {number}"),
            tax_id: Some(tax_ids[usize::from(number) - 1].into()),
            agreement_hash: Some(B256::repeat_byte(1)),
            accounts: BTreeMap::from([(Wallet::new(number).address, all.clone())]),
            ..OrganisationEntry::default()
        };
        (format!("org{number}"), entry)
    };
    Genesis {
        version: 1,
        name: "test".into(),
        chain_id: CHAIN_ID,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: BLOCK_GAS,
        consensus: ConsensusParameters::default(),
        organisations: (1..=organisations).map(organisation).collect(),
        nodes: Vec::new(),
        governance: Some(GovernanceEntry::development()),
        accounts: system_accounts(true),
    }
}

fn entry(key: U256, slot: u64) -> U256 {
    let slot = U256::from(slot).to_be_bytes::<32>();
    keccak256([key.to_be_bytes::<32>(), slot].concat()).into()
}

impl MemoryState {
    fn word(&mut self, contract: Address, slot: U256, low_first: &[u64]) {
        let mut limbs = [0; 4];
        limbs[..low_first.len()].copy_from_slice(low_first);
        self.storage
            .insert((contract, slot), U256::from_limbs(limbs));
    }

    /// Gives an account of an organisation, or of nobody (0), these permissions.
    pub(crate) fn grant(&mut self, account: Address, organisation: u64, bits: u64) {
        let slot = entry(account.into_word().into(), 0);
        self.word(PERMISSIONS, slot, &[organisation | bits << 32]);
    }

    /// An active organisation that nothing else is known of.
    pub(crate) fn activate(&mut self, organisation: u64) {
        self.word(ORGANISATIONS, entry(U256::from(organisation), 0), &[1]);
    }

    pub(crate) fn limit(&mut self, organisation: u64, gas: u64, leaves: u64) {
        let slot = entry(U256::from(organisation), 1);
        self.word(PERMISSIONS, slot, &[gas, leaves]);
    }

    /// What accounts of nobody may do.
    pub(crate) fn open_to_the_public(&mut self, bits: u64) {
        self.word(PERMISSIONS, U256::from(3), &[bits | 60 << 32]);
    }

    /// The validators hand over with the first block of this time or later.
    pub(crate) fn hand_over_at(&mut self, seconds: u64) {
        let low_first = [seconds << 32, seconds >> 32];
        self.word(NODES, HANDOVER_SLOT, &low_first);
    }

    /// When they hand over.
    pub(crate) fn handover_due(&self) -> Option<u64> {
        let word = self.storage.get(&(NODES, HANDOVER_SLOT)).copied();
        handover_due(word.unwrap_or_default())
    }

    /// Gas and leaves that an organisation used in [`PERIOD`].
    pub(crate) fn used(&self, organisation: u64) -> (u64, u64) {
        let slot = entry(U256::from(organisation), 2);
        let word = self.storage.get(&(PERMISSIONS, slot));
        let [period, gas, leaves, _] = word.copied().unwrap_or_default().into_limbs();
        assert!(period == PERIOD || word.is_none(), "{period}");
        (gas, leaves)
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        let account = self.accounts.get(&address);
        account.map_or(0, |account| account.nonce)
    }

    /// Builds a block of these candidates, which every validator then executes alike, and
    /// applies it.
    pub(crate) fn build(&mut self, height: u64, candidates: &[Arc<Transaction>]) -> Built {
        let limits = BuildLimits {
            bytes_max: usize::MAX,
            gas_max: u64::MAX,
            time_max: std::time::Duration::MAX,
            transaction_time_max: std::time::Duration::MAX,
        };
        let mut iterator = candidates.iter().cloned();
        let context = context(height);
        let built = build(self, &context, limits, &mut iterator, NOW).unwrap();
        let executed = execute(self, &context, &built.transactions).unwrap();
        assert_eq!(executed, built.outcome);
        self.apply(&executed.diff);
        built
    }
}

impl Wallet {
    /// A call with the most gas that a transaction may have.
    pub(crate) fn call_with_all(
        &self,
        nonce: u64,
        to: Address,
        input: Vec<u8>,
    ) -> Arc<Transaction> {
        self.sign(TxEip1559 {
            nonce,
            gas_limit: 1 << 24,
            to: TxKind::Call(to),
            input: input.into(),
            ..plain()
        })
    }
}

/// The call data that attests one digest.
pub(crate) fn attesting(digest: u64) -> Vec<u8> {
    let call = attestCall {
        schema: keccak256("tbsi:file:v1"),
        algorithm: 0x12,
        words: vec![U256::from(digest).into()],
    };
    call.abi_encode()
}

/// The call data that sends a message to another chain.
pub(crate) fn message(number: u64) -> Vec<u8> {
    let call = sendCall {
        destination: B256::repeat_byte(1),
        receiver: B256::repeat_byte(2),
        timeout: u64::MAX,
        payloadHash: U256::from(number).into(),
    };
    call.abi_encode()
}

/// Calls `target` by `opcode` (CALL or DELEGATECALL) with its own call data, and leaves on the
/// stack whether that went well.
pub(crate) fn forwarding(opcode: u8, target: Address) -> Vec<u8> {
    let input = [op::CALLDATASIZE, op::PUSH0, op::PUSH0, op::CALLDATACOPY];
    let arguments = [op::PUSH0, op::PUSH0, op::CALLDATASIZE, op::PUSH0];
    let value: &[u8] = if opcode == op::CALL {
        &[op::PUSH0]
    } else {
        &[]
    };
    let target = push(target);
    let call = [op::GAS, opcode];
    [&input[..], &arguments, value, &target, &call].concat()
}

/// The words of a call that reverted.
pub(crate) fn reverted(outcome: &CallOutcome) -> String {
    let CallOutcome::Reverted { output, .. } = outcome else {
        panic!("{outcome:?}");
    };
    Revert::abi_decode(output).unwrap().reason
}
