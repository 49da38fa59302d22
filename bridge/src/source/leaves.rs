//! Leaves of the log and their proofs, from tiles and bundles of entries (SPEC §9.5).

use std::sync::Arc;

use tbsi_light::{VerifyBundleError, verify_bundle};
use tbsi_types::log::proof::{InclusionProof, MakeProofError, NodeReader};
use tbsi_types::log::tile::{ENTRY_BUNDLE_BYTES_MAX, TILE_BYTES_MAX, entries};
use tbsi_types::log::{EntryBundle, Frontier, MultiProof, TileReader, TreeNode, leaf_hash};
use tbsi_types::{LeafIndex, ProofBundle, TreeSize};

use super::tiles::Tiles;
use super::{
    FoundLeaf, Leaves, Proven, ProvenLeaf, ProvenLeaves, Source, SourceError, causes, unavailable,
    within,
};
use crate::limits::{BUNDLES_KEPT_MAX, TILES_PER_PROOF_MAX};

impl Source {
    /// The leaves after `scanned` that `select` wants, up to the end of `tip`'s log; all of them
    /// together, also those that it does not want, lead to the tip's log root.
    pub async fn scan(
        &mut self,
        scanned: TreeSize,
        tip: &Proven,
        select: impl Fn(&FoundLeaf) -> bool,
    ) -> Result<Vec<FoundLeaf>, SourceError> {
        let checkpoint = &tip.decision.checkpoint;
        let size = checkpoint.log_size;
        if scanned.0 >= size.0 {
            return Ok(Vec::new());
        }
        let mut frontier = self.frontier_at(scanned, size).await?;
        let mut leaves = Vec::new();
        for bundle in EntryBundle::changed(scanned, size) {
            for (offset, bytes) in (0..).zip(self.bundle(bundle).await?.iter()) {
                let index = bundle.index * 256 + offset;
                if index >= scanned.0 {
                    frontier.append(leaf_hash(bytes), |_, _| ());
                    let index = LeafIndex(index);
                    let bytes = bytes.clone();
                    let leaf = FoundLeaf { index, bytes };
                    if select(&leaf) {
                        leaves.push(leaf);
                    }
                }
            }
        }
        if frontier.root() != checkpoint.log_root {
            self.forget();
            let problem = format!(
                "the leaves {scanned} to {size} are not those of the log root at height {}",
                checkpoint.height
            );
            self.alarms.push(problem.clone());
            let url = "a source endpoint".into();
            return Err(SourceError::NotProven { url, problem });
        }
        self.frontier = Some(frontier);
        Ok(leaves)
    }

    /// Forgets what may be wrong, and asks another endpoint first from now on.
    fn forget(&mut self) {
        self.tiles.clear();
        self.bundles.clear();
        self.frontier = None;
        self.endpoints.rotate_left(1);
    }

    async fn frontier_at(&mut self, at: TreeSize, size: TreeSize) -> Result<Frontier, SourceError> {
        if at.0 == 0 {
            return Ok(Frontier::default());
        }
        if let Some(known) = self.frontier.as_ref().filter(|known| known.size() == at) {
            return Ok(known.clone());
        }
        let hashes = self
            .with_tiles(size, |reader| {
                let mut bytes = at.0.to_be_bytes().to_vec();
                let mut end = at.0;
                let mut nodes = Vec::new();
                while end > 0 {
                    let level = u8::try_from(end.trailing_zeros()).expect("a u64 has 64 bits");
                    let index = (end >> level) - 1;
                    nodes.push(TreeNode { level, index });
                    end &= end - 1;
                }
                for node in nodes.into_iter().rev() {
                    let hash = reader.read(node);
                    bytes.extend_from_slice(hash.map_err(|error| error.to_string())?.as_slice());
                }
                Ok(bytes)
            })
            .await?;
        Frontier::decode(&hashes).map_err(|error| unavailable(error.to_string()))
    }

