//! The way to another chain: gas of the light client on anvil, and a relayer between a chain in
//! memory and an anvil with blocks of one second.

use serde::Serialize;

use super::options::Plan;
use super::statistics::Distribution;
use crate::bridge::gas::{self, Gas};
use crate::bridge::latency;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Relaying {
    /// By size of the validator set.
    pub gas: Vec<Gas>,
    /// From finality on the source to the block of the target with the attestation.
    pub latency_us: Option<Distribution>,
    /// Attestations of the backlog.
    pub backlog: u64,
    /// Until the last of them was in a final block, milliseconds.
    pub caught_up_ms: u64,
    /// Gas of the transactions that carried them, for each.
    pub gas_each: u64,
    /// Bytes of the journal, for each.
    pub journal_bytes_each: u64,
}

/// Measures it, if anvil is there.
pub async fn measure(plan: &Plan) -> anyhow::Result<Option<Relaying>> {
    let Some(anvil) = plan.anvil.as_deref() else {
        return Ok(None);
    };
    eprintln!("gas of the light client");
    let gas = gas::measure(anvil).await?;
    eprintln!("relay {} attestations, one and all", plan.backlog);
    let (samples, backlog) = (plan.relay_samples, plan.backlog);
    let figures = latency::measure(&plan.tbsi, anvil, samples, backlog).await?;
    let micros = figures.latencies.iter().map(|it| it.as_micros());
    let micros = micros.map(|it| u64::try_from(it).unwrap_or(u64::MAX));
    let caught_up = figures.caught_up.as_millis();
    Ok(Some(Relaying {
        gas,
        latency_us: Distribution::of(micros.collect()),
        backlog,
        caught_up_ms: u64::try_from(caught_up).unwrap_or(u64::MAX),
        gas_each: figures.gas / backlog.max(1),
        journal_bytes_each: figures.journal / backlog.max(1),
    }))
}
