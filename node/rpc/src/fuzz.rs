//! A door for `tests/fuzz`: reads bytes as the arguments of a call, as every method does in
//! turn. Not an interface.

use alloy_eips::eip1898::LenientBlockNumberOrTag;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64};
use jsonrpsee::types::Params;
use serde::Deserialize;
use serde_json::Value;
use tbsi_types::CallOverrides;

use crate::arguments::Arguments;
use crate::eth::call::TransactionArguments;
use crate::eth::logs::filter;
use crate::eth::overrides::of_call;
use crate::eth::simulate::Options;
use crate::eth::state::Slot;
use crate::limits::ARGUMENTS_MAX;
use crate::tbsi::operator_query;
use crate::wire::{LeafFilter, LeafSelector};

/// How many readings took an argument.
pub fn arguments(json: &str) -> usize {
    // The server hands over what it has found to be JSON.
    if serde_json::from_str::<&serde_json::value::RawValue>(json).is_err() {
        return 0;
    }
    let params = Params::new(Some(json));
    let Ok(arguments) = Arguments::split(&params, ARGUMENTS_MAX) else {
        return 0;
    };
    (0..ARGUMENTS_MAX)
        .map(|index| readings(&arguments, index))
        .sum()
}

fn readings(arguments: &Arguments<'_>, index: usize) -> usize {
    fn takes<'a, T: Deserialize<'a>>(arguments: &Arguments<'a>, index: usize) -> bool {
        arguments.required::<T>(index).is_ok()
    }
    let transaction = arguments.required::<TransactionArguments>(index);
    let text = arguments.required::<String>(index);
    let value = arguments.required::<Value>(index);
    let taken = [
        transaction.is_ok_and(|transaction| transaction.check(1).is_ok()),
        text.is_ok_and(|text| Slot::parse(&text).is_ok()),
        of_call(arguments, index).is_ok_and(|it| it != CallOverrides::default()),
        arguments
            .required::<Options>(index)
            .is_ok_and(|options| options.read(1).is_ok()),
        value.is_ok_and(|value| operator_query(&value).is_some()),
        matches!(filter(arguments, index), Ok(Some(_))),
        takes::<Address>(arguments, index),
        takes::<B256>(arguments, index),
        takes::<BlockId>(arguments, index),
        takes::<BlockNumberOrTag>(arguments, index),
        takes::<Bytes>(arguments, index),
        takes::<LeafFilter>(arguments, index),
        takes::<LeafSelector>(arguments, index),
        takes::<LenientBlockNumberOrTag>(arguments, index),
        takes::<U64>(arguments, index),
        takes::<Vec<String>>(arguments, index),
        takes::<Vec<f64>>(arguments, index),
        takes::<bool>(arguments, index),
        takes::<u64>(arguments, index),
    ];
    taken.into_iter().filter(|taken| *taken).count()
}