    /// One leaf of the log of `size` leaves, not verified.
    pub(crate) async fn leaf(
        &mut self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<FoundLeaf, SourceError> {
        let outside = || unavailable(format!("leaf {index} is outside a log of {size}"));
        let bundle = EntryBundle::of_leaf(index, size).ok_or_else(outside)?;
        let offset = usize::try_from(index.0 % 256).expect("below 256");
        let bytes = self.bundle(bundle).await?[offset].clone();
        Ok(FoundLeaf { index, bytes })
    }

    async fn bundle(&mut self, bundle: EntryBundle) -> Result<Leaves, SourceError> {
        let key = (bundle.index, bundle.width);
        if let Some(known) = self.bundles.get(&key) {
            return Ok(known.clone());
        }
        let path = format!("log/{}", bundle.path());
        let mut problem = String::new();
        for endpoint in &self.endpoints {
            match within(endpoint.rpc.file(&path, ENTRY_BUNDLE_BYTES_MAX)).await {
                Ok(bytes) => match entries(&bytes, bundle.width) {
                    Ok(leaves) => {
                        let leaves = leaves.into_iter().map(<[u8]>::to_vec);
                        let leaves = Arc::new(leaves.collect::<Vec<_>>());
                        if self.bundles.len() >= BUNDLES_KEPT_MAX {
                            self.bundles.clear();
                        }
                        self.bundles.insert(key, Arc::clone(&leaves));
                        return Ok(leaves);
                    }
                    Err(error) => problem = error.to_string(),
                },
                Err(error) => problem = error,
            }
        }
        Err(unavailable(problem))
    }

    /// Proofs of leaves under one checkpoint, each verified as the bundle that it is part of.
    pub async fn prove_leaves(
        &mut self,
        indexes: &[LeafIndex],
        tip: &Proven,
    ) -> Result<ProvenLeaves, SourceError> {
        let size = tip.decision.checkpoint.log_size;
        let mut leaves = Vec::with_capacity(indexes.len());
        for index in indexes {
            leaves.push(self.leaf(*index, size).await?);
        }
        let wanted = indexes.to_vec();
        let (paths, proof) = self
            .with_tiles(size, move |reader| {
                let path = |index: &LeafIndex| InclusionProof::make(reader, *index, size);
                let paths: Result<Vec<_>, _> = wanted.iter().map(path).collect();
                let paths = paths.map_err(|error| make_error(&error))?;
                let proof = MultiProof::make(reader, &wanted, size);
                Ok((paths, proof.map_err(|error| make_error(&error))?))
            })
            .await?;
        for (leaf, path) in leaves.iter().zip(&paths) {
            self.require_proven(leaf, path.clone(), tip)?;
        }
        Ok(ProvenLeaves {
            leaves,
            paths,
            proof,
        })
    }

    /// One leaf under a checkpoint, verified as the bundle that it is part of.
    pub async fn prove_leaf(
        &mut self,
        index: LeafIndex,
        tip: &Proven,
    ) -> Result<ProvenLeaf, SourceError> {
        let size = tip.decision.checkpoint.log_size;
        let leaf = self.leaf(index, size).await?;
        let make = |reader: &TileReader<'_, Tiles>| {
            InclusionProof::make(reader, index, size).map_err(|error| make_error(&error))
        };
        let path = self.with_tiles(size, make).await?;
        self.require_proven(&leaf, path.clone(), tip)?;
        Ok(ProvenLeaf { leaf, path })
    }

    fn require_proven(
        &mut self,
        leaf: &FoundLeaf,
        path: InclusionProof,
        tip: &Proven,
    ) -> Result<(), SourceError> {
        let Err(error) = self.verify(leaf, path, tip) else {
            return Ok(());
        };
        self.forget();
        let problem = format!("leaf {}: {}", leaf.index, causes(&error));
        self.alarms.push(problem.clone());
        let url = "a source endpoint".into();
        Err(SourceError::NotProven { url, problem })
    }

    fn verify(
        &self,
        leaf: &FoundLeaf,
        inclusion: InclusionProof,
        tip: &Proven,
    ) -> Result<(), VerifyBundleError> {
        let bundle = ProofBundle {
            genesis_hash: self.chain.genesis_hash,
            leaf: leaf.bytes.clone(),
            leaf_index: leaf.index,
            inclusion,
            decision: tip.decision.clone(),
            validators: tip.validators.clone(),
            handovers: Vec::new(),
        };
        let anchor = self.anchor_at(tip.decision.checkpoint.height);
        verify_bundle(&bundle, anchor).map(|_| ())
    }

    /// Does something with tiles, fetching those that it asks for.
    async fn with_tiles<T>(
        &mut self,
        size: TreeSize,
        make: impl Fn(&TileReader<'_, Tiles>) -> Result<T, String>,
    ) -> Result<T, SourceError> {
        let mut fetched = 0;
        loop {
            let made = make(&TileReader::new(&self.tiles, size));
            let missing = self.tiles.take_missing();
            match made {
                Ok(made) => return Ok(made),
                Err(problem) if missing.is_empty() => return Err(unavailable(problem)),
                Err(_) => {}
            }
            for tile in missing {
                fetched += 1;
                if fetched > TILES_PER_PROOF_MAX {
                    return Err(unavailable("a proof asks for too many tiles"));
                }
                let bytes = self.fetch_tile(&tile.path()).await?;
                self.tiles.keep(tile, bytes);
            }
        }
    }

    async fn fetch_tile(&mut self, path: &str) -> Result<Vec<u8>, SourceError> {
        let path = format!("log/{path}");
        let mut problem = String::new();
        for endpoint in &mut self.endpoints {
            match within(endpoint.rpc.file(&path, TILE_BYTES_MAX)).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => problem = error,
            }
        }
        Err(unavailable(problem))
    }
}

fn make_error<E: std::error::Error + Send + Sync + 'static>(error: &MakeProofError<E>) -> String {
    causes(error)
}
