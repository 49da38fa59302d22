//! `tbsi log audit`: the root of the log from every leaf, and the roots of the map. The first needs
//! constant memory, the second the whole map.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use alloy_eips::BlockNumberOrTag;
use anyhow::Context;
use futures::stream::{self, StreamExt};
use serde_json::json;
use tbsi_light::{MapAudit, MapAuditError};
use tbsi_rpc::LogReader;
use tbsi_types::Bytes;
use tbsi_types::log::tile::{ENTRY_BUNDLE_BYTES_MAX, TILE_WIDTH, entries};
use tbsi_types::log::{EntryBundle, Frontier, Leaf, Statement, leaf_hash};
use tbsi_types::{Checkpoint, Height, LeafIndex, TimestampMs, TreeSize};

use super::decided::decided;
use super::{AuditArgs, Checked, Failure, resume};
use crate::checkpoint::verified;
use crate::http::reader;
use crate::lang::{Language, SayContext, counted, demand, said, wrap};
use crate::progress;
use crate::proof::load_genesis;
use crate::rpc::log_of;
use crate::shown::PathShown;

/// Bundles of leaves that are asked for at a time.
const REQUESTS_AT_A_TIME: usize = 16;

pub(super) async fn audit(args: &AuditArgs) -> Checked {
    let genesis = load_genesis(&args.genesis)?;
    let tiles = Tiles::open(args)?;
    let mut frontier = Frontier::default();
    if let Some(path) = args.state.as_deref().filter(|_| !args.from_scratch) {
        frontier = resume::load(path, genesis.hash())?.unwrap_or_default();
    }
    let checkpoint = match &args.checkpoint {
        Some(file) => verified(file, &genesis)?,
        None => {
            let client = args.node.client()?;
            let height = args.height.map(BlockNumberOrTag::Number);
            decided(
                &client,
                &genesis,
                height.unwrap_or(BlockNumberOrTag::Latest),
            )
            .await?
        }
    };
    let before = frontier.size();
    if before > checkpoint.log_size {
        return Err(shrunk(args, before, &checkpoint));
    }
    // What is in the map, only all leaves tell.
    let with_map = !args.without_map && before == TreeSize(0);
    let map = with_map.then(|| MapAudit::new(genesis.consensus.map_period_ms()));
    let mut audit = Audit::new(frontier, map, &checkpoint);
    audit.fetch(&tiles).await?;
    audit.check_root().map_err(Failure::No)?;
    audit.check_map().map_err(Failure::No)?;
    if let Some(path) = &args.state {
        resume::store(path, genesis.hash(), &audit.frontier)?;
    }
    Ok(audit.report(before, args.lang))
}

/// More was audited before than the checkpoint covers: a lie, unless an older one was asked for.
fn shrunk(args: &AuditArgs, before: TreeSize, checkpoint: &Checkpoint) -> Failure {
    let (size, height) = (checkpoint.log_size, checkpoint.height);
    if args.height.is_some() || args.checkpoint.is_some() {
        return Failure::CouldNotTell(said(
            format!(
                "{} audited before, the log of height {height} has {size}; add --from-scratch, or \
                 leave --state out",
                counted(before, "leaf")
            ),
            format!(
                "先前已稽核 {before} 筆，高度 {height} 的日誌有 {size} 筆；請加上 --from-scratch，\
                 或不要加 --state"
            ),
        ));
    }
    Failure::No(said(
        format!(
            "{} audited before, the validators now sign a log of {size}",
            counted(before, "leaf")
        ),
        format!("先前已稽核 {before} 筆，驗證者現在簽署的日誌只有 {size} 筆"),
    ))
}

/// Where leaves come from. None of them is trusted.
enum Tiles {
    Web(Box<LogReader>),
    /// Files under the names that they have on the web.
    Directory(PathBuf),
}

