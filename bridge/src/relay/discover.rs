//! What is there to carry: leaves of the log that are selected, and those asked for by name.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use alloy_primitives::{Address, B256, keccak256};
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{LeafIndex, TreeSize};
use tracing::warn;

use super::{Relay, RelayError, evidence, payloads};
use crate::config::SelectConfig;
use crate::limits::{ITEMS_PER_RECORD_MAX, REQUESTS_MAX, WAITING_MAX};
use crate::record::{Event, Item};
use crate::source::{FoundLeaf, Proven};
use crate::state::Stage;
use crate::target::{Target, View};

/// Folder in the home directory with what an operator asks a running relayer for: empty files,
/// named like the leaf's index.
pub const REQUESTS: &str = "requests";

/// The file there that asks for what is in quarantine.
pub const RETRY: &str = "retry";

/// Leaves without anything to carry after which the scan is recorded all the same.
const SCAN_RECORD_INTERVAL: u64 = 65_536;

/// What makes an item of a leaf.
struct Wanted<'a> {
    select: &'a SelectConfig,
    /// Its own heads are carried only if it is among the selected issuers: each would be followed
    /// by another.
    account: Address,
    /// Of messages that are carried; `None` if none are.
    destination: Option<B256>,
}

impl Wanted<'_> {
    fn is_nothing(&self) -> bool {
        let select = self.select;
        let attestations = select.all || !select.schemas.is_empty() || !select.issuers.is_empty();
        !attestations && self.destination.is_none()
    }

    fn item(&self, leaf: &FoundLeaf) -> Option<Item> {
        // Kinds that this version does not know are nothing that it can carry.
        let decoded = Leaf::decode(&leaf.bytes).ok()?;
        let (issuer, select) = (decoded.head.issuer, self.select);
        if let Statement::Attestation(stated) = decoded.statement {
            let all = select.all && issuer != self.account;
            let selected =
                all || select.schemas.contains(&stated.schema) || select.issuers.contains(&issuer);
            return selected.then_some(Item::Leaf(leaf.index.0));
        }
        if let Statement::Message { destination, .. } = decoded.statement {
            let selected = select.senders.is_empty() || select.senders.contains(&issuer);
            let ours = self.destination == Some(destination);
            return (selected && ours).then_some(Item::Message(leaf.index.0));
        }
        None
    }
}

/// The first names in a folder that are due, in their order, whatever the file system's is.
/// Others, of leaves to come or of nothing known here, take nobody's place: all names are read.
fn due_names(folder: &Path, due: impl Fn(&str) -> bool) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && due(&name)
        {
            names.insert(name);
        }
        if names.len() > REQUESTS_MAX {
            names.pop_last();
        }
    }
    Ok(names)
}

impl<T: Target> Relay<T> {
    pub(super) async fn discover(&mut self, tip: &Proven, view: &View) -> Result<(), RelayError> {
        self.scan(tip).await?;
        self.requests(tip).await?;
        self.checkpoints(tip, view)
    }

    /// What messages to the target name as their destination (SPEC §14.5); `None` if none are
    /// carried.
    fn destination(&self) -> Option<B256> {
        let chain = self.target.identity().chain;
        self.target.takes_messages().then(|| keccak256(chain))
    }

    async fn scan(&mut self, tip: &Proven) -> Result<(), RelayError> {
        let size = tip.decision.checkpoint.log_size.0;
        let wanted = Wanted {
            select: &self.config.select,
            account: self.signer.account(),
            destination: self.destination(),
        };
        let full = self.state.items.len() >= WAITING_MAX;
        if size <= self.scanned || wanted.is_nothing() || full {
            return Ok(());
        }
        let from = TreeSize(self.scanned);
        let found = self
            .source
            .scan(from, tip, |leaf| wanted.item(leaf).is_some())
            .await?;
        let mut new: Vec<Item> = found
            .iter()
            .filter_map(|leaf| wanted.item(leaf))
            .filter(|item| !self.state.items.contains_key(item))
            .collect();
        // What there is no room for stays in the log.
        let room = WAITING_MAX - self.state.items.len();
        let size = new.get(room).and_then(|next| next.leaf()).unwrap_or(size);
        new.truncate(room);
        let mut events = Vec::new();
        let chunks = new.chunks(ITEMS_PER_RECORD_MAX);
        let last = chunks.len().saturating_sub(1);
        for (position, items) in chunks.enumerate() {
            let end = items.last().and_then(|item| item.leaf());
            let reached = match end {
                Some(index) if position < last => index + 1,
                _ => size,
            };
            events.push(Event::Discovered {
                items: items.to_vec(),
                scanned: reached,
                requested: false,
            });
        }
        if events.is_empty() && size - self.state.scanned >= SCAN_RECORD_INTERVAL {
            events.push(Event::Discovered {
                items: Vec::new(),
                scanned: size,
                requested: false,
            });
        }
        self.record(events)?;
        self.scanned = size;
        Ok(())
    }

