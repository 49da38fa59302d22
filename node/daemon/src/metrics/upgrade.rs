//! Metrics of the upgrade that waits, days ahead of it.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tbsi_rpc::wire::ProtocolStatus;

/// Versions, and the upgrade that waits; as of the last look.
#[derive(Debug, Default)]
pub(crate) struct UpgradeMetrics {
    in_force: Gauge<u64, AtomicU64>,
    known: Gauge<u64, AtomicU64>,
    height: Gauge<u64, AtomicU64>,
    protocol: Gauge<u64, AtomicU64>,
    seconds: Gauge<u64, AtomicU64>,
    supported: Gauge<u64, AtomicU64>,
}

impl UpgradeMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, gauge: &Gauge<u64, AtomicU64>| {
            registry.register(name, help, gauge.clone());
        };
        let help = "Protocol version of the next block";
        gauge("protocol_version", help, &self.in_force);
        let help = "Highest protocol version that this node supports";
        gauge("protocol_supported", help, &self.known);
        let help = "Height of the upgrade that waits, 0 if none does";
        gauge("upgrade_height", help, &self.height);
        let help = "Protocol version of the upgrade that waits, 0 if none does";
        gauge("upgrade_protocol", help, &self.protocol);
        let help = "Seconds until the upgrade that waits, as fast as blocks came of late";
        gauge("upgrade_seconds", help, &self.seconds);
        let help = "0 if an upgrade waits that this node does not support: install another program";
        gauge("upgrade_supported", help, &self.supported);
    }

    /// Takes over where the node stands.
    pub(crate) fn look(&self, status: &ProtocolStatus) {
        let upgrade = status.upgrade.as_ref();
        self.in_force.set(status.in_force.into());
        self.known.set(status.supported.into());
        self.height.set(upgrade.map_or(0, |it| it.height.0));
        let protocol = upgrade.map_or(0, |it| it.protocol);
        self.protocol.set(protocol.into());
        let seconds = upgrade.and_then(|it| it.seconds);
        self.seconds.set(seconds.unwrap_or_default());
        let supported = upgrade.is_none_or(|it| it.supported);
        self.supported.set(supported.into());
    }
}
