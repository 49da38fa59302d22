//! What a node reads from peers, clients, its signer and its operator.

use std::path::Path;
use std::str;

use tbsi_home::config::Config;
use tbsi_keys::{keystore, signer};
use tbsi_node::{gossip, tsa};
use tbsi_types::{CheckpointDigest, Height, ProposalStatement, Round, VoteKind, VoteStatement};

use super::{Target, canonical};

pub(super) const GOSSIP_MESSAGE: Target = Target::binary(
    "gossip-message",
    |bytes| canonical(bytes, gossip::fuzz::message(bytes)),
    || {
        let transaction = |bytes: &[u8]| [&[bytes.len() as u8, 0, 0, 0], bytes].concat();
        let two = [transaction(&[2; 40]), transaction(&[0xc0])].concat();
        vec![
            [&[7; 8][..], &[0, 2, 0, 0, 0], &two].concat(),
            [&[7; 8][..], &[1], &9u64.to_le_bytes()].concat(),
        ]
    },
);

pub(super) const COSIGNATURES: Target = Target::binary(
    "cosignatures",
    |bytes| canonical(bytes, gossip::fuzz::cosignatures(bytes)),
    || {
        let head = [
            &[7; 8][..],
            &300u64.to_le_bytes(),
            &[8; 32],
            &2u32.to_le_bytes(),
        ]
        .concat();
        vec![[&head[..], &[1; 92], &[2; 92]].concat()]
    },
);

pub(super) const POST_QUANTUM: Target = Target::binary(
    "post-quantum",
    |bytes| canonical(bytes, gossip::fuzz::post_quantum(bytes)),
    || {
        vec![
            [
                &[7; 8][..],
                &300u64.to_le_bytes(),
                &[8; 32 + 20 + 1_312 + 2_428],
            ]
            .concat(),
        ]
    },
)
.slow(40_000);

pub(super) const SIGNER_REQUEST: Target = Target::binary(
    "signer-request",
    |bytes| canonical(bytes, signer::fuzz::request(bytes)),
    signer_requests,
);

pub(super) const SIGNER_REPLY: Target = Target::binary(
    "signer-reply",
    |bytes| canonical(bytes, signer::fuzz::reply(bytes)),
    || {
        vec![
            [0; 34].into(),
            [1; 66].into(),
            vec![2],
            vec![3, 1],
            vec![3, 2],
        ]
    },
);

/// No key is derived: how long that takes is what the bounds are for.
pub(super) const KEYSTORE: Target = Target::text(
    "keystore",
    |bytes| {
        if bytes.len() <= keystore::KEYSTORE_BYTES_MAX {
            keystore::is_within_bounds(bytes);
        }
    },
    || {
        let kdfs = [
            r#""kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"r":8,"p":1,"salt":"00ff"}"#,
            r#""kdf":"pbkdf2","kdfparams":{"dklen":32,"c":9,"prf":"hmac-sha256","salt":"00ff"}"#,
        ];
        let file = |kdf: &str| {
            let (iv, key) = ("0".repeat(32), "1".repeat(64));
            format!(
                r#"{{"version":3,"id":"x","address":"{}","crypto":{{"cipher":"aes-128-ctr",
                "cipherparams":{{"iv":"{iv}"}},"ciphertext":"{key}","mac":"{key}",{kdf}}}}}"#,
                "a".repeat(40)
            )
        };
        kdfs.map(|kdf| file(kdf).into_bytes()).into()
    },
    &[
        "4294967295",
        "0",
        "-1",
        "1e9",
        "null",
        "\"scrypt\"",
        "\"n\":",
        "\"r\":",
        "[[[[[[",
        "0x",
    ],
);

