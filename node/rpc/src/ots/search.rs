//! Looking for transactions: of an account, by its nonce, that made a contract.

use alloy_primitives::{Address, B256, U64};
use alloy_rpc_types_trace::otterscan::ContractCreator;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tbsi_types::{Height, TxEnvelope};

use super::{created, receipt};
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::backend::BackendError;
use crate::backend::hindsight::TransactionPlaces;
use crate::error::{Failure, limit_exceeded, quantity};
use crate::eth::blocks::receipts_at;
use crate::eth::objects::{self, Place};
use crate::limits::OTS_PAGE_MAX;
use crate::trace::parity::traces_of_block;
use crate::trace::{Bounds, stored};

/// A block's number as Otterscan writes it, or a quantity.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Quantity(U64),
}

impl Number {
    fn get(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Quantity(quantity) => quantity.to(),
        }
    }
}

/// Answer of `ots_searchTransactions…`, newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    txs: Vec<alloy_rpc_types_eth::Transaction<TxEnvelope>>,
    receipts: Vec<Value>,
    first_page: bool,
    last_page: bool,
}

/// `ots_searchTransactionsBefore(account, number, size)`; 0 is after the latest block.
pub(crate) fn before(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let (account, number, size) = search(arguments)?;
    let bound = match number {
        0 => api.backend.tip().next(),
        number => Height(number),
    };
    let found = api.backend.transactions_of(account, bound, false, size)?;
    let last = found.next.is_none();
    page(api, account, found, (number == 0, last))
}

/// `ots_searchTransactionsAfter(account, number, size)`; 0 is before the first block.
pub(crate) fn after(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let (account, number, size) = search(arguments)?;
    let mut found = api
        .backend
        .transactions_of(account, Height(number), true, size)?;
    found.places.reverse();
    let first = found.next.is_none();
    page(api, account, found, (first, number == 0))
}

fn search(arguments: &Arguments<'_>) -> Result<(Address, u64, usize), Failure> {
    let account = arguments.required(0)?;
    let number: Number = arguments.required(1)?;
    let size: usize = arguments.required(2)?;
    Ok((account, number.get(), size.clamp(1, OTS_PAGE_MAX)))
}

fn page(
    api: &Api,
    account: Address,
    found: TransactionPlaces,
    (first_page, last_page): (bool, bool),
) -> Reply {
    if let (Some(blocks), Some(next), []) = (found.exhausted, found.next, &*found.places) {
        return Err(limit_exceeded(
            format!(
                "no transaction of {account} in {blocks} blocks; the search stopped before block \
                 {next}. Ask again from there, or let the node have store.address_index = true"
            ),
            json!({ "limit": blocks, "next": quantity(next) }),
        ));
    }
    let (mut txs, mut receipts) = (Vec::new(), Vec::new());
    let mut block = None;
    for (height, index) in found.places {
        let (of_block, its_receipts) = match block.take() {
            Some((at, of_block, its_receipts)) if at == height => (of_block, its_receipts),
            Some(_) | None => {
                let receipts = receipts_at(api, height)?.unwrap_or_default();
                (stored(api, height)?, receipts)
            }
        };
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        let transaction = of_block.transactions.get(position);
        if let (Some(transaction), Some(it)) = (transaction, its_receipts.get(position)) {
            let place = Some((
                Place::of(&of_block.header, api.backend.fees()),
                index.into(),
            ));
            txs.push(objects::transaction(transaction, place));
            receipts.push(receipt::timed(it, of_block.header.timestamp)?);
        }
        block = Some((height, of_block, its_receipts));
    }
    reply(Page {
        txs,
        receipts,
        first_page,
        last_page,
    })
}

/// `ots_getTransactionBySenderAndNonce(account, nonce)`: its hash, null if there is none.
pub(crate) fn by_sender_and_nonce(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let sender: Address = arguments.required(0)?;
    let nonce: Number = arguments.required(1)?;
    let nonce = nonce.get();
    let used = |height| -> Result<bool, Failure> {
        let account = api.backend.account(sender, height)?;
        Ok(account.is_some_and(|account| account.nonce > nonce))
    };
    let Some(height) = first_height(api, used)? else {
        return reply(());
    };
    let block = stored(api, height)?;
    let found = block
        .transactions
        .iter()
        .find(|it| it.sender() == sender && it.nonce() == nonce);
    // An account of genesis may begin above 0, and authorizations (EIP-7702) use nonces, too.
    reply(found.map(|transaction| transaction.hash()))
}

/// `ots_getContractCreator(account)`: null if it is no contract, or genesis had it.
pub(crate) fn contract_creator(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let contract: Address = arguments.required(0)?;
    let is_there =
        |height| -> Result<bool, Failure> { Ok(!api.backend.code(contract, height)?.is_empty()) };
    let Some(height) = first_height(api, is_there)? else {
        return reply(());
    };
    if height == Height::GENESIS {
        return reply(());
    }
    let traces = traces_of_block(api, height, &Bounds::most(api))?;
    let mut made = traces.into_iter().filter_map(|it| {
        let create = it.trace.action.as_create()?;
        let is_it = it.trace.error.is_none() && created(&it.trace) == Some(contract);
        let hash: B256 = it.transaction_hash?;
        let creator = create.from;
        is_it.then_some(ContractCreator { hash, creator })
    });
    // What was made and undone before was made again.
    let last = made.by_ref().last();
    reply(last)
}

/// The first height with a state in which something is so, which stays so; `None` if it never
/// was. Fails if it was so already in the oldest state that is kept, after genesis.
fn first_height(
    api: &Api,
    is_so: impl Fn(Height) -> Result<bool, Failure>,
) -> Result<Option<Height>, Failure> {
    let (mut no, mut yes) = (api.backend.oldest_state(), api.backend.tip());
    if !is_so(yes)? {
        return Ok(None);
    }
    if is_so(no)? {
        return match no {
            Height::GENESIS => Ok(Some(no)),
            oldest => Err(BackendError::StateUnavailable {
                height: Height(oldest.0 - 1),
                oldest,
            }
            .into()),
        };
    }
    while yes.above(no) > 1 {
        let middle = Height(no.0 + (yes.0 - no.0) / 2);
        if is_so(middle)? {
            yes = middle;
        } else {
            no = middle;
        }
    }
    Ok(Some(yes))
}
