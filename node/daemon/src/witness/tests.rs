use std::thread;

use tbsi_types::B256;
use tbsi_types::log::tree::Frontier;
use tbsi_types::log::{NodeReader, SignatureType, SignedNote, TreeNode, leaf_hash};

use super::*;

const ORIGIN: &str = "log.example";

fn log_signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, &[1; 32]).unwrap()
}

fn witness_signer() -> NoteSigner {
    NoteSigner::new("witness.example", &[2; 32]).unwrap()
}

fn open(dir: &Path) -> Result<WitnessedLogs, WitnessError> {
    let key = log_signer().verifier(SignatureType::Note).encode();
    let entry = WitnessedConfig { origin: None, key };
    WitnessedLogs::open(dir, &[entry], "own", Arc::new(witness_signer()))
}

/// A log in memory, whose leaves depend on its branch.
struct Log(u8);

impl Log {
    fn leaf(&self, index: u64) -> Vec<u8> {
        let branch = if index < 5 { 0 } else { self.0 };
        [&[branch], index.to_be_bytes().as_slice()].concat()
    }

    fn root(&self, size: u64) -> B256 {
        let mut frontier = Frontier::default();
        for index in 0..size {
            frontier.append(leaf_hash(&self.leaf(index)), |_, _| {});
        }
        frontier.root()
    }

    fn checkpoint(&self, size: u64) -> String {
        let checkpoint = LogCheckpoint {
            origin: ORIGIN.into(),
            size: TreeSize(size),
            root: self.root(size),
        };
        checkpoint.encode().unwrap()
    }

    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let proof = if old == 0 || old >= size {
            ConsistencyProof(Vec::new())
        } else {
            ConsistencyProof::make(self, TreeSize(old), TreeSize(size)).unwrap()
        };
        let text = self.checkpoint(size);
        let signature = log_signer().sign(&text);
        AddCheckpoint {
            old: TreeSize(old),
            proof,
            note: SignedNote::new(text, vec![signature]).unwrap(),
        }
    }
}

impl NodeReader for Log {
    type Error = std::convert::Infallible;

    fn read(&self, node: TreeNode) -> Result<B256, Self::Error> {
        let (start, width) = (node.index << node.level, 1 << node.level);
        let mut frontier = Frontier::default();
        for index in start..start + width {
            frontier.append(leaf_hash(&self.leaf(index)), |_, _| {});
        }
        Ok(frontier.root())
    }
}

fn ask(witness: &WitnessedLogs, request: &AddCheckpoint) -> Witnessing {
    witness.add(&request.encode(), 77).unwrap()
}

/// Whether the answer is a good cosignature of this request.
fn cosigned(answer: &Witnessing, request: &AddCheckpoint) -> bool {
    let Witnessing::Cosigned(line) = answer else {
        return false;
    };
    let text = request.note.text();
    let note = SignedNote::parse(&format!("{text}\n{line}")).unwrap();
    let key = witness_signer().verifier(SignatureType::Cosignature);
    assert_eq!(key.verify(text, &note.signatures()[0]), Ok(Some(77)));
    true
}

#[test]
fn cosigns_what_continues_the_last_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (witness, log, fork) = (open(dir.path()).unwrap(), Log(0), Log(1));
    for (old, size) in [(0, 5), (5, 5), (5, 9), (9, 16), (16, 17)] {
        let request = log.request(old, size);
        assert!(
            cosigned(&ask(&witness, &request), &request),
            "{old} to {size}"
        );
        // Never backwards: to whom it forgot, to the same, to a larger one from a wrong size.
        for old in [0, size - 1, size + 1] {
            let expected = if old > size + 3 { continue } else { size };
            let request = log.request(old, size + 3);
            assert_eq!(
                ask(&witness, &request),
                Witnessing::Conflict(TreeSize(expected))
            );
        }
        let backwards = log.request(size, size - 1);
        assert!(matches!(
            ask(&witness, &backwards),
            Witnessing::Malformed(_)
        ));
    }
    // A fork: of the same size, of a larger one with its own proof, with ours, without.
    assert_eq!(
        ask(&witness, &fork.request(17, 17)),
        Witnessing::Conflict(TreeSize(17))
    );
    let mut forked = fork.request(17, 20);
    assert!(matches!(
        ask(&witness, &forked),
        Witnessing::Inconsistent(_)
    ));
    forked.proof = log.request(17, 20).proof;
    assert!(matches!(
        ask(&witness, &forked),
        Witnessing::Inconsistent(_)
    ));
    forked.proof = ConsistencyProof(Vec::new());
    assert!(matches!(
        ask(&witness, &forked),
        Witnessing::Inconsistent(_)
    ));
    // A proof where there is nothing to prove.
    let mut surplus = log.request(17, 17);
    surplus.proof = ConsistencyProof(vec![B256::ZERO]);
    assert!(matches!(
        ask(&witness, &surplus),
        Witnessing::Inconsistent(_)
    ));
    let good = log.request(17, 20);
    for bit in 0..256 * good.proof.0.len() {
        let mut bad = good.clone();
        bad.proof.0[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(ask(&witness, &bad), Witnessing::Inconsistent(_)),
            "{bit}"
        );
    }
    assert!(cosigned(&ask(&witness, &good), &good));
}

