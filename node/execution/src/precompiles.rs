//! What this chain's machine has beside Ethereum's precompiles (SPEC §5.3), and which of both a
//! call takes to be elsewhere.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use alloy_primitives::{Address, address};
use ed25519_dalek::{Signature, VerifyingKey};
use revm::context_interface::{Cfg, ContextTr, JournalTr, LocalContextTr};
use revm::handler::{EthPrecompiles, PrecompileProvider, precompile_output_to_interpreter_result};
use revm::interpreter::{CallInputs, InterpreterResult};
use revm::precompile::{
    EthPrecompileOutput, EthPrecompileResult, Precompile, PrecompileHalt, PrecompileId,
    PrecompileResult, Precompiles, call_eth_precompile,
};
use revm::primitives::AddressSet;
use revm::primitives::hardfork::SpecId;

use crate::foreign::{self, FOREIGN_ANCESTOR, FOREIGN_HEADER, FOREIGN_STORAGE};
use crate::rules::{Rules, VERSIONS, rules_of};

/// Verifies an Ed25519 signature (RFC 8032): message 32, public key 32, signature 64 bytes.
pub(crate) const ED25519_VERIFY: Address = address!("0000000000000000000000000000000000001100");

/// About what 2,000 gas of ecrecover costs in time, with a margin: a verification takes less
/// than twice as long as one recovery, which is 3,000 gas.
const ED25519_GAS: u64 = 6_000;
const ED25519_INPUT_BYTES: usize = 128;

/// The precompiles that a machine has.
#[derive(Clone, Debug)]
pub(crate) enum Installed {
    /// As the rules say.
    ByRules(EthPrecompiles),
    /// As a call takes them to be.
    Overridden(Box<Overridden>),
}

/// Precompiles by where they are.
#[derive(Clone, Debug)]
pub(crate) struct Overridden {
    by_address: BTreeMap<Address, Precompile>,
    warm: AddressSet,
}

impl Installed {
    pub(crate) fn get(&self, address: &Address) -> Option<&Precompile> {
        match self {
            Self::ByRules(rules) => rules.precompiles.get(address),
            Self::Overridden(overridden) => overridden.by_address.get(address),
        }
    }

    /// Puts a precompile somewhere else, or away.
    pub(crate) fn relocate(&mut self, from: Address, to: Option<Address>) {
        // What is warm stays so, and nothing else becomes it (go-ethereum's).
        let (mut by_address, warm): (BTreeMap<Address, Precompile>, AddressSet) = match self {
            Self::ByRules(rules) => {
                let all = rules.precompiles.inner().iter();
                let all = all.map(|(address, it)| (*address, it.clone())).collect();
                (all, rules.precompiles.addresses_set().clone())
            }
            Self::Overridden(overridden) => (
                std::mem::take(&mut overridden.by_address),
                std::mem::take(&mut overridden.warm),
            ),
        };
        if let (Some(moved), Some(to)) = (by_address.remove(&from), to) {
            by_address.insert(to, moved);
        }
        *self = Self::Overridden(Box::new(Overridden { by_address, warm }));
    }
}

impl<C: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<C> for Installed {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        match self {
            Self::ByRules(rules) => PrecompileProvider::<C>::set_spec(rules, spec),
            // They were made for the machine's rules, which do not change while it lives.
            Self::Overridden(_) => false,
        }
    }

    fn run(
        &mut self,
        context: &mut C,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let overridden = match self {
            Self::ByRules(rules) => return rules.run(context, inputs),
            Self::Overridden(overridden) => overridden,
        };
        let Some(precompile) = overridden.by_address.get(&inputs.bytecode_address) else {
            return Ok(None);
        };
        let (gas_limit, reservoir) = (inputs.gas_limit, inputs.reservoir);
        let output = precompile
            .execute(&inputs.input.as_bytes(context), gas_limit, reservoir)
            .map_err(|error| error.to_string())?;
        if let Some(halt) = output.halt_reason()
            && !halt.is_oog()
            && context.journal().depth() == 1
        {
            let words = halt.to_string();
            context.local_mut().set_precompile_error_context(words);
        }
        let result = precompile_output_to_interpreter_result(output, gas_limit);
        Ok(Some(result))
    }

    fn warm_addresses(&self) -> &AddressSet {
        match self {
            Self::ByRules(rules) => rules.warm_addresses(),
            Self::Overridden(overridden) => &overridden.warm,
        }
    }

    fn contains(&self, address: &Address) -> bool {
        self.get(address).is_some()
    }
}