impl Tiles {
    fn open(args: &AuditArgs) -> anyhow::Result<Self> {
        let Some(given) = &args.log else {
            let url = log_of(&args.node.url());
            return Ok(Self::Web(Box::new(reader(&url)?)));
        };
        let directory = PathBuf::from(given);
        if directory.is_dir() {
            return Ok(Self::Directory(directory));
        }
        Ok(Self::Web(Box::new(reader(given)?)))
    }

    async fn entries(&self, bundle: EntryBundle) -> anyhow::Result<Bytes> {
        match self {
            Self::Web(reader) => Ok(reader.entries(bundle).await?.into()),
            Self::Directory(directory) => {
                let path = directory.join(bundle.path());
                let mut bytes = Vec::new();
                File::open(&path)
                    .and_then(|file| {
                        let mut limited = file.take(ENTRY_BUNDLE_BYTES_MAX as u64);
                        limited.read_to_end(&mut bytes)
                    })
                    .or_say(|| {
                        let path = path.shown();
                        (format!("read {path}"), format!("讀取 {path}"))
                    })?;
                Ok(bytes.into())
            }
        }
    }
}

/// The log as far as it was read.
struct Audit<'a> {
    checkpoint: &'a Checkpoint,
    frontier: Frontier,
    /// The map as it grows; `None` if its roots are not made again.
    map: Option<MapAudit>,
    /// Why one of them is wrong. That leaves are not those of the log at all, goes before.
    map_fault: Option<MapAuditError>,
    /// Height and time of the last leaf.
    last: (Height, TimestampMs),
    kinds: BTreeMap<&'static str, u64>,
}

impl<'a> Audit<'a> {
    fn new(frontier: Frontier, map: Option<MapAudit>, checkpoint: &'a Checkpoint) -> Self {
        Self {
            checkpoint,
            frontier,
            map,
            map_fault: None,
            last: (Height(0), TimestampMs(0)),
            kinds: BTreeMap::new(),
        }
    }