    /// Names of the requests in the home directory that can be taken up.
    fn requested(&self, due: impl Fn(&str) -> bool) -> BTreeSet<String> {
        if self.is_dry() {
            return BTreeSet::new();
        }
        match due_names(&self.home.join(REQUESTS), due) {
            Ok(names) => names,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    warn!(%error, "requests cannot be read");
                }
                BTreeSet::new()
            }
        }
    }

    /// Records what a request asks for, and removes it.
    fn take_up(&mut self, name: &str, asked: Option<Event>) -> Result<(), RelayError> {
        self.record(asked.into_iter().collect())?;
        // After the record: a crash between the two asks twice, which changes nothing.
        if let Err(error) = fs::remove_file(self.home.join(REQUESTS).join(name)) {
            warn!(%error, "a request cannot be removed");
        }
        Ok(())
    }

    /// Takes what `clear --retry`, `payload` and `evidence` left: the source is not needed.
    pub(super) fn local_requests(&mut self) -> Result<(), RelayError> {
        let due = |name: &str| {
            name == RETRY || payloads::asked(name).is_some() || evidence::asked(name).is_some()
        };
        for name in self.requested(due) {
            let asked = if name == RETRY {
                let items: Vec<Item> = self.state.quarantined().map(|(item, _)| item).collect();
                (!items.is_empty()).then_some(Event::Retried { items })
            } else if let Some(hash) = payloads::asked(&name) {
                let items = self.waiting_for(hash);
                (!items.is_empty()).then_some(Event::Retried { items })
            } else if let Some(height) = evidence::asked(&name) {
                self.by_request(Item::Evidence(height))
            } else {
                continue;
            };
            self.take_up(&name, asked)?;
        }
        Ok(())
    }

    /// Takes what `tbsi relay send` left.
    async fn requests(&mut self, tip: &Proven) -> Result<(), RelayError> {
        let size = tip.decision.checkpoint.log_size.0;
        let index = |name: &str| name.parse::<u64>().ok().filter(|index| *index < size);
        for name in self.requested(|name| index(name).is_some()) {
            if let Some(index) = index(&name) {
                let asked = self.by_name(index, tip).await?;
                self.take_up(&name, asked)?;
            }
        }
        Ok(())
    }

    /// An item that an operator asks for; one in quarantine is tried again.
    fn by_request(&self, item: Item) -> Option<Event> {
        let items = vec![item];
        match self.state.items.get(&item).map(|entry| &entry.stage) {
            None => Some(Event::Discovered {
                items,
                scanned: self.state.scanned,
                requested: true,
            }),
            Some(Stage::Quarantined(_)) => Some(Event::Retried { items }),
            Some(Stage::Discovered | Stage::Proven | Stage::Planned(_)) => None,
        }
    }

    /// A leaf that an operator asks for, whatever the configuration selects. What a node says of
    /// its kind is verified when it is proven.
    async fn by_name(&mut self, index: u64, tip: &Proven) -> Result<Option<Event>, RelayError> {
        let size = tip.decision.checkpoint.log_size;
        let leaf = self.source.leaf(LeafIndex(index), size).await?;
        let message = Leaf::decode(&leaf.bytes)
            .is_ok_and(|leaf| matches!(leaf.statement, Statement::Message { .. }));
        let item = if message && self.target.takes_messages() {
            Item::Message(index)
        } else {
            Item::Leaf(index)
        };
        Ok(self.by_request(item))
    }

    /// A checkpoint for its own sake: at the configured interval, and in time to keep the light
    /// client alive. Times are the chains' own, so a wrong clock here does no harm.
    fn checkpoints(&mut self, tip: &Proven, view: &View) -> Result<(), RelayError> {
        let checkpoint = &tip.decision.checkpoint;
        let client = &view.client;
        let under_way = self
            .state
            .items
            .keys()
            .any(|item| matches!(item, Item::Checkpoint(height) if *height > client.height));
        if under_way || checkpoint.height.0 <= client.height {
            return Ok(());
        }
        let interval = self
            .config
            .select
            .checkpoint_interval_s
            .saturating_mul(1_000);
        let due = interval > 0 && checkpoint.time.0 >= client.time_ms.saturating_add(interval);
        let period = client.trusted_until_ms.saturating_sub(client.time_ms);
        let refresh_at = client.time_ms.saturating_add(period / 3);
        if !due && view.latest.time.saturating_mul(1_000) < refresh_at {
            return Ok(());
        }
        self.record(vec![Event::Discovered {
            items: vec![Item::Checkpoint(checkpoint.height.0)],
            scanned: self.state.scanned,
            requested: false,
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_cannot_be_taken_up_hide_none_that_can() {
        let folder = tempfile::tempdir().unwrap();
        for later in 0..=REQUESTS_MAX {
            fs::write(folder.path().join(format!("1{later:06}")), "").unwrap();
        }
        fs::write(folder.path().join("7"), "").unwrap();
        let due = |name: &str| name.parse::<u64>().is_ok_and(|index| index < 1_000);
        let found = due_names(folder.path(), due).unwrap();
        assert_eq!(found, BTreeSet::from(["7".to_owned()]));
        let all = due_names(folder.path(), |_| true).unwrap();
        let first = (0..REQUESTS_MAX).map(|later| format!("1{later:06}"));
        assert_eq!(
            all,
            first.collect(),
            "the rest has its turn in the next step"
        );
    }
}
