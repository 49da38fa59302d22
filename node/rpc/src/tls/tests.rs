use std::fs;

use super::*;

/// A certificate for `localhost` and its key, in PEM.
fn pair() -> (String, String) {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    (pair.cert.pem(), pair.key_pair.serialize_pem())
}

/// Files in a directory, and what is in them.
struct Written {
    _dir: tempfile::TempDir,
    files: TlsFiles,
}

impl Written {
    fn new(certificate: &str, key: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            certificate: dir.path().join("certificate.pem"),
            key: dir.path().join("key.pem"),
        };
        let written = Self { _dir: dir, files };
        written.write(certificate, key);
        written
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(&self.files.certificate, certificate).unwrap();
        fs::write(&self.files.key, key).unwrap();
    }

    fn refusal(&self) -> String {
        let error = Certificates::open(self.files.clone()).err();
        with_causes(&error.expect("it is refused"))
    }
}

#[test]
fn refuses_files_that_are_no_pair() {
    let ((certificate, key), (_, other)) = (pair(), pair());
    let written = Written::new(&certificate, &key);
    assert!(Certificates::open(written.files.clone()).is_ok());
    let check = |certificate: &str, key: &str, words: &str| {
        written.write(certificate, key);
        let refusal = written.refusal();
        assert!(refusal.contains(words), "{refusal}");
    };
    check(&certificate, &other, "cannot be used with the key in");
    check("", &key, "certificate.pem has no certificate in PEM");
    check(&key, &key, "certificate.pem has no certificate in PEM");
    check(
        &certificate,
        &certificate,
        "key.pem has no private key in PEM",
    );
    check(&certificate, "", "key.pem has no private key in PEM");
    check(&"x".repeat(300_000), &key, "262144 are allowed");
    fs::remove_file(&written.files.key).unwrap();
    written.write(&certificate, "");
    fs::remove_file(&written.files.key).unwrap();
    let missing = written.refusal();
    assert!(missing.contains("key.pem: No such file"), "{missing}");
}

#[test]
fn takes_new_files_and_keeps_the_last_that_were_right() {
    let (certificate, key) = pair();
    let written = Written::new(&certificate, &key);
    let certificates = Certificates::open(written.files.clone()).unwrap();
    let mut current = certificates.current.lock().unwrap();
    let mut refreshed = |changed: bool| {
        let before = Arc::clone(&current.config);
        certificates.refresh(&mut current);
        assert_eq!(Arc::ptr_eq(&before, &current.config), !changed);
    };
    refreshed(false);
    let (next, next_key) = pair();
    // One of the two is new: they are no pair.
    fs::write(&written.files.certificate, format!("{next}\n")).unwrap();
    refreshed(false);
    fs::write(&written.files.key, format!("{next_key}\n")).unwrap();
    refreshed(true);
    fs::write(&written.files.certificate, "no certificate").unwrap();
    refreshed(false);
    fs::remove_file(&written.files.certificate).unwrap();
    refreshed(false);
    written.write(&certificate, &key);
    refreshed(true);
}
