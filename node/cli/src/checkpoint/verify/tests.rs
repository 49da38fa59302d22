use std::fs;

use tbsi_rpc::wire;
use tbsi_types::{Checkpoint, CommitCertificate};

use super::super::file::readable;
use super::*;

/// The valid case of the shared vectors, as a node would serve it.
fn served() -> (Genesis, CheckpointFile) {
    let path = "../../tests/vectors/checkpoint.json";
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let genesis = Genesis::parse(vectors["genesis"].to_string().as_bytes()).unwrap();
    let case = &vectors["cases"][0];
    let bytes =
        |field: &str| -> tbsi_types::Bytes { serde_json::from_value(case[field].clone()).unwrap() };
    let checkpoint = Checkpoint::decode(&bytes("checkpoint")).unwrap();
    let certificate = CommitCertificate::decode(&bytes("certificate")).unwrap();
    let file = readable(&genesis, &checkpoint, &certificate).unwrap();
    (genesis, file)
}

#[test]
fn names_the_organisations_of_a_quorum() {
    let (genesis, file) = served();
    let json = serde_json::to_string(&file).unwrap();
    let verified = verify(&genesis, &CheckpointFile::parse(&json).unwrap()).unwrap();
    let text = text(&genesis, &verified).unwrap();
    assert!(text.ends_with("VALID\n"), "{text}");
    assert!(
        text.contains("3 signatures, each valid, by 7 of 9 voting power"),
        "{text}"
    );
    for names in [
        "台灣測試公會甲 Test Association A (node node-0,",
        "台灣測試公會乙 Test Association B (node node-1,",
        "台灣測試公會丙 Test Association C (node node-2,",
    ] {
        assert!(text.contains(names), "{text}");
    }
    assert!(
        !text.contains("Test Association D"),
        "it did not sign: {text}"
    );
    assert_eq!(
        summary(&genesis, &verified)["signers"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

fn refuse(change: &dyn Fn(&mut Genesis, &mut CheckpointFile), words: &str) {
    let (mut genesis, mut file) = served();
    change(&mut genesis, &mut file);
    let error = causes(verify(&genesis, &file).unwrap_err().as_ref());
    assert!(error.contains(words), "{error}");
}

#[test]
fn refuses_what_was_not_signed() {
    refuse(
        &|_, file| file.checkpoint.encoded = file.checkpoint.encoded.slice(1..),
        "field `checkpoint.encoded` is not a checkpoint: next validator-set hash: 32 bytes needed",
    );
    refuse(
        &|_, file| file.certificate.encoded = file.certificate.encoded.slice(1..),
        "field `certificate.encoded` is not a certificate",
    );
    refuse(
        &|genesis, _| genesis.name.push('!'),
        "the certificate decides",
    );
    refuse(
        &|genesis, _| genesis.chain_id += 1,
        "checkpoint is of chain id 8862026",
    );
}

#[test]
fn refuses_a_file_that_tells_people_something_else() {
    let checkpoint = "field `checkpoint` says something else";
    refuse(
        &|_, file| file.checkpoint.height = tbsi_types::Height(43),
        checkpoint,
    );
    refuse(&|_, file| file.checkpoint.state_root.0[0] ^= 1, checkpoint);
    let certificate = "field `certificate` says something else";
    refuse(
        &|_, file| file.certificate.round = tbsi_types::Round(0),
        certificate,
    );
    let rename = |names: &mut wire::Organisation| names.name_en = "Test Association Z".into();
    refuse(
        &|_, file| rename(&mut file.certificate.signatures[0].organisation),
        certificate,
    );
    refuse(
        &|_, file| rename(&mut file.validators.validators[0].organisation),
        "field `validators` says something else",
    );
}

#[test]
fn every_flipped_bit_of_the_canonical_bytes_is_noticed() {
    let (genesis, good) = served();
    verify(&genesis, &good).unwrap();
    let (checkpoint, certificate) = (&good.checkpoint.encoded, &good.certificate.encoded);
    for bit in 0..(checkpoint.len() + certificate.len()) * 8 {
        let mut file = good.clone();
        let (field, position) = match (bit / 8).checked_sub(checkpoint.len()) {
            None => (&mut file.checkpoint.encoded, bit / 8),
            Some(position) => (&mut file.certificate.encoded, position),
        };
        let mut bytes = field.to_vec();
        bytes[position] ^= 1 << (bit % 8);
        *field = bytes.into();
        assert!(verify(&genesis, &file).is_err(), "bit {bit}");
    }
}

#[test]
fn other_files_are_told_from_invalid_ones() {
    let (_, file) = served();
    let json = serde_json::to_string(&file).unwrap();
    for (text, words) in [
        (String::new(), "not a file of `checkpoint get`"),
        ("{}".into(), "not a file of `checkpoint get`"),
        (
            json.replace("tbsi-checkpoint-1", "tbsi-checkpoint-2"),
            "`tbsi-checkpoint-2` is not known",
        ),
        (
            json.replacen('{', "{\"extra\":1,", 1),
            "not a file of `checkpoint get`",
        ),
    ] {
        let error = causes(CheckpointFile::parse(&text).unwrap_err().as_ref());
        assert!(error.contains(words), "{error}");
    }
}