/// Ethereum's precompiles of a version's fork, and this chain's own.
pub(crate) fn precompiles(rules: Rules) -> EthPrecompiles {
    static ALL: [OnceLock<Precompiles>; VERSIONS.len()] =
        [const { OnceLock::new() }; VERSIONS.len()];
    let known = VERSIONS.iter().position(|it| it.version == rules.version);
    let all = ALL[known.unwrap_or_default()].get_or_init(|| {
        let mut all = EthPrecompiles::new(rules.spec).precompiles.clone();
        let id = PrecompileId::custom("TBSI_ED25519_VERIFY");
        all.extend([Precompile::new(id, ED25519_VERIFY, ed25519)]);
        let id = PrecompileId::custom("TBSI_FOREIGN_HEADER");
        all.extend([Precompile::new(id, FOREIGN_HEADER, foreign_header)]);
        let id = PrecompileId::custom("TBSI_FOREIGN_STORAGE");
        all.extend([Precompile::new(id, FOREIGN_STORAGE, foreign_storage)]);
        let id = PrecompileId::custom("TBSI_FOREIGN_ANCESTOR");
        all.extend([Precompile::new(id, FOREIGN_ANCESTOR, foreign_ancestor)]);
        all
    });
    EthPrecompiles {
        precompiles: all,
        spec: rules.spec,
    }
}

/// The precompiled contracts under a protocol version, by the names of EIP-7910, and this chain's
/// own.
pub fn precompile_names(protocol: u32) -> BTreeMap<String, Address> {
    let all = precompiles(rules_of(protocol));
    let named = all.precompiles.inner().values();
    named
        .map(|it| (it.id().name().to_owned(), *it.address()))
        .collect()
}

fn ed25519(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    Ok(call_eth_precompile(
        ed25519_verify,
        input,
        gas_limit,
        reservoir,
    ))
}

fn foreign_header(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    let run = |input: &[u8], gas: u64| {
        charged(foreign::header_gas(input.len()), gas, || {
            foreign::header(input)
        })
    };
    Ok(call_eth_precompile(run, input, gas_limit, reservoir))
}

fn foreign_storage(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    let run = |input: &[u8], gas: u64| {
        charged(foreign::storage_gas(input.len()), gas, || {
            foreign::storage(input)
        })
    };
    Ok(call_eth_precompile(run, input, gas_limit, reservoir))
}

fn foreign_ancestor(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    let run = |input: &[u8], gas: u64| {
        charged(foreign::storage_gas(input.len()), gas, || {
            foreign::ancestor(input)
        })
    };
    Ok(call_eth_precompile(run, input, gas_limit, reservoir))
}

/// Does the work only if the gas for it is there.
fn charged(price: u64, gas_limit: u64, work: impl FnOnce() -> Vec<u8>) -> EthPrecompileResult {
    if gas_limit < price {
        return Err(PrecompileHalt::OutOfGas);
    }
    Ok(EthPrecompileOutput::new(price, work().into()))
}

/// One word: 1 if the signature is valid, 0 if it is not, or the input has another length.
/// Strict: no key of small order, no signature in another than its canonical form.
fn ed25519_verify(input: &[u8], gas_limit: u64) -> EthPrecompileResult {
    if gas_limit < ED25519_GAS {
        return Err(PrecompileHalt::OutOfGas);
    }
    let mut word = [0; 32];
    word[31] = u8::from(is_valid(input).unwrap_or(false));
    Ok(EthPrecompileOutput::new(ED25519_GAS, word.to_vec().into()))
}

fn is_valid(input: &[u8]) -> Option<bool> {
    if input.len() != ED25519_INPUT_BYTES {
        return None;
    }
    let (message, rest) = input.split_at(32);
    let (key, signature) = rest.split_first_chunk::<32>()?;
    let key = VerifyingKey::from_bytes(key).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    Some(key.verify_strict(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn verify(input: &[u8]) -> bool {
        let output = ed25519_verify(input, ED25519_GAS).unwrap();
        assert_eq!(output.bytes.len(), 32);
        output.bytes[31] == 1
    }

    #[test]
    fn verifies_and_refuses_every_changed_bit() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let message = [9; 32];
        let mut input = [0; 128];
        input[..32].copy_from_slice(&message);
        input[32..64].copy_from_slice(key.verifying_key().as_bytes());
        input[64..].copy_from_slice(&key.sign(&message).to_bytes());
        assert!(verify(&input));
        for bit in 0..1024 {
            let mut bad = input;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&bad), "bit {bit}");
        }
        assert!(!verify(&input[..127]));
        assert!(!verify(&[&input[..], &[0]].concat()));
        assert!(!verify(&[]));
        assert!(ed25519_verify(&input, ED25519_GAS - 1).is_err());
    }

    #[test]
    fn refuses_keys_of_small_order() {
        // The identity point signs everything with S = 0 and R = the identity.
        let mut input = [0; 128];
        input[32] = 1;
        input[64] = 1;
        assert!(!verify(&input));
    }
}