#[test]
fn an_unknown_log_and_an_unknown_key_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path()).unwrap();
    let good = Log(0).request(0, 5);
    let signed = |text: String, signer: &NoteSigner| {
        let signature = signer.sign(&text);
        AddCheckpoint {
            note: SignedNote::new(text, vec![signature]).unwrap(),
            ..good.clone()
        }
    };
    let text = good.note.text();
    let unknown = signed(text.replace(ORIGIN, "other.example"), &log_signer());
    assert_eq!(ask(&witness, &unknown), Witnessing::UnknownOrigin);
    let stranger = NoteSigner::new(ORIGIN, &[3; 32]).unwrap();
    assert_eq!(
        ask(&witness, &signed(text.into(), &stranger)),
        Witnessing::NotSigned
    );
    let renamed = NoteSigner::new("log.example2", &[1; 32]).unwrap();
    assert_eq!(
        ask(&witness, &signed(text.into(), &renamed)),
        Witnessing::NotSigned
    );
    let extended = signed(format!("{text}extension\n"), &log_signer());
    assert!(matches!(ask(&witness, &extended), Witnessing::Malformed(_)));
    // Signatures of others beside the log's are no harm.
    let lines = vec![stranger.sign(text), log_signer().sign(text)];
    let both = AddCheckpoint {
        note: SignedNote::new(text.into(), lines).unwrap(),
        ..good.clone()
    };
    assert!(cosigned(&ask(&witness, &both), &good));
    let garbage = witness.add("old 5\n\n", 77).unwrap();
    assert!(matches!(garbage, Witnessing::Malformed(_)));
}

#[test]
fn remembers_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let (log, fork) = (Log(0), Log(1));
    let first = log.request(0, 9);
    assert!(cosigned(&ask(&open(dir.path()).unwrap(), &first), &first));
    let again = open(dir.path()).unwrap();
    assert_eq!(
        ask(&again, &fork.request(0, 9)),
        Witnessing::Conflict(TreeSize(9))
    );
    assert_eq!(
        ask(&again, &fork.request(9, 9)),
        Witnessing::Conflict(TreeSize(9))
    );
    assert!(matches!(
        ask(&again, &fork.request(9, 12)),
        Witnessing::Inconsistent(_)
    ));
    let next = log.request(9, 12);
    assert!(cosigned(&ask(&again, &next), &next));
    // A file that was left half-written has no say; one that was damaged stops the node.
    let files: Vec<PathBuf> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    fs::write(file.with_extension("checkpoint.new"), "half").unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), log.checkpoint(12));
    assert!(open(dir.path()).is_ok());
    for damaged in ["", "log.example\n12\n", "other.example\n0\nAAAA\n"] {
        fs::write(file, damaged).unwrap();
        let error = open(dir.path()).err().expect(damaged).to_string();
        assert!(error.contains(".checkpoint"), "{error}");
    }
    fs::write(file, log.checkpoint(12).replace(ORIGIN, "other.example")).unwrap();
    let error = open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("of log `other.example`"), "{error}");
}

#[test]
fn signs_nothing_that_it_could_not_write() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("witness");
    let witness = open(&state).unwrap();
    fs::remove_dir(&state).unwrap();
    let request = Log(0).request(0, 5);
    let error = witness.add(&request.encode(), 77).unwrap_err();
    assert!(matches!(error, WitnessError::Io { .. }), "{error}");
    fs::create_dir(&state).unwrap();
    // What failed was not remembered either: the log may still come with another one.
    let other = Log(1).request(0, 9);
    assert!(cosigned(&ask(&witness, &other), &other));
}

#[test]
fn of_racing_forks_one_is_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path()).unwrap();
    let base = Log(0).request(0, 5);
    assert!(cosigned(&ask(&witness, &base), &base));
    let requests: Vec<_> = (0..8).map(|branch| Log(branch).request(5, 9)).collect();
    let won: usize = thread::scope(|scope| {
        let witness = &witness;
        let ask =
            |request| scope.spawn(move || usize::from(cosigned(&ask(witness, request), request)));
        let running: Vec<_> = requests.iter().map(ask).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(won, 1);
}

#[test]
fn the_own_log_is_not_witnessed() {
    let dir = tempfile::tempdir().unwrap();
    let key = log_signer().verifier(SignatureType::Note).encode();
    let entry = WitnessedConfig { origin: None, key };
    let opened = WitnessedLogs::open(dir.path(), &[entry], ORIGIN, Arc::new(witness_signer()));
    assert!(matches!(opened, Err(WitnessError::OwnLog(0))));
}
