//! `/log/`: C2SP tlog-tiles, and proofs as C2SP tlog-proof, as
//! COSE receipts and for OpenTimestamps.

use http::{Method, StatusCode};
use tbsi_types::LeafIndex;
use tbsi_types::log::{EntryBundle, Tile};

use super::{BYTES, Caching, Page, TEXT};
use crate::api::{Api, Runner};
use crate::error::Failure;
use crate::wire::Organisation;

/// RFC 9052 §10.3.
const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Checkpoint,
    Key,
    Tile(Tile),
    Entries(EntryBundle),
    Proof(LeafIndex),
    PostQuantumCheckpoint,
    PostQuantumKey,
    PostQuantumProof(LeafIndex),
    Cose(LeafIndex),
    Ots(LeafIndex),
    HandoverCount,
    Handovers(EntryBundle),
}

impl Target {
    /// From the path after `/log/`.
    fn parse(path: &str) -> Result<Self, Page> {
        let malformed = |sentence: String| Page::refusal(StatusCode::BAD_REQUEST, sentence);
        match path {
            "checkpoint" => return Ok(Self::Checkpoint),
            "key" => return Ok(Self::Key),
            "handovers/count" => return Ok(Self::HandoverCount),
            "post-quantum/checkpoint" => return Ok(Self::PostQuantumCheckpoint),
            "post-quantum/key" => return Ok(Self::PostQuantumKey),
            _ => {}
        }
        if path.starts_with("tile/entries/") {
            let bundle = EntryBundle::parse_path(path);
            return bundle
                .map(Self::Entries)
                .map_err(|error| malformed(error.to_string()));
        }
        if let Some(rest) = path.strip_prefix("handovers/") {
            // Named as bundles of entries are.
            let page = EntryBundle::parse_path(&format!("tile/entries/{rest}"));
            let wrong = |_| {
                malformed(
                    "pages are at /log/handovers/<index>, with an index like x001/x234/067, and \
                     `.p/<width>` if it is partial; /log/handovers/count says how many handovers \
                     there are, 256 to a page"
                        .into(),
                )
            };
            return page.map(Self::Handovers).map_err(wrong);
        }
        if path.starts_with("tile/") {
            let tile = Tile::parse_path(path);
            return tile
                .map(Self::Tile)
                .map_err(|error| malformed(error.to_string()));
        }
        if let Some(name) = path.strip_prefix("proof/") {
            return Self::proof(name).ok_or_else(|| {
                malformed("proofs are at /log/proof/<leaf index>.tlog-proof, .cose and .ots".into())
            });
        }
        if let Some(name) = path.strip_prefix("post-quantum/") {
            let index = name.strip_suffix(".tlog-proof").and_then(decimal);
            let wrong = || {
                malformed(
                    "there are /log/post-quantum/checkpoint, /log/post-quantum/key and \
                     /log/post-quantum/<leaf index>.tlog-proof"
                        .into(),
                )
            };
            return index.map(Self::PostQuantumProof).ok_or_else(wrong);
        }
        Err(Page::refusal(
            StatusCode::NOT_FOUND,
            "no such page; there are /log/checkpoint, /log/key, /log/tile/<level>/<index>, \
             /log/tile/entries/<index>, /log/proof/<leaf index>.tlog-proof, \
             .cose and .ots, /log/handovers/count, /log/handovers/<index>, \
             /log/post-quantum/checkpoint, /log/post-quantum/key and \
             /log/post-quantum/<leaf index>.tlog-proof",
        ))
    }

    /// From the path after `/log/proof/`.
    fn proof(name: &str) -> Option<Self> {
        let (index, form) = name.split_once('.')?;
        let index = decimal(index)?;
        match form {
            "tlog-proof" => Some(Self::Proof(index)),
            "cose" => Some(Self::Cose(index)),
            "ots" => Some(Self::Ots(index)),
            _ => None,
        }
    }

