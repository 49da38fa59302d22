//! Calls that execute without becoming a transaction, and the filling of transactions.

use alloy_consensus::{
    EthereumTypedTransaction, SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702,
    TxLegacy,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U64, U128, U256};
use serde::{Deserialize, Serialize};
use tbsi_types::{CallBid, CallOutcome, CallOverrides, CallRequest, Height, TxEnvelope};

use super::overrides;
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, internal, refused, returned};

/// The transaction object of go-ethereum's call, estimate and fill methods. Unknown fields are
/// passed over, as there.
#[derive(Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "a transaction's object, such as {\"to\": \"0x...\"}"
)]
pub(crate) struct TransactionArguments {
    #[serde(rename = "type")]
    kind: Option<U64>,
    chain_id: Option<U256>,
    from: Option<Address>,
    to: Option<Address>,
    nonce: Option<U64>,
    gas: Option<U64>,
    gas_price: Option<U128>,
    max_fee_per_gas: Option<U128>,
    max_priority_fee_per_gas: Option<U128>,
    value: Option<U256>,
    data: Option<Bytes>,
    input: Option<Bytes>,
    access_list: Option<AccessList>,
    authorization_list: Option<Vec<SignedAuthorization>>,
    blob_versioned_hashes: Option<Vec<B256>>,
}

impl TransactionArguments {
    /// The object at index 0, free of contradictions.
    pub(crate) fn parse(api: &Api, arguments: &Arguments<'_>) -> Result<Self, Failure> {
        arguments.have(1)?;
        let this: Self = arguments.object(0)?.unwrap_or_default();
        this.check(api.backend.identity().chain_id)?;
        Ok(this)
    }

