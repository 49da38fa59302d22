//! What the source says of a record: heads attested, leaves in the log.

use std::collections::BTreeSet;

use alloy_primitives::{B256, Bytes};
use tbsi_light::verify_bundle;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::log::{DigestWords, Leaf, Statement};
use tbsi_types::{ProofBundle, TreeSize};

use super::{Acked, Brought, Report};
use crate::record::Parties;
use crate::relay::{FILE_SCHEMA, RelayError, SHA2_256, statement};
use crate::source::{Source, causes};

impl Brought {
    fn of(&self, index: u64) -> Option<&Bytes> {
        self.leaves
            .get(&index)
            .or_else(|| self.messages.get(&index))
    }
}

/// That each head which the journal calls attested is so, and how much they cover.
pub(super) async fn heads(
    acked: &[Acked],
    hashes: &[B256],
    parties: &Parties,
    source: &Source,
    report: &mut Report,
) -> Result<(), RelayError> {
    let mut covered = None;
    for Acked {
        number,
        through,
        head,
        leaf,
    } in acked
    {
        let own = usize::try_from(*through).ok().and_then(|at| hashes.get(at));
        if own != Some(head) || through >= number {
            let said = format!("record {number} calls {head} the hash of record {through}");
            report.differences.push(said);
            continue;
        }
        match proof_of_head(parties, *head, *leaf, source).await? {
            Ok(()) => {
                report.heads += 1;
                covered = covered.max(Some(*through));
            }
            Err(problem) => {
                let said = format!("head {head} of record {through}: {problem}");
                report.differences.push(said);
            }
        }
    }
    let total = hashes.len() as u64;
    report.uncovered = covered.map_or(total, |through| total - through - 1);
    Ok(())
}

async fn proof_of_head(
    parties: &Parties,
    head: B256,
    leaf: u64,
    source: &Source,
) -> Result<Result<(), String>, RelayError> {
    let account = parties.account;
    let id = statement(head).id(parties.source_chain_id, account);
    let proof = source.any().proof(&LeafSelector::Id(id)).await;
    let proof = proof.map_err(|error| RelayError::Attest(error.to_string()))?;
    let Some(proof) = proof else {
        return Ok(Err("is not attested on the source".into()));
    };
    let bundle = match ProofBundle::parse_json(proof.get().as_bytes()) {
        Ok(bundle) => bundle,
        Err(error) => return Ok(Err(causes(&error))),
    };
    let verified = match verify_bundle(&bundle, source.genesis()) {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(causes(&error))),
    };
    if verified.leaf.attestation_id() != Some(id) || verified.leaf_index.0 != leaf {
        return Ok(Err(format!("is leaf {}, not {leaf}", verified.leaf_index)));
    }
    Ok(Ok(()))
}

/// One pass over the source's log: the leaves that were brought are its own, and every head
/// that the relayer attested is that of a record here.
pub(super) async fn log(
    hashes: &[B256],
    parties: &Parties,
    brought: Brought,
    source: &mut Source,
    report: &mut Report,
) -> Result<(), RelayError> {
    let tip = source.tip().await?;
    let account = parties.account;
    let leaves = source
        .scan(TreeSize(0), &tip, |leaf| {
            brought.of(leaf.index.0).is_some()
                || Leaf::decode(&leaf.bytes).is_ok_and(|leaf| leaf.head.issuer == account)
        })
        .await?;
    let known: BTreeSet<&B256> = hashes.iter().collect();
    for leaf in leaves {
        let index = leaf.index;
        if let Some(bytes) = brought.of(index.0)
            && bytes[..] != leaf.bytes[..]
        {
            let said = format!("leaf {index} is another on the source");
            report.differences.push(said);
        }
        let Ok(Leaf { head, statement }) = Leaf::decode(&leaf.bytes) else {
            continue;
        };
        if let Statement::Attestation(stated) = statement
            && let DigestWords::One([digest]) = stated.digest
            && (stated.schema, stated.algorithm) == (FILE_SCHEMA, SHA2_256)
            && head.issuer == account
            && !known.contains(&digest)
        {
            report.differences.push(format!(
                "leaf {index} attests the head {digest}, which is none of these records: the \
                 record was cut, or forked"
            ));
        }
    }
    Ok(())
}
