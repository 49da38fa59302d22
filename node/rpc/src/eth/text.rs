//! Logs as JSON, written straight into the answer, which may have ten thousand: a serializer looks
//! at each character for what must be escaped, of which there is nothing here.

use alloy_primitives::hex;
use alloy_rpc_types_eth::Log;

use crate::api::Json;
use crate::limits::LOG_JSON_BYTES;

/// How long a log is in JSON, about.
pub(crate) fn json_bytes(log: &Log) -> usize {
    LOG_JSON_BYTES + 69 * log.topics().len() + 2 * log.data().data.len()
}

/// A list of logs.
pub(crate) fn logs(logs: &[Log]) -> Json {
    let mut text = Text(Vec::with_capacity(
        2 + logs.iter().map(json_bytes).sum::<usize>(),
    ));
    text.raw("[");
    for (index, log) in logs.iter().enumerate() {
        if index > 0 {
            text.raw(",");
        }
        text.log(log);
    }
    text.raw("]");
    Json::of(String::from_utf8(text.0).expect("hex digits and constants are UTF-8"))
}

struct Text(Vec<u8>);

impl Text {
    fn log(&mut self, log: &Log) {
        self.raw("{\"address\":");
        self.bytes(log.inner.address.as_slice());
        self.raw(",\"topics\":[");
        for (index, topic) in log.inner.data.topics().iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            self.bytes(topic.as_slice());
        }
        self.raw("],\"data\":");
        self.bytes(&log.inner.data.data);
        self.raw(",\"blockHash\":");
        self.perhaps(log.block_hash, |text, hash| text.bytes(hash.as_slice()));
        self.raw(",\"blockNumber\":");
        self.perhaps(log.block_number, Self::quantity);
        if let Some(seconds) = log.block_timestamp {
            self.raw(",\"blockTimestamp\":");
            self.quantity(seconds);
        }
        self.raw(",\"transactionHash\":");
        self.perhaps(log.transaction_hash, |text, hash| {
            text.bytes(hash.as_slice())
        });
        self.raw(",\"transactionIndex\":");
        self.perhaps(log.transaction_index, Self::quantity);
        self.raw(",\"logIndex\":");
        self.perhaps(log.log_index, Self::quantity);
        self.raw(if log.removed {
            ",\"removed\":true}"
        } else {
            ",\"removed\":false}"
        });
    }

    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn perhaps<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    /// All digits.
    fn bytes(&mut self, bytes: &[u8]) {
        self.raw("\"0x");
        let start = self.0.len();
        self.0.resize(start + 2 * bytes.len(), 0);
        hex::encode_to_slice(bytes, &mut self.0[start..]).expect("two digits for each byte");
        self.raw("\"");
    }

    /// Without leading zeros.
    fn quantity(&mut self, number: u64) {
        let mut digits = [0; 16];
        hex::encode_to_slice(number.to_be_bytes(), &mut digits).expect("two digits for each byte");
        let first = digits.iter().position(|digit| *digit != b'0');
        self.raw("\"0x");
        self.0.extend_from_slice(&digits[first.unwrap_or(15)..]);
        self.raw("\"");
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bytes};

    use super::*;

    fn log(number: u64, topics: usize, data: usize) -> Log {
        Log {
            inner: alloy_primitives::Log::new_unchecked(
                Address::repeat_byte(0xab),
                vec![B256::repeat_byte(0x0c); topics],
                Bytes::from(vec![0x0d; data]),
            ),
            block_hash: Some(B256::repeat_byte(1)),
            block_number: Some(number),
            block_timestamp: Some(number + 1),
            transaction_hash: Some(B256::repeat_byte(2)),
            transaction_index: Some(0),
            log_index: Some(u64::MAX - number),
            removed: number % 2 == 1,
        }
    }

    #[test]
    fn is_what_a_serializer_writes() {
        let check = |given: &[Log]| {
            let expected = serde_json::to_string(given).unwrap();
            assert_eq!(logs(given).get(), expected);
        };
        check(&[]);
        check(&[log(0, 0, 0)]);
        check(&[
            log(16, 4, 33),
            log(0x1234_5678, 1, 1),
            log(u64::MAX - 1, 3, 64),
        ]);
        check(&[Log::default(), log(1, 2, 0)]);
    }
}
