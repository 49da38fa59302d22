//! Logs, receipts and the steps of traces as JSON, written straight into the answer, which may have
//! ten thousand: a serializer looks at each character for what must be escaped, of which there is
//! nothing here.

use alloy_consensus::{Eip658Value, ReceiptEnvelope};
use alloy_primitives::{Address, U256, hex};
use alloy_rpc_types_eth::{Log, TransactionReceipt};

use crate::api::Json;
use crate::limits::{LOG_JSON_BYTES, RECEIPT_JSON_BYTES};

/// How long a log is in JSON, about.
pub(crate) fn json_bytes(log: &Log) -> usize {
    LOG_JSON_BYTES + 69 * log.topics().len() + 2 * log.data().data.len()
}

/// A list of logs.
pub(crate) fn logs(logs: &[Log]) -> Json {
    let bytes = 2 + logs.iter().map(json_bytes).sum::<usize>();
    let mut text = Text::with_room(bytes);
    text.list(logs, Text::log);
    text.json()
}

/// A receipt.
pub(crate) fn receipt(receipt: &TransactionReceipt) -> Json {
    let mut text = Text::with_room(receipt_bytes(receipt));
    text.receipt(receipt);
    text.json()
}

/// A list of receipts.
pub(crate) fn receipts(receipts: &[TransactionReceipt]) -> Json {
    let bytes = 2 + receipts.iter().map(receipt_bytes).sum::<usize>();
    let mut text = Text::with_room(bytes);
    text.list(receipts, Text::receipt);
    text.json()
}

fn receipt_bytes(receipt: &TransactionReceipt) -> usize {
    RECEIPT_JSON_BYTES + receipt.inner.logs().iter().map(json_bytes).sum::<usize>()
}

/// JSON that is being written.
pub(crate) struct Text(Vec<u8>);

impl Text {
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of it.
    pub(crate) fn json(self) -> Json {
        Json::of(String::from_utf8(self.0).expect("hex digits and other text are UTF-8"))
    }

    pub(crate) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    /// The fields of an envelope, and after them those that stand around it.
    fn receipt(&mut self, receipt: &TransactionReceipt) {
        let (kind, inner) = match &receipt.inner {
            ReceiptEnvelope::Legacy(inner) => ("0", inner),
            ReceiptEnvelope::Eip2930(inner) => ("1", inner),
            ReceiptEnvelope::Eip1559(inner) => ("2", inner),
            ReceiptEnvelope::Eip4844(inner) => ("3", inner),
            ReceiptEnvelope::Eip7702(inner) => ("4", inner),
        };
        self.raw("{\"type\":\"0x");
        self.raw(kind);
        match &inner.receipt.status {
            Eip658Value::Eip658(true) => self.raw("\",\"status\":\"0x1\""),
            Eip658Value::Eip658(false) => self.raw("\",\"status\":\"0x0\""),
            Eip658Value::PostState(root) => {
                self.raw("\",\"root\":");
                self.bytes(root.as_slice());
            }
        }
        self.raw(",\"cumulativeGasUsed\":");
        self.quantity(inner.receipt.cumulative_gas_used);
        self.raw(",\"logs\":");
        self.list(&inner.receipt.logs, Self::log);
        self.raw(",\"logsBloom\":");
        self.bytes(inner.logs_bloom.as_slice());
        self.raw(",\"transactionHash\":");
        self.bytes(receipt.transaction_hash.as_slice());
        self.raw(",\"transactionIndex\":");
        self.perhaps(receipt.transaction_index, Self::quantity);
        self.raw(",\"blockHash\":");
        self.perhaps(receipt.block_hash, |text, it| text.bytes(it.as_slice()));
        self.raw(",\"blockNumber\":");
        self.perhaps(receipt.block_number, Self::quantity);
        self.raw(",\"gasUsed\":");
        self.quantity(receipt.gas_used);
        self.raw(",\"effectiveGasPrice\":");
        self.word(&U256::from(receipt.effective_gas_price));
        if let Some(gas) = receipt.blob_gas_used {
            self.raw(",\"blobGasUsed\":");
            self.quantity(gas);
        }
        if let Some(price) = receipt.blob_gas_price {
            self.raw(",\"blobGasPrice\":");
            self.word(&U256::from(price));
        }
        self.raw(",\"from\":");
        self.bytes(receipt.from.as_slice());
        let address = |text: &mut Self, it: Address| text.bytes(it.as_slice());
        self.raw(",\"to\":");
        self.perhaps(receipt.to, address);
        self.raw(",\"contractAddress\":");
        self.perhaps(receipt.contract_address, address);
        self.raw("}");
    }

    fn log(&mut self, log: &Log) {
        self.raw("{\"address\":");
        self.bytes(log.inner.address.as_slice());
        self.raw(",\"topics\":");
        self.list(log.inner.data.topics(), |text, it| {
            text.bytes(it.as_slice())
        });
        self.raw(",\"data\":");
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

    pub(crate) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn perhaps<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    /// All digits.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.raw("\"0x");
        let start = self.0.len();
        self.0.resize(start + 2 * bytes.len(), 0);
        hex::encode_to_slice(bytes, &mut self.0[start..]).expect("two digits for each byte");
        self.raw("\"");
    }

