//! What a verifier was seen to do, as a line of the table that `matrix` prints.

use std::path::Path;
use std::process::Command;

use tbsi_tests::harness::{TestNetwork, tbsi};
use tbsi_tests::outside::run;

/// One verifier, by running it.
#[derive(Debug)]
pub(crate) struct Row {
    /// The program or library.
    pub(crate) verifier: &'static str,
    /// What it read.
    pub(crate) of: &'static str,
    /// Whether it accepted what the network gave out.
    pub(crate) accepts: bool,
    /// How many changed copies it refused.
    pub(crate) refused: usize,
    /// How many flipped bits it accepted, in what it does not look at or nobody signs.
    pub(crate) unnoticed: usize,
    /// Whether it did so without any network.
    pub(crate) offline: bool,
}

impl Row {
    /// Of a program of `tests/outside` that says `refused N of M flipped bits` and `refused ...`
    /// once for every other copy.
    pub(crate) fn said(verifier: &'static str, of: &'static str, said: &str) -> Self {
        let flips = said.lines().find(|line| line.contains("flipped bits"));
        let flips = flips.unwrap_or_else(|| panic!("no bit was flipped: {said}"));
        let numbers: Vec<usize> = flips
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let [noticed, all] = numbers[..] else {
            panic!("{flips}");
        };
        let others = said.matches("refused ").count() - 1;
        Self {
            verifier,
            of,
            accepts: said.contains("accepted"),
            refused: noticed + others,
            unnoticed: all - noticed,
            offline: true,
        }
    }
}

/// Attests a file with `tbsi attest`, and returns the index of its leaf.
pub(crate) async fn attest(net: &TestNetwork, file: &Path) -> u64 {
    let (url, key) = (net.network.rpc_url(0), net.network.development_key_file(1));
    let (file, key) = (file.display().to_string(), key.display().to_string());
    let attested = tbsi(&["attest", &file, "--key", &key, "--rpc", &url]).await;
    assert_eq!(attested.code, Some(0), "{}", attested.stderr);
    let proof = std::fs::read(format!("{file}.tbsi.json")).expect("its proof");
    let proof: serde_json::Value = serde_json::from_slice(&proof).expect("JSON");
    proof["leafIndex"].as_u64().expect("an index")
}

/// `tbsi prove` in this form, which must not fail.
pub(crate) async fn prove(net: &TestNetwork, index: u64, form: &str, out: &Path) {
    let (url, index) = (net.network.rpc_url(0), index.to_string());
    let out = out.display().to_string();
    let prove = ["prove", "--index", &index, "--format", form, "--rpc", &url];
    let proved = tbsi(&[prove.as_slice(), &["--out", &out]].concat()).await;
    assert_eq!(proved.code, Some(0), "{}", proved.stderr);
}

/// Flips a bit of each byte of a file in turn; returns how many copies the program refused with
/// exit code 1 or 2. It must refuse all, and accept the file as it is.
pub(crate) fn flip_each_byte(file: &Path, verify: &dyn Fn(&Path) -> Command) -> usize {
    let (code, said) = run(&mut verify(file));
    assert_eq!(code, Some(0), "{said}");
    let bytes = std::fs::read(file).expect("a file");
    let copy = file.with_extension("changed");
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        std::fs::write(&copy, changed).expect("a copy");
        let (code, said) = run(&mut verify(&copy));
        assert!(matches!(code, Some(1 | 2)), "byte {place}: {said}");
    }
    bytes.len()
}
