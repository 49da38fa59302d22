//! A made-up log, signed by made-up validators, and its files: what a node would serve, and what
//! a liar would.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tbsi_types::genesis::{
    NodeEntry, OrganisationEntry, OrganisationKind, Permission, ValidatorEntry,
};
use tbsi_types::log::leaf::body_hash;
use tbsi_types::log::tile::push_entry;
use tbsi_types::log::{
    Attestation, DigestWords, Frontier, InclusionProof, Leaf, LeafHead, LogCheckpoint, NodeReader,
    NoteSigner, SignedNote, Statement, Tile, TileSource, TreeNode, cosigner_name, leaf_hash,
};
use tbsi_types::roster::peer_id_of;
use tbsi_types::validator::operator_id;
use tbsi_types::{
    Address, B256, Checkpoint, CommitCertificate, CommitSignature, Decision, Genesis, Height,
    LeafIndex, NamedValidators, ProofBundle, Round, SecretKey, TimestampMs, TreeSize, sha256,
};

/// The schema of files, which is built in.
pub(crate) const FILE_SCHEMA: B256 = tbsi_types::log::lookup::BUILT_IN_SCHEMAS[0];

/// Begin of the log, milliseconds.
pub(crate) const START_MS: u64 = 1_767_225_600_000;

/// A log that grows by blocks.
#[derive(Clone)]
pub(crate) struct MadeLog {
    pub(crate) genesis: Genesis,
    pub(crate) leaves: Vec<Vec<u8>>,
    /// Texts of acts, by position: topics after the first, data.
    pub(crate) acts: BTreeMap<u64, (Vec<B256>, Vec<u8>)>,
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
    frontier: Frontier,
    nodes: BTreeMap<(u8, u64), B256>,
    name: String,
}

/// Hashes of a log for whoever makes tiles or proofs.
struct Nodes<'a>(&'a BTreeMap<(u8, u64), B256>);

#[derive(Debug)]
pub(crate) struct NoNode;

impl std::fmt::Display for NoNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no such node")
    }
}

impl std::error::Error for NoNode {}

impl NodeReader for Nodes<'_> {
    type Error = NoNode;

    fn read(&self, node: TreeNode) -> Result<B256, NoNode> {
        self.0.get(&(node.level, node.index)).copied().ok_or(NoNode)
    }
}

impl TileSource for Nodes<'_> {
    type Error = NoNode;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, NoNode> {
        let first = tile.index * 256;
        let mut bytes = Vec::new();
        for index in first..first + u64::from(tile.width) {
            let level = tile.level * 8;
            bytes.extend_from_slice(self.read(TreeNode { level, index })?.as_slice());
        }
        Ok(bytes)
    }
}

fn validator_key(number: usize) -> SecretKey {
    SecretKey::from_seed(format!("war room {number}").as_bytes())
}

fn log_secret(number: usize) -> [u8; 32] {
    sha256(&[b"war room log", &[u8::try_from(number).unwrap()]]).0
}

/// The account of an organisation, from 0.
pub(crate) fn account(number: u8) -> Address {
    Address::repeat_byte(0xa0 + number)
}

fn genesis(name: &str) -> Genesis {
    let names = [
        ("甲公會", "Guild A", "04595257"),
        ("乙公會", "Guild B & <script>alert(1)</script>", "22099131"),
        ("", "Operator C", ""),
        ("丁公會", "Guild D", ""),
    ];
    let mut organisations = BTreeMap::new();
    let mut nodes = Vec::new();
    for (number, (zh_tw, en, tax_id)) in names.into_iter().enumerate() {
        let id = format!("org-{number}");
        let permissions: BTreeSet<_> = [Permission::Send, Permission::Attest].into();
        let short = u8::try_from(number).unwrap();
        organisations.insert(
            id.clone(),
            OrganisationEntry {
                name_zh_tw: zh_tw.into(),
                name_en: en.into(),
                kind: Some(OrganisationKind::Association),
                votes: Some(true),
                tax_id: (!tax_id.is_empty()).then(|| tax_id.into()),
                jurisdiction: Some("TW".into()),
                accounts: [(account(short), permissions)].into(),
                ..OrganisationEntry::default()
            },
        );
        let log_key = NoteSigner::new("key", &log_secret(number))
            .unwrap()
            .public_key();
        nodes.push(NodeEntry {
            name: format!("node-{number}"),
            organisation: id,
            peer_id: peer_id_of(&[short + 1; 32]),
            endpoint: None,
            validator: Some(ValidatorEntry {
                public_key: validator_key(number).public_key().encode().to_vec().into(),
                power: 10,
                log_key: Some(log_key.to_vec().into()),
            }),
        });
    }
    let mut genesis = Genesis {
        version: 1,
        name: name.into(),
        chain_id: 7_575,
        time_ms: TimestampMs(START_MS),
        block_gas_limit: 300_000_000,
        consensus: tbsi_types::genesis::ConsensusParameters::default(),
        organisations,
        nodes,
        governance: None,
        accounts: BTreeMap::new(),
    };
    genesis.consensus.empty_block_interval_ms = 10_000;
    genesis.check().unwrap();
    genesis
}