    fn page(self, api: &Api) -> Result<Page, Failure> {
        let backend = &api.backend;
        match self {
            Self::Checkpoint => Ok(text(backend.log_note()?.encode())),
            Self::Key => Ok(text(keys(api)?)),
            Self::Tile(tile) => {
                let bytes = backend.log_tile(tile)?;
                let page = bytes.map(|bytes| Page {
                    compressible: false,
                    ..Page::new(BYTES, caching(tile.width), bytes)
                });
                Ok(page.unwrap_or_else(|| absent(api, &tile.path())))
            }
            Self::Entries(bundle) => {
                let bytes = backend.log_entries(bundle)?;
                let page = bytes.map(|bytes| Page::new(BYTES, caching(bundle.width), bytes));
                Ok(page.unwrap_or_else(|| absent(api, &bundle.path())))
            }
            Self::Proof(index) => {
                let proof = backend.tlog_proof(index)?;
                let page = proof.map(|proof| text(proof.encode()));
                Ok(page.unwrap_or_else(|| absent(api, &format!("leaf {index}"))))
            }
            Self::PostQuantumCheckpoint => {
                let note = backend.post_quantum_note()?;
                let page = note.map(|note| text(note.encode()));
                Ok(page.unwrap_or_else(nobody_cosigned))
            }
            Self::PostQuantumKey => Ok(text(post_quantum_keys(api)?)),
            Self::PostQuantumProof(index) => {
                if index.0 >= backend.log_size().0 {
                    return Ok(absent(api, &format!("leaf {index}")));
                }
                let proof = backend.post_quantum_proof(index)?;
                let page = proof.map(|proof| text(proof.encode()));
                Ok(page.unwrap_or_else(nobody_cosigned))
            }
            Self::Cose(index) => {
                let receipt = backend.cose_receipt(index)?;
                let page = receipt.map(|receipt| Page {
                    compressible: false,
                    ..Page::new(COSE, Caching::Never, receipt.encode())
                });
                Ok(page.unwrap_or_else(|| absent(api, &format!("leaf {index}"))))
            }
            Self::Ots(index) => {
                let answer = backend.ots_file(index)?;
                Ok(super::calendar::page(answer, StatusCode::NOT_FOUND))
            }
            Self::HandoverCount => {
                let count = format!("{}\n", backend.handover_count());
                Ok(Page::new(TEXT, Caching::Never, count.into_bytes()))
            }
            Self::Handovers(page) => {
                let bytes = backend.handover_page(page)?;
                let found = bytes.map(|bytes| Page::new(BYTES, caching(page.width), bytes));
                Ok(found.unwrap_or_else(|| {
                    let count = backend.handover_count();
                    let sentence =
                        format!("there is no such page: the validator set changed {count} times");
                    Page::refusal(StatusCode::NOT_FOUND, sentence)
                }))
            }
        }
    }
}

/// The log's key of this node on the first line, then the cosigners', each after a comment with
/// its operator's legal names.
fn keys(api: &Api) -> Result<String, Failure> {
    let keys = crate::log::keys(api)?;
    let mut text = format!("{}\n", keys.log);
    for cosigner in &keys.cosigners {
        let comment = comment(&cosigner.organisation, &cosigner.node_name);
        text += &format!("# {comment}\n{}\n", cosigner.key);
    }
    Ok(text)
}

/// The post-quantum keys of those who have cosigned, each after a comment with its operator's
/// legal names; of those who have not, a comment alone.
fn post_quantum_keys(api: &Api) -> Result<String, Failure> {
    let mut text = String::new();
    for cosigner in &crate::log::keys(api)?.post_quantum {
        let comment = comment(&cosigner.organisation, &cosigner.node_name);
        match &cosigner.key {
            Some(key) => text += &format!("# {comment}\n{key}\n"),
            None => {
                let hash = cosigner.key_hash;
                text += &format!("# {comment} has not cosigned yet, SHA-256 of its key: {hash}\n");
            }
        }
    }
    Ok(text)
}