    /// Reads what is missing, in order, some bundles at a time.
    async fn fetch(&mut self, tiles: &Tiles) -> Result<(), Failure> {
        let (start, end) = (self.frontier.size().0, self.checkpoint.log_size.0);
        let bar = progress::count(end - start, "auditing");
        let width = u64::from(TILE_WIDTH);
        let requests = (start / width..end.div_ceil(width)).map(async |index| {
            let left = u16::try_from(end - index * width).unwrap_or(TILE_WIDTH);
            let width = left.min(TILE_WIDTH);
            let bundle = EntryBundle { index, width };
            let bytes = tiles.entries(bundle).await;
            (bundle, bytes)
        });
        let mut answers = stream::iter(requests).buffered(REQUESTS_AT_A_TIME);
        while let Some((bundle, bytes)) = answers.next().await {
            let bytes = bytes?;
            let leaves = entries(&bytes, bundle.width).with_context(|| bundle.path())?;
            for (index, leaf) in (bundle.index * width..).zip(leaves) {
                // What was audited before may end within a bundle.
                if index >= start {
                    self.append(index, leaf).map_err(Failure::No)?;
                    bar.inc(1);
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// A leaf has to be one of this chain, and not earlier than the one before.
    fn append(&mut self, index: u64, bytes: &[u8]) -> anyhow::Result<()> {
        let leaf = match Leaf::decode(bytes) {
            Ok(leaf) => leaf,
            Err(error) => {
                let (en, zh_tw) = (format!("leaf {index}"), format!("第 {index} 筆紀錄"));
                return Err(wrap(error, (en, zh_tw)));
            }
        };
        let chain_id = leaf.head.chain_id;
        demand(chain_id == self.checkpoint.chain_id, || {
            (
                format!("leaf {index} is of chain id {chain_id}"),
                format!("第 {index} 筆紀錄屬於鏈 {chain_id}"),
            )
        })?;
        let place = (leaf.head.height, leaf.head.time);
        let limit = (self.checkpoint.height, self.checkpoint.time);
        demand(place.0 >= self.last.0 && place.1 >= self.last.1, || {
            (
                format!("leaf {index} is of an earlier block than the leaf before it"),
                format!("第 {index} 筆紀錄的區塊早於前一筆"),
            )
        })?;
        demand(place.0 <= limit.0 && place.1 <= limit.1, || {
            (
                format!("leaf {index} is of a later block than the checkpoint that covers it"),
                format!("第 {index} 筆紀錄的區塊晚於涵蓋它的檢查點"),
            )
        })?;
        self.last = place;
        if self.map_fault.is_none()
            && let Some(map) = &mut self.map
        {
            self.map_fault = map.take(LeafIndex(index), &leaf).err();
        }
        *self.kinds.entry(kind(&leaf.statement)).or_default() += 1;
        self.frontier.append(leaf_hash(bytes), |_, _| {});
        Ok(())
    }

    fn check_root(&self) -> anyhow::Result<()> {
        let (root, signed) = (self.frontier.root(), self.checkpoint.log_root);
        let height = self.checkpoint.height;
        let same = self.frontier.size() == self.checkpoint.log_size && root == signed;
        demand(same, || {
            (
                format!(
                    "the leaves lead to root {root}, the validators signed {signed} at height \
                     {height}"
                ),
                format!("各筆推得的根雜湊為 {root}，驗證者在高度 {height} 簽署的是 {signed}"),
            )
        })
    }

    /// The roots of the map that the log tells are those that its leaves make.
    fn check_map(&mut self) -> anyhow::Result<()> {
        let ended = self.map.as_mut().map_or(Ok(()), MapAudit::end_block);
        let Some(fault) = self.map_fault.take().or(ended.err()) else {
            return Ok(());
        };
        let sentence = (
            "the map, made again from the leaves".into(),
            "由各筆紀錄重新推得的對照表".into(),
        );
        Err(wrap(fault, sentence))
    }

    fn report(&self, before: TreeSize, lang: Language) -> (String, serde_json::Value) {
        let checkpoint = self.checkpoint;
        let (height, size, root) = (checkpoint.height, checkpoint.log_size, checkpoint.log_root);
        let now = size.0 - before.0;
        let mut text = lang.pick(
            format!(
                "checkpoint of height {height}, signed by a quorum; its validator set follows from \
                 the genesis file\n{}, {now} of them audited now\nroot {root}\n",
                counted(size, "leaf")
            ),
            format!(
                "高度 {height} 的檢查點，由法定多數的驗證者簽署；驗證者集合源自創世檔\n\
                 共 {size} 筆，本次稽核 {now} 筆\n根雜湊 {root}\n"
            ),
        );
        let map = match &self.map {
            Some(map) => lang.pick(
                format!(
                    "map: {} roots, each made again from the leaves\n",
                    map.roots()
                ),
                format!("對照表：{} 個根雜湊，均由各筆紀錄重新推得\n", map.roots()),
            ),
            None => lang.pick(
                "map: its roots were not made again\n".to_owned(),
                "對照表：未重新推得其根雜湊\n".to_owned(),
            ),
        };
        text += &map;
        for (kind, count) in &self.kinds {
            writeln!(text, "  {kind:<22} {count}").expect("a String takes all");
        }
        let json = json!({
            "height": checkpoint.height,
            "logSize": checkpoint.log_size,
            "logRoot": checkpoint.log_root,
            "auditedBefore": before,
            "mapRoots": self.map.as_ref().map(MapAudit::roots),
            "kinds": self.kinds,
        });
        (text, json)
    }
}

fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Attestation(_) => "attestation",
        Statement::Revocation { .. } => "revocation",
        Statement::Supersession { .. } => "supersession",
        Statement::CountersigningOpened { .. } => "countersigningOpened",
        Statement::Countersignature { .. } => "countersignature",
        Statement::SchemaRegistered { .. } => "schemaRegistered",
        Statement::AlgorithmSet { .. } => "algorithmSet",
        Statement::MapRoot(_) => "mapRoot",
        Statement::GovernanceAct { .. } => "governanceAct",
        Statement::Message { .. } => "message",
        Statement::ForeignFact(_) => "foreignFact",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256};
    use tbsi_types::log::LeafHead;

    fn leaf(chain_id: u64, height: u64, reason: u16) -> Vec<u8> {
        let leaf = Leaf {
            head: LeafHead {
                chain_id,
                height: Height(height),
                time: TimestampMs(1_000 * height),
                transaction_index: 0,
                ordinal: 0,
                issuer: Address::ZERO,
            },
            statement: Statement::Revocation {
                id: B256::ZERO,
                reason,
            },
        };
        leaf.encode().unwrap()
    }

    /// Audits leaves as those of a log whose checkpoint, of height 3, has the root of `signed`.
    fn check(leaves: &[Vec<u8>], signed: &[Vec<u8>], expected: Result<(), &str>) {
        let mut frontier = Frontier::default();
        for leaf in signed {
            frontier.append(leaf_hash(leaf), |_, _| {});
        }
        let checkpoint = Checkpoint {
            chain_id: 1,
            height: Height(3),
            time: TimestampMs(3_000),
            block_hash: B256::ZERO,
            state_root: B256::ZERO,
            log_size: frontier.size(),
            log_root: frontier.root(),
            validator_set_hash: B256::ZERO,
            next_validator_set_hash: B256::ZERO,
        };
        let map = MapAudit::new(60_000);
        let mut audit = Audit::new(Frontier::default(), Some(map), &checkpoint);
        let mut numbered = (0..).zip(leaves);
        let outcome = numbered.try_for_each(|(index, leaf)| audit.append(index, leaf));
        let outcome = outcome.and_then(|()| audit.check_root());
        let outcome = outcome.and_then(|()| audit.check_map());
        match (outcome, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(words)) => {
                let error = format!("{error:#}");
                assert!(error.contains(words), "{error}");
            }
            (outcome, expected) => panic!("{outcome:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn every_leaf_counts() {
        let good = [leaf(1, 1, 1), leaf(1, 1, 2), leaf(1, 3, 3)];
        check(&good, &good, Ok(()));
        check(&[], &[], Ok(()));
        check(&good[..2], &good, Err("lead to root"));
        check(&good, &good[..2], Err("lead to root"));
        let swapped = [good[1].clone(), good[0].clone(), good[2].clone()];
        check(&swapped, &good, Err("lead to root"));
        let mut changed = good.clone();
        changed[1] = leaf(1, 1, 9);
        check(&changed, &good, Err("lead to root"));
    }

    #[test]
    fn a_root_of_the_map_that_the_leaves_do_not_make_is_found() {
        let root = tbsi_types::log::MapRoot {
            root: B256::ZERO,
            entries: 0,
            height: Height(2),
            digest_height: Height(2),
            revoked_algorithms: B256::ZERO,
        };
        let mut told = Leaf::decode(&leaf(1, 3, 1)).unwrap();
        told.statement = Statement::MapRoot(root);
        told.head.transaction_index = tbsi_types::log::leaf::U24_MAX;
        let leaves = [leaf(1, 1, 1), told.encode().unwrap()];
        let words = "block 3 begins with a root of the map, and none is due";
        check(&leaves, &leaves, Err(words));
    }

    #[test]
    fn a_leaf_that_cannot_be_there_is_found() {
        let check = |leaves: &[Vec<u8>], words| check(leaves, leaves, Err(words));
        check(&[leaf(2, 1, 1)], "leaf 0 is of chain id 2");
        check(
            &[leaf(1, 2, 1), leaf(1, 1, 1)],
            "leaf 1 is of an earlier block",
        );
        check(&[leaf(1, 4, 1)], "leaf 0 is of a later block");
        check(&[vec![9; 60]], "leaf 0: ");
    }
}