impl MadeLog {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            genesis: genesis(name),
            leaves: Vec::new(),
            acts: BTreeMap::new(),
            height: 0,
            time_ms: START_MS,
            frontier: Frontier::default(),
            nodes: BTreeMap::new(),
            name: name.into(),
        }
    }

    /// The genesis file.
    pub(crate) fn genesis_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.genesis).unwrap()
    }

    /// A block a second after the last one, with these leaves.
    pub(crate) fn block(&mut self, statements: &[(Address, Statement)]) {
        self.height += 1;
        self.time_ms += 1_000;
        for (ordinal, (issuer, statement)) in (0..).zip(statements) {
            let head = LeafHead {
                chain_id: self.genesis.chain_id,
                height: Height(self.height),
                time: TimestampMs(self.time_ms),
                transaction_index: 0,
                ordinal,
                issuer: *issuer,
            };
            let leaf = Leaf {
                head,
                statement: *statement,
            };
            let bytes = leaf.encode().unwrap();
            let nodes = &mut self.nodes;
            self.frontier.append(leaf_hash(&bytes), |node, hash| {
                nodes.insert((node.level, node.index), hash);
            });
            self.leaves.push(bytes);
        }
    }

    /// A block with this many attestations of files by organisation `number`.
    pub(crate) fn attest(&mut self, number: u8, count: u32) {
        let from = self.leaves.len() as u64;
        let statement = |offset: u32| {
            let place = (from + u64::from(offset)).to_be_bytes();
            (
                account(number),
                file(sha256(&[self.name.as_bytes(), &place])),
            )
        };
        let statements: Vec<_> = (0..count).map(statement).collect();
        self.block(&statements);
    }

    /// A block with an act of governance, whose text is kept.
    pub(crate) fn act(&mut self, contract: Address, topics: &[B256], data: &[u8]) {
        let (event, rest) = topics.split_first().unwrap();
        let position = self.leaves.len() as u64;
        let statement = Statement::GovernanceAct {
            event: *event,
            body_hash: body_hash(rest, data),
        };
        self.acts.insert(position, (rest.to_vec(), data.to_vec()));
        self.block(&[(contract, statement)]);
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size().0
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let set = self.genesis.validator_set().unwrap().hash();
        Checkpoint {
            chain_id: self.genesis.chain_id,
            height: Height(self.height),
            time: TimestampMs(self.time_ms),
            block_hash: B256::repeat_byte(1),
            state_root: sha256(&[self.name.as_bytes()]),
            log_size: self.frontier.size(),
            log_root: self.frontier.root(),
            validator_set_hash: set,
            next_validator_set_hash: set,
        }
    }

    /// The checkpoint, as these validators sign it.
    pub(crate) fn decision_by(&self, signers: &[usize]) -> Decision {
        let checkpoint = self.checkpoint();
        let chain = self.genesis.identity();
        let digest = checkpoint.digest(&chain);
        let empty =
            CommitCertificate::new(checkpoint.height, Round(0), digest, Vec::new()).unwrap();
        let statement = empty.statement().digest(&chain);
        let sign = |number: &usize| CommitSignature {
            validator: validator_key(*number).public_key().address(),
            signature: validator_key(*number).sign(statement),
        };
        let signatures = signers.iter().map(sign).collect();
        let certificate = CommitCertificate::new(checkpoint.height, Round(0), digest, signatures);
        Decision {
            checkpoint,
            certificate: certificate.unwrap(),
        }
    }

    pub(crate) fn decision(&self) -> Decision {
        self.decision_by(&[0, 1, 3])
    }

    /// The log's note, as these validators cosign it.
    pub(crate) fn note_by(&self, cosigners: &[usize]) -> SignedNote {
        let chain = self.genesis.identity();
        let origin = chain.log_origin();
        let text = LogCheckpoint {
            origin: origin.clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        };
        let text = text.encode().unwrap();
        let own = NoteSigner::new(&origin, &[9; 32]).unwrap();
        let mut signatures = vec![own.sign(&text)];
        for number in cosigners {
            let organisation = &self.genesis.organisations[&format!("org-{number}")];
            let operator = operator_id(&organisation.name_zh_tw, &organisation.name_en);
            let name = cosigner_name(&chain, operator);
            let signer = NoteSigner::new(&name, &log_secret(*number)).unwrap();
            signatures.push(signer.cosign(&text, self.time_ms / 1000).unwrap());
        }
        SignedNote::new(text, signatures).unwrap()
    }

    /// The proof of the last leaf under the newest checkpoint.
    pub(crate) fn newest_bundle(&self, decision: Decision) -> ProofBundle {
        let index = LeafIndex(self.size() - 1);
        let nodes = Nodes(&self.nodes);
        ProofBundle {
            genesis_hash: self.genesis.hash(),
            leaf: self.leaves.last().unwrap().clone(),
            leaf_index: index,
            inclusion: InclusionProof::make(&nodes, index, self.frontier.size()).unwrap(),
            decision,
            validators: NamedValidators::of_genesis(&self.genesis).unwrap(),
            handovers: Vec::new(),
        }
    }

    /// Writes what `wget -r` of a node's log brings: tiles, leaves, a note.
    pub(crate) fn write_plain(&self, dir: &Path) {
        let put = |path: &str, bytes: &[u8]| {
            let file = dir.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        };
        put("checkpoint", self.note_by(&[0, 1, 2]).encode().as_bytes());
        put("handovers/count", b"0\n");
        for tile in Tile::changed(TreeSize(0), self.frontier.size()) {
            put(&tile.path(), &Nodes(&self.nodes).tile(tile).unwrap());
            if tile.level > 0 {
                continue;
            }
            let first = usize::try_from(tile.index * 256).unwrap();
            let mut bundle = Vec::new();
            for leaf in &self.leaves[first..first + usize::from(tile.width)] {
                push_entry(&mut bundle, leaf).unwrap();
            }
            let path = tile.path().replacen("tile/0/", "tile/entries/", 1);
            put(&path, &bundle);
        }
    }

    /// The same, with what a war room adds: the newest certificate, texts of acts.
    pub(crate) fn write(&self, dir: &Path) {
        self.write_plain(dir);
        let bundle = self.newest_bundle(self.decision());
        fs::write(dir.join("newest-bundle"), bundle.encode().unwrap()).unwrap();
        for tile in Tile::changed(TreeSize(0), self.frontier.size()) {
            if tile.level > 0 {
                continue;
            }
            let mut acts = Vec::new();
            let first = tile.index * 256;
            for (position, (topics, data)) in self.acts.range(first..first + 256) {
                acts.push(u8::try_from(position - first).unwrap());
                acts.push(u8::try_from(topics.len()).unwrap());
                acts.extend(topics.iter().flat_map(|topic| topic.0));
                acts.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
                acts.extend(data);
            }
            let path = tile.path().replacen("tile/0/", "acts/", 1);
            let file = dir.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, acts).unwrap();
        }
    }
}

/// An attestation of a file with this SHA-256.
pub(crate) fn file(digest: B256) -> Statement {
    Statement::Attestation(Attestation {
        schema: FILE_SCHEMA,
        algorithm: 0x12,
        digest: DigestWords::of(0x12, digest.as_slice()).unwrap(),
    })
}