/// Legal names and the node's name. A name is free text; a line is one line.
fn comment(organisation: &Organisation, node_name: &str) -> String {
    let names = [&organisation.name_zh_tw, &organisation.name_en].map(|name| name.trim());
    let names = names.join(" / ");
    let comment = format!("{} ({node_name})", names.trim_start_matches(" / "));
    comment.replace(char::is_control, " ")
}

fn text(text: String) -> Page {
    Page::new(TEXT, Caching::Never, text.into_bytes())
}

fn nobody_cosigned() -> Page {
    let sentence = "no validator has cosigned it with a post-quantum key; /log/post-quantum/key \
                    says whose keys the chain names";
    Page::refusal(StatusCode::NOT_FOUND, sentence)
}

/// Digits without sign or leading zeros.
fn decimal(text: &str) -> Option<LeafIndex> {
    let index: u64 = text.parse().ok()?;
    (index.to_string() == text).then_some(LeafIndex(index))
}

fn caching(width: u16) -> Caching {
    if width == tbsi_types::log::tile::TILE_WIDTH {
        Caching::Forever
    } else {
        Caching::Short
    }
}

fn absent(api: &Api, what: &str) -> Page {
    let size = api.backend.log_size();
    let sentence = format!("{what} does not exist: the log has {size} leaves");
    Page::refusal(StatusCode::NOT_FOUND, sentence)
}

/// Answers `path`, which is `/log` or begins with `/log/`.
pub(super) async fn answer(runner: &Runner, method: &Method, path: &str) -> Page {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Page::wrong_method("GET, HEAD");
    }
    let target = match Target::parse(path.strip_prefix("/log/").unwrap_or_default()) {
        Ok(target) => target,
        Err(refusal) => return refusal,
    };
    let page = runner.run(move |api| target.page(api)).await;
    page.unwrap_or_else(|failure| Page::failure(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_path_in_one_way_only() {
        let tile = |level, index, width| {
            Ok(Target::Tile(Tile {
                level,
                index,
                width,
            }))
        };
        let check = |path: &str, expected: Result<Target, u16>| {
            let parsed = Target::parse(path).map_err(|page| page.status.as_u16());
            assert_eq!(parsed, expected, "{path}");
        };
        check("checkpoint", Ok(Target::Checkpoint));
        check("key", Ok(Target::Key));
        check("tile/0/000", tile(0, 0, 256));
        check("tile/2/x001/x234/067.p/7", tile(2, 1_234_067, 7));
        let bundle = EntryBundle { index: 5, width: 3 };
        check("tile/entries/005.p/3", Ok(Target::Entries(bundle)));
        check("proof/17.tlog-proof", Ok(Target::Proof(LeafIndex(17))));
        check("proof/17.cose", Ok(Target::Cose(LeafIndex(17))));
        check("proof/17.ots", Ok(Target::Ots(LeafIndex(17))));
        check("handovers/count", Ok(Target::HandoverCount));
        check("post-quantum/key", Ok(Target::PostQuantumKey));
        let proof = Target::PostQuantumProof(LeafIndex(17));
        check("post-quantum/17.tlog-proof", Ok(proof));
        check("post-quantum/checkpoint", Ok(Target::PostQuantumCheckpoint));
        check("handovers/005.p/3", Ok(Target::Handovers(bundle)));
        for malformed in [
            "tile/",
            "tile/8/000",
            "tile/0/0",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/data/000",
            "tile/entries/",
            "tile/entries/5",
            "tile/0/../0/000",
            "tile/0/000/",
            "handovers/",
            "handovers/5",
            "handovers/count/",
            "post-quantum/",
            "post-quantum/017.tlog-proof",
            "proof/",
            "proof/1",
            "proof/01.tlog-proof",
            "proof/-1.tlog-proof",
            "proof/01.cose",
            "proof/1.COSE",
            "proof/1.cose.tlog-proof",
            "proof/18446744073709551616.tlog-proof",
        ] {
            check(malformed, Err(400));
        }
        for unknown in ["", "checkpoint/", "Checkpoint", "tile", "index", "../key"] {
            check(unknown, Err(404));
        }
    }
}