    pub(crate) fn check(&self, chain_id: u64) -> Result<(), Failure> {
        if let (Some(data), Some(input)) = (&self.data, &self.input)
            && data != input
        {
            return Err(refused(
                "both \"data\" and \"input\" are set and not equal. \
                 Please use \"input\" to pass transaction call data",
            ));
        }
        let dynamic = self.max_fee_per_gas.or(self.max_priority_fee_per_gas);
        if self.gas_price.is_some() && dynamic.is_some() {
            return Err(refused(
                "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            ));
        }
        if let (Some(cap), Some(tip)) = (self.max_fee_per_gas, self.max_priority_fee_per_gas)
            && cap < tip
        {
            return Err(refused(format!(
                "maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})"
            )));
        }
        let blobs = self.blob_versioned_hashes.as_ref();
        if blobs.is_some_and(|list| !list.is_empty()) || self.kind == Some(U64::from(3)) {
            return Err(refused("transaction type not supported"));
        }
        match self.chain_id {
            Some(have) if have != U256::from(chain_id) => Err(refused(format!(
                "chainId does not match node's (have={have}, want={chain_id})"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn input(&self) -> Bytes {
        let input = self.input.as_ref().or(self.data.as_ref());
        input.cloned().unwrap_or_default()
    }

    /// The sender's nonce, if one is given.
    pub(crate) fn nonce(&self) -> Option<u64> {
        self.nonce.map(|nonce| nonce.to())
    }

    fn bid(&self) -> CallBid {
        match self.gas_price {
            Some(price) => CallBid {
                max_fee_per_gas: price.to(),
                max_priority_fee_per_gas: None,
            },
            None => CallBid {
                max_fee_per_gas: self.max_fee_per_gas.unwrap_or_default().to(),
                max_priority_fee_per_gas: Some(
                    self.max_priority_fee_per_gas.unwrap_or_default().to(),
                ),
            },
        }
    }

    pub(crate) fn request(&self) -> CallRequest {
        CallRequest {
            from: self.from.unwrap_or_default(),
            to: self.to,
            value: self.value.unwrap_or_default(),
            input: self.input(),
            gas: self.gas.map(|gas| gas.to()),
            access_list: self.access_list.clone().unwrap_or_default(),
            authorizations: self.authorization_list.clone().unwrap_or_default(),
            bid: self.bid(),
        }
    }

    /// The transaction to sign, of the type that the given fields ask for.
    fn unsigned(
        self,
        chain_id: u64,
        nonce: u64,
        gas_limit: u64,
    ) -> Result<EthereumTypedTransaction<TxEip4844>, Failure> {
        let input = self.input();
        let to = self.to.map_or(TxKind::Create, TxKind::Call);
        let value = self.value.unwrap_or_default();
        let gas_price = self.gas_price.unwrap_or_default().to();
        let max_fee_per_gas = self.max_fee_per_gas.unwrap_or_default();
        let max_priority_fee_per_gas = self.max_priority_fee_per_gas.unwrap_or_default();
        // A tip alone raises the cap to itself: the cap may not be below it.
        let max_fee_per_gas = max_fee_per_gas.max(max_priority_fee_per_gas).to();
        let max_priority_fee_per_gas = max_priority_fee_per_gas.to();
        let has_price = self.gas_price.is_some();
        if let Some(authorization_list) = self.authorization_list {
            let to = self
                .to
                .ok_or_else(|| refused("EIP-7702 transaction cannot be used to create contract"))?;
            return Ok(EthereumTypedTransaction::Eip7702(TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list: self.access_list.unwrap_or_default(),
                authorization_list,
                input,
            }));
        }
        let one = Some(U64::from(1));
        if self.kind == one || (has_price && self.access_list.is_some()) {
            return Ok(EthereumTypedTransaction::Eip2930(TxEip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list: self.access_list.unwrap_or_default(),
                input,
            }));
        }
        if self.kind == Some(U64::ZERO) || has_price {
            return Ok(EthereumTypedTransaction::Legacy(TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            }));
        }
        Ok(EthereumTypedTransaction::Eip1559(TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list: self.access_list.unwrap_or_default(),
            input,
        }))
    }
}

/// `eth_call(transaction, block, stateOverrides, blockOverrides)`.
pub(crate) fn call(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    let overrides = overrides::of_call(arguments, 2)?;
    let height = api.state_height(arguments, 1)?;
    let outcome = api
        .backend
        .call(&transaction.request(), &overrides, height)?;
    reply(returned(outcome)?)
}

/// `eth_estimateGas(transaction, block, stateOverrides, blockOverrides)`.
pub(crate) fn estimate_gas(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    let overrides = overrides::of_call(arguments, 2)?;
    let height = api.state_height(arguments, 1)?;
    let gas = estimate(api, &transaction.request(), &overrides, height)?;
    reply(U64::from(gas))
}

fn estimate(
    api: &Api,
    request: &CallRequest,
    overrides: &CallOverrides,
    height: Height,
) -> Result<u64, Failure> {
    match api.backend.estimate_gas(request, overrides, height)? {
        Ok(gas) => Ok(gas),
        Err(outcome) => {
            returned(outcome)?;
            Err(internal(&"a gas estimate failed although the call did not"))
        }
    }
}

/// Answer of `eth_createAccessList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListObject {
    access_list: AccessList,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    gas_used: U64,
}

/// `eth_createAccessList(transaction, block, stateOverrides, blockOverrides)`: also of a call
/// that fails, which it then says.
pub(crate) fn create_access_list(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    let overrides = overrides::of_call(arguments, 2)?;
    let height = api.state_height(arguments, 1)?;
    let request = transaction.request();
    let accessed = api.backend.access_list(&request, &overrides, height)?;
    let (gas_used, error) = match accessed.outcome {
        CallOutcome::Returned { gas_used, .. } => (gas_used, None),
        reverted @ CallOutcome::Reverted { gas_used, .. } => {
            let error = returned(reverted).err();
            (gas_used, error.map(|it| it.message().to_owned()))
        }
        CallOutcome::Halted { gas_used, reason } => (gas_used, Some(reason)),
        CallOutcome::Refused { reason } => return Err(refused(reason)),
    };
    reply(ListObject {
        access_list: accessed.list,
        error,
        gas_used: U64::from(gas_used),
    })
}

/// Answer of `eth_fillTransaction`.
#[derive(Serialize)]
struct Filled {
    raw: Bytes,
    tx: TxEnvelope,
}

/// `eth_fillTransaction(transaction)`: nonce and gas where they are missing, fees of zero, and
/// a signature of zeros, which no node takes.
pub(crate) fn fill_transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    if transaction.to.is_none() && transaction.input().is_empty() {
        return Err(refused("contract creation without any data provided"));
    }
    let request = transaction.request();
    let height = api.backend.tip();
    let nonce = match transaction.nonce {
        Some(nonce) => nonce.to(),
        None => api.next_nonce(request.from, height)?,
    };
    let gas = match request.gas {
        Some(gas) => gas,
        None => estimate(api, &request, &CallOverrides::default(), height)?,
    };
    let chain_id = api.backend.identity().chain_id;
    let unsigned = transaction.unsigned(chain_id, nonce, gas)?;
    let tx = TxEnvelope::from(unsigned.into_signed(Signature::new(U256::ZERO, U256::ZERO, false)));
    let raw = tx.encoded_2718().into();
    reply(Filled { raw, tx })
}
