//! The steps of a trace as JSON, of which there may be a million with a dozen words each.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{DefaultFrame, StructLog};

use crate::api::Json;
use crate::eth::text::Text;

/// A trace that has its steps; `None` if it would be longer than so many bytes.
pub(super) fn json(frame: &DefaultFrame, bytes_max: usize) -> Option<Json> {
    let DefaultFrame {
        failed,
        gas,
        execution_gas_used,
        state_gas_used,
        gas_refund,
        return_value,
        struct_logs,
    } = frame;
    let mut text = Text::with_room(0);
    text.raw(if *failed {
        "{\"failed\":true,\"gas\":"
    } else {
        "{\"failed\":false,\"gas\":"
    });
    text.decimal(*gas);
    for (name, value) in [
        (",\"executionGasUsed\":", execution_gas_used),
        (",\"stateGasUsed\":", state_gas_used),
        (",\"gasRefund\":", gas_refund),
    ] {
        if let Some(value) = value {
            text.raw(name);
            text.quantity(*value);
        }
    }
    text.raw(",\"returnValue\":");
    text.bytes(return_value);
    text.raw(",\"structLogs\":[");
    for (index, log) in struct_logs.iter().enumerate() {
        if index > 0 {
            text.raw(",");
        }
        step(&mut text, log);
        if text.len() > bytes_max {
            return None;
        }
    }
    text.raw("]}");
    (text.len() <= bytes_max).then(|| text.json())
}

fn step(text: &mut Text, log: &StructLog) {
    text.raw("{\"pc\":");
    text.decimal(log.pc);
    text.raw(",\"op\":");
    text.text(&log.op);
    text.raw(",\"gas\":");
    text.decimal(log.gas);
    text.raw(",\"gasCost\":");
    text.decimal(log.gas_cost);
    if let Some(cost) = log.state_gas_cost {
        text.raw(",\"stateGasCost\":");
        text.raw(&cost.to_string());
    }
    if let Some(gas) = log.state_gas_reservoir {
        text.raw(",\"stateGasReservoir\":");
        text.decimal(gas);
    }
    text.raw(",\"depth\":");
    text.decimal(log.depth);
    if let Some(error) = &log.error {
        text.raw(",\"error\":");
        text.text(error);
    }
    if let Some(stack) = &log.stack {
        text.raw(",\"stack\":");
        text.list(stack, Text::word);
    }
    if let Some(data) = &log.return_data {
        text.raw(",\"returnData\":");
        text.bytes(data);
    }
    if let Some(memory) = &log.memory {
        text.raw(",\"memory\":");
        text.list(memory, |text, chunk| text.text(chunk));
    }
    if let Some(size) = log.memory_size {
        text.raw(",\"memSize\":");
        text.decimal(size);
    }
    if let Some(slots) = &log.storage {
        text.raw(",\"storage\":");
        storage(text, slots);
    }
    if let Some(refund) = log.refund_counter {
        text.raw(",\"refund\":");
        text.decimal(refund);
    }
    text.raw("}");
}

fn storage(text: &mut Text, slots: &BTreeMap<B256, B256>) {
    text.raw("{");
    for (index, (slot, value)) in slots.iter().enumerate() {
        if index > 0 {
            text.raw(",");
        }
        text.bytes(slot.as_slice());
        text.raw(":");
        text.bytes(value.as_slice());
    }
    text.raw("}");
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, U256};

    use super::*;

    /// A step with everything that one can have.
    fn full() -> StructLog {
        StructLog {
            pc: 7,
            op: "SSTORE".into(),
            gas: 30_000,
            gas_cost: 22_100,
            state_gas_cost: Some(-5),
            state_gas_reservoir: Some(0),
            depth: 2,
            error: Some("a \"word\"".into()),
            stack: Some(vec![U256::ZERO, U256::from(0x1f), U256::MAX]),
            return_data: Some(Bytes::from_static(&[1, 2])),
            memory: Some(vec!["00".repeat(32), "ff".repeat(32)]),
            memory_size: Some(64),
            storage: Some(BTreeMap::from([
                (B256::ZERO, B256::repeat_byte(1)),
                (B256::repeat_byte(2), B256::ZERO),
            ])),
            refund_counter: Some(4_800),
        }
    }

    #[test]
    fn is_what_a_serializer_writes() {
        let check = |frame: &DefaultFrame| {
            let expected = serde_json::to_string(frame).unwrap();
            assert_eq!(json(frame, usize::MAX).unwrap().get(), expected);
            assert!(json(frame, expected.len()).is_some());
            assert!(json(frame, expected.len() - 1).is_none());
        };
        check(&DefaultFrame::default());
        let plain = StructLog {
            op: "PUSH1".into(),
            ..StructLog::default()
        };
        let empty = StructLog {
            op: "STOP".into(),
            stack: Some(Vec::new()),
            memory: Some(Vec::new()),
            storage: Some(BTreeMap::new()),
            return_data: Some(Bytes::new()),
            ..StructLog::default()
        };
        check(&DefaultFrame {
            failed: true,
            gas: 53_000,
            execution_gas_used: Some(1),
            state_gas_used: Some(0),
            gas_refund: Some(u64::MAX),
            return_value: Bytes::from_static(&[0xab]),
            struct_logs: vec![plain, full(), empty],
        });
    }
}