pub(super) const TSA_QUERY: Target = Target::binary(
    "tsa-query",
    |bytes| canonical(bytes, tsa::fuzz::query(bytes)),
    || {
        // SHA-256 of something; then also with a nonce, and asking for the certificate.
        let imprint = [
            &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09][..],
            &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
            &[0x05, 0x00, 0x04, 0x20],
            &[0xd1; 32],
        ]
        .concat();
        let nonce = [&[2, 8][..], &[0x11; 8], &[1, 1, 0xff]].concat();
        vec![
            [&[0x30, 0x36, 2, 1, 1][..], &imprint].concat(),
            [&[0x30, 0x43, 2, 1, 1][..], &imprint, &nonce].concat(),
        ]
    },
);

pub(super) const RPC_ARGUMENTS: Target = Target::text(
    "rpc-arguments",
    |bytes| {
        if let Ok(text) = str::from_utf8(bytes) {
            tbsi_rpc::fuzz::arguments(text);
        }
    },
    || ARGUMENTS.map(|text| text.as_bytes().to_vec()).into(),
    &[
        "null",
        "[[[[",
        "{\"",
        "\"0x\"",
        "\"latest\"",
        "1e400",
        "-0",
        "\\u0000",
        "\"to\":",
        "18446744073709551616",
        "\"blockHash\":",
        "12D3Koo",
    ],
)
.slow(30_000);

pub(super) const CONFIG: Target = Target::text(
    "config",
    |bytes| {
        let file = Path::new("config.toml");
        let Some(config) = str::from_utf8(bytes)
            .ok()
            .map(|text| Config::parse(text, file))
        else {
            return;
        };
        if let Ok(config) = config {
            let again = Config::parse(&config.to_toml(), file).expect("what is written is read");
            assert_eq!(again, config);
        }
    },
    || vec![Config::new("validator-1", true).to_toml().into_bytes()],
    &[
        "[p2p]",
        "[[p2p.peers]]",
        "listen = ",
        "\"127.0.0.1:1\"",
        "0",
        "-1",
        "nan",
        "\"\"\"",
        "a.b.c",
    ],
)
.slow(12_000);

const ARGUMENTS: [&str; 8] = [
    r#"["0xb60e8dd61c5d32be8058bb8eb970870f07233155","latest"]"#,
    r#"[{"from":"0xb60e8dd61c5d32be8058bb8eb970870f07233155","gas":"0x76c0","gasPrice":"0x9184e72a000","value":"0x0","data":"0xd46e8dd6","accessList":[{"address":"0xb60e8dd61c5d32be8058bb8eb970870f07233155","storageKeys":[]}]},{"blockNumber":"0x1"}]"#,
    r#"[{"fromBlock":"0x1","toBlock":"latest","address":["0xb60e8dd61c5d32be8058bb8eb970870f07233155"],"topics":[null,["0x000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b"]]}]"#,
    r#"[{"blockHash":"0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3","requireCanonical":true}]"#,
    r#"["0x5","latest",[20.5,30]]"#,
    r#"[{"index":7,"height":3}]"#,
    r#"[{"schema":"0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3","kind":"attestation","fromIndex":0}]"#,
    r#"["12D3KooWGrUpCoDbkmBHmT5VsWdWGzPbx6kKkkSkzDhJGzPpSjx5",5,true,null]"#,
];

fn signer_requests() -> Vec<Vec<u8>> {
    let vote = VoteStatement {
        kind: VoteKind::Prevote,
        height: Height(7),
        round: Round(0),
        value: None,
    };
    let proposal = ProposalStatement {
        height: Height(7),
        round: Round(2),
        polka_round: None,
        value: CheckpointDigest::default(),
    };
    let (mut signed_vote, mut signed_proposal) = (vec![1], vec![2]);
    vote.encode(&mut signed_vote);
    proposal.encode(&mut signed_proposal);
    let hello = [&[0][..], &[1; 20], &7u64.to_be_bytes(), &[0, 0, 0, 1, 2]].concat();
    let account = [&[3][..], &[1; 20]].concat();
    let transaction = [&[4][..], &[1; 32]].concat();
    vec![hello, signed_vote, signed_proposal, account, transaction]
}