    /// Without leading zeros.
    pub(crate) fn quantity(&mut self, number: u64) {
        self.digits(&number.to_be_bytes());
    }

    /// The same of a large one.
    pub(crate) fn word(&mut self, number: &U256) {
        self.digits(&number.to_be_bytes::<32>());
    }

    fn digits(&mut self, big_endian: &[u8]) {
        let first = big_endian.iter().position(|byte| *byte != 0);
        let significant = first.map_or(&[0][..], |first| &big_endian[first..]);
        self.raw("\"0x");
        let start = self.0.len();
        self.0.resize(start + 2 * significant.len(), 0);
        hex::encode_to_slice(significant, &mut self.0[start..]).expect("two digits for each byte");
        if self.0[start] == b'0' {
            self.0.remove(start);
        }
        self.raw("\"");
    }

    /// A number of JSON.
    pub(crate) fn decimal(&mut self, mut number: u64) {
        let (mut digits, mut at) = ([0; 20], 20);
        loop {
            at -= 1;
            digits[at] = b'0' + u8::try_from(number % 10).expect("one digit");
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }

    /// Text that may have something to escape.
    pub(crate) fn text(&mut self, text: &str) {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if text.bytes().all(|byte| plain(byte) || byte == b' ') {
            self.raw("\"");
            self.raw(text);
            self.raw("\"");
        } else {
            let escaped = serde_json::to_string(text).expect("text is JSON");
            self.raw(&escaped);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{Receipt, ReceiptWithBloom};
    use alloy_primitives::{B256, Bloom, Bytes};

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

    fn with_receipt(
        wrap: fn(ReceiptWithBloom<Receipt<Log>>) -> ReceiptEnvelope<Log>,
        status: Eip658Value,
        logs: Vec<Log>,
    ) -> TransactionReceipt {
        let receipt = Receipt {
            status,
            cumulative_gas_used: 0x1234,
            logs,
        };
        TransactionReceipt {
            inner: wrap(ReceiptWithBloom::new(receipt, Bloom::repeat_byte(0x5a))),
            transaction_hash: B256::repeat_byte(3),
            transaction_index: Some(17),
            block_hash: Some(B256::repeat_byte(4)),
            block_number: Some(0x100),
            gas_used: 21_000,
            effective_gas_price: 0,
            blob_gas_used: None,
            blob_gas_price: None,
            from: Address::repeat_byte(5),
            to: Some(Address::repeat_byte(6)),
            contract_address: None,
        }
    }

    #[test]
    fn receipts_are_what_a_serializer_writes() {
        let root = Eip658Value::PostState(B256::repeat_byte(8));
        let mut all = vec![
            with_receipt(ReceiptEnvelope::Legacy, root, vec![log(1, 2, 3)]),
            with_receipt(ReceiptEnvelope::Eip2930, true.into(), Vec::new()),
            with_receipt(
                ReceiptEnvelope::Eip1559,
                false.into(),
                vec![log(0, 0, 0); 3],
            ),
            with_receipt(ReceiptEnvelope::Eip4844, true.into(), Vec::new()),
            with_receipt(ReceiptEnvelope::Eip7702, true.into(), Vec::new()),
        ];
        all[1].to = None;
        all[1].contract_address = Some(Address::repeat_byte(9));
        all[2].block_hash = None;
        all[2].block_number = None;
        all[2].transaction_index = None;
        all[3].blob_gas_used = Some(0);
        all[3].blob_gas_price = Some(u128::MAX);
        all[4].effective_gas_price = 0x0fed_cba9_8765_4321_0fed;
        assert_eq!(receipts(&all).get(), serde_json::to_string(&all).unwrap());
        assert_eq!(receipts(&[]).get(), "[]");
        for one in &all {
            assert_eq!(receipt(one).get(), serde_json::to_string(one).unwrap());
        }
    }

    #[test]
    fn numbers_and_words_are_what_a_serializer_writes() {
        for number in [0, 1, 9, 10, 0xf, 0x10, 0xff, 0x100, 99, u64::MAX] {
            let mut text = Text::with_room(0);
            text.decimal(number);
            assert_eq!(text.json().get(), number.to_string());
            for word in [U256::from(number), U256::from(number) << 190, U256::MAX] {
                let mut text = Text::with_room(0);
                text.word(&word);
                assert_eq!(text.json().get(), serde_json::to_string(&word).unwrap());
            }
        }
        for words in ["", "PUSH1", "out of gas", "a\"b", "a\\b", "\n", "公"] {
            let mut text = Text::with_room(0);
            text.text(words);
            assert_eq!(text.json().get(), serde_json::to_string(words).unwrap());
        }
    }
}
