//! The way back: the hash of the newest record is attested on the source, and with it, as each
//! record names the one before, the whole journal.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, b256};
use alloy_sol_types::SolCall;
use tbsi_bindings::genesis::Attestations::attestCall;
use tbsi_rpc::ClientError;
use tbsi_types::UnsignedTransaction;
use tbsi_types::log::{ATTESTATIONS, Attestation, DigestWords, Leaf};
use tokio::time::{Duration, Instant};
use tracing::info;

use super::{EventSink, Relay, RelayError};
use crate::fault;
use crate::record::Event;
use crate::signer;
use crate::target::Target;

/// `tbsi:file:v1` (SPEC §12.5): the file is the record.
pub(crate) const FILE_SCHEMA: B256 =
    b256!("38a40703f0e7976ca5eb1528e670bdd5292f2eeac90fd3b2fbec9727f2f1374f");

/// SHA-256 as multihash counts.
pub(crate) const SHA2_256: u32 = 0x12;

/// Gas of one `attest` with a margin; 55,517 are needed (SPEC §12.9).
const ATTEST_GAS: u64 = 100_000;

/// How long an attestation is waited for before it is sent again.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node's words for a transaction that it has already, as go-ethereum's.
const ALREADY_KNOWN: &str = "already known";

/// A head that is being attested.
pub(super) struct Pending {
    through: u64,
    head: B256,
    sent: Instant,
}

/// What says that `head` is the newest record.
pub(crate) fn statement(head: B256) -> Attestation {
    Attestation {
        schema: FILE_SCHEMA,
        algorithm: SHA2_256,
        digest: DigestWords::One([head]),
    }
}

impl<T: Target> Relay<T> {
    pub(super) async fn acknowledge(&mut self) -> Result<(), RelayError> {
        let EventSink::Journal(journal) = &self.sink else {
            return Ok(());
        };
        let Some((through, head)) = journal.head() else {
            return Ok(());
        };
        if let Some(pending) = &self.ack {
            let (through, head) = (pending.through, pending.head);
            let overdue = pending.sent.elapsed() > PATIENCE;
            return self.await_ack(through, head, overdue).await;
        }
        let interval = self.config.audit.interval_s.saturating_mul(1_000);
        let idle = self.state.last_act <= self.state.acked;
        let due = (self.clock)() >= self.state.acked_ms.saturating_add(interval);
        let flush = self.flush && self.is_carried();
        if interval == 0 || idle || !(due || flush) {
            return Ok(());
        }
        if let Some(problem) = self.no_leaf_left().await {
            return if flush {
                Err(RelayError::Attest(problem))
            } else {
                self.alarm("attestQuota", problem)
            };
        }
        self.attest(head).await?;
        fault::point("attested");
        let sent = Instant::now();
        self.ack = Some(Pending {
            through,
            head,
            sent,
        });
        Ok(())
    }

    /// Why the source takes no attestation now. A pool takes one all the same, and no block does.
    async fn no_leaf_left(&mut self) -> Option<String> {
        if self
            .quota_asked
            .is_some_and(|asked| asked.elapsed() < PATIENCE)
            && !self.flush
        {
            return Some("the quota was used up when it was last asked for".into());
        }
        let quota = self.source.quota(self.signer.account()).await;
        let problem = quota.and_then(|quota| quota.problem());
        self.quota_asked = problem.is_some().then(Instant::now);
        problem
    }

    async fn await_ack(
        &mut self,
        through: u64,
        head: B256,
        overdue: bool,
    ) -> Result<(), RelayError> {
        let account = self.signer.account();
        let id = statement(head).id(self.source.chain().chain_id, account);
        let found = self.source.any().attestation(id).await;
        let found = found.map_err(|error| RelayError::Attest(error.to_string()))?;
        let entry = found.and_then(|found| found.entries.into_iter().next());
        let Some(entry) = entry else {
            if overdue {
                // Sent again with a new nonce if the old one is used; twice is no harm.
                self.ack = None;
            }
            return Ok(());
        };
        let leaf =
            Leaf::decode(&entry.leaf).map_err(|error| RelayError::Attest(error.to_string()))?;
        self.ack = None;
        info!(through, "the record's head is attested");
        self.record(vec![Event::Acked {
            through,
            head,
            leaf: entry.index.0,
            height: leaf.head.height.0,
        }])
    }

    async fn attest(&self, head: B256) -> Result<(), RelayError> {
        let fail = |error: ClientError| RelayError::Attest(error.to_string());
        let client = self.source.any();
        let account = self.signer.account();
        let nonce = client
            .transaction_count(account, BlockNumberOrTag::Latest)
            .await;
        let call = attestCall {
            schema: FILE_SCHEMA,
            algorithm: SHA2_256,
            words: vec![head],
        };
        let transaction = UnsignedTransaction {
            chain_id: self.source.chain().chain_id,
            nonce: nonce.map_err(fail)?,
            gas_limit: ATTEST_GAS,
            to: Some(ATTESTATIONS),
            input: call.abi_encode().into(),
            ..UnsignedTransaction::default()
        };
        let signed = signer::sign(&*self.signer, transaction).await?;
        match client.send_raw_transaction(&signed.encoded).await {
            Ok(_) => Ok(()),
            // The very same is still pending there: the source tells its peers again.
            Err(ClientError::Refused { message, .. }) if message.starts_with(ALREADY_KNOWN) => {
                Ok(())
            }
            Err(error) => Err(fail(error)),
        }
    }
}
