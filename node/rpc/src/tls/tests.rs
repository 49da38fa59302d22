use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

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
        self.protect(0o600);
    }

    fn protect(&self, mode: u32) {
        fs::set_permissions(&self.files.key, Permissions::from_mode(mode)).unwrap();
    }

    /// In place of the certificate.
    fn pipe(&self) {
        let certificate = &self.files.certificate;
        fs::remove_file(certificate).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(certificate)
            .status();
        assert!(made.unwrap().success());
        assert!(fs::metadata(certificate).unwrap().file_type().is_fifo());
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
    // Others may not read the key; a group may.
    written.write(&certificate, &key);
    written.protect(0o644);
    let refusal = written.refusal();
    assert!(refusal.contains("key.pem (mode 0644)"), "{refusal}");
    written.protect(0o640);
    assert!(Certificates::open(written.files.clone()).is_ok());
    written.pipe();
    let refusal = written.refusal();
    assert!(refusal.contains("it is no regular file"), "{refusal}");
    fs::remove_file(&written.files.certificate).unwrap();
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
    let config = || Arc::clone(&certificates.current().config);
    let refreshed = |changed: bool| {
        let before = config();
        certificates.look();
        assert_eq!(Arc::ptr_eq(&before, &config()), !changed);
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
    // Nobody writes into it: whoever opened it would wait.
    fs::write(&written.files.certificate, "").unwrap();
    written.pipe();
    refreshed(false);
    fs::remove_file(&written.files.certificate).unwrap();
    written.write(&certificate, &key);
    refreshed(true);
}

#[test]
fn one_looks_at_a_time_and_the_others_do_not_wait() {
    let (certificate, key) = pair();
    let written = Written::new(&certificate, &key);
    let certificates = Certificates::open(written.files.clone()).unwrap();
    assert!(!certificates.is_due());
    let mut current = certificates.current();
    current.looked = current.looked.checked_sub(LOOK_INTERVAL).unwrap();
    drop(current);
    assert!(certificates.is_due());
    let mut current = certificates.current();
    current.looked = current.looked.checked_sub(LOOK_INTERVAL).unwrap();
    drop(current);
    // Whoever looks has not come back.
    assert!(!certificates.is_due());
    certificates.look();
    assert!(certificates.is_due());
}
