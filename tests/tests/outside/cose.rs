//! COSE receipts: scitt-cose, and `tbsi verify`, without any network.

use std::fs;
use std::path::{Path, PathBuf};

use tbsi_tests::harness::tbsi_binary;
use tbsi_tests::harness::{TestNetwork, http};
use tbsi_tests::outside::{Offline, accepts, outside, python, refuses};
use tbsi_types::log::{CoseReceipt, NoteVerifier};

use crate::table::{Row, attest, flip_each_byte, prove};

/// A receipt, its leaf, and the key that a node's `/log/key` has for who signed it.
pub(crate) struct Receipt {
    receipt: PathBuf,
    leaf: PathBuf,
    key: String,
    genesis: PathBuf,
}

impl Receipt {
    /// Of a leaf of the network, by its first node.
    pub(crate) async fn fetch(net: &TestNetwork, index: u64, receipt: &Path) -> Self {
        prove(net, index, "cose", receipt).await;
        let read = CoseReceipt::decode(&fs::read(receipt).unwrap()).unwrap();
        let keys = http(net.network.nodes()[0].rpc, "GET", "/log/key", &[], b"").await;
        let keys = keys.text().lines().filter(|line| !line.starts_with('#'));
        let mut keys = keys.map(|line| NoteVerifier::parse(line).unwrap());
        let key =
            keys.find(|key| key.name() == read.signer && *key.public_key() == read.public_key);
        let mut leaf = receipt.as_os_str().to_owned();
        leaf.push(".leaf");
        Self {
            receipt: receipt.into(),
            leaf: leaf.into(),
            key: key.expect("a validator signed").encode(),
            genesis: net.network.genesis_file(),
        }
    }

    /// By scitt-cose; `None`, and said so, if it is not installed.
    pub(crate) fn by_scitt_cose(&self, offline: &Offline) -> Option<Row> {
        let python = python("COSE receipts with scitt-cose")?;
        let verify = |leaf: &Path, key: &str| {
            let mut verify = offline.command(&python);
            verify.arg(outside().join("cose.py")).arg("verify");
            verify.arg(&self.receipt).arg(leaf).arg(key);
            verify
        };
        let said = accepts(&mut verify(&self.leaf, &self.key));
        for words in ["refused another leaf\n", "refused another key\n"] {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
        refuses(&mut verify(&self.receipt, &self.key), "did not verify");
        Some(Row::said("scitt-cose", "COSE receipt", &said))
    }

    /// By `tbsi verify`: with the genesis file, and with the key alone.
    pub(crate) fn by_tbsi(&self, offline: &Offline) -> Row {
        let verify = |receipt: &Path, trust: [&str; 2]| {
            let mut verify = offline.command(tbsi_binary());
            verify
                .arg("verify")
                .arg(receipt)
                .arg("--leaf")
                .arg(&self.leaf);
            verify.args(trust);
            verify
        };
        let genesis = self.genesis.display().to_string();
        let trust = ["--genesis", &genesis];
        let said = accepts(&mut verify(&self.receipt, trust));
        for words in ["one node's word, not a quorum's\n", "THE RECEIPT HOLDS"] {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
        accepts(&mut verify(&self.receipt, ["--log-key", &self.key]));
        let refused = flip_each_byte(&self.receipt, &|receipt| verify(receipt, trust));
        Row {
            verifier: "tbsi verify",
            of: "COSE receipt",
            accepts: true,
            refused,
            unnoticed: 0,
            offline: true,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cose_receipts_are_verified_offline() {
    let net = TestNetwork::start(4, 0).await;
    let Some(offline) = Offline::new("COSE receipts", net.network.nodes()[0].rpc) else {
        return;
    };
    let dir = net.scratch().join("files");
    fs::create_dir(&dir).unwrap();
    for name in ["first", "file"] {
        fs::write(dir.join(name), format!("{name} of the assembly\n")).unwrap();
    }
    attest(&net, &dir.join("first")).await;
    let index = attest(&net, &dir.join("file")).await;
    assert_eq!(index, 1);
    let receipt = Receipt::fetch(&net, index, &dir.join("file.cose")).await;
    let own = receipt.by_tbsi(&offline);
    let length = fs::read(&receipt.receipt).unwrap().len();
    assert_eq!(own.refused, length, "one copy for each byte");
    // The file beside it is compared, by its name.
    let mut verify = offline.command(tbsi_binary());
    verify.arg("verify").arg(dir.join("file.cose"));
    let said = accepts(verify.arg("--genesis").arg(&receipt.genesis));
    assert!(said.contains("ok  file: "), "{said}");
    fs::write(dir.join("file"), "changed\n").unwrap();
    refuses(&mut verify, "is not the file that was attested");
    let mut untrusted = offline.command(tbsi_binary());
    untrusted.arg("verify").arg(dir.join("file.cose"));
    let (code, said) = tbsi_tests::outside::run(&mut untrusted);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--log-key"), "{said}");
    if let Some(row) = receipt.by_scitt_cose(&offline) {
        assert!(row.accepts && row.refused > 8 * length - 64, "{row:?}");
    }
    net.assert_no_panic();
}
