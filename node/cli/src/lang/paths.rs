//! Paths in the words of our own crates, which know no terminal and no shell: shown as everywhere
//! here, and quoted in the commands that the words offer, which stand between backticks.

use std::error::Error;
use std::path::Path;

use tbsi_home::HomeError;
use tbsi_home::config::ConfigError;
use tbsi_keys::keyfile::KeyFileError;
use tbsi_node::listeners::ListenersError;
use tbsi_testnet::NetworkError;

use crate::shown::PathShown;

/// The words of an error that names a path.
pub(super) fn words(error: &(dyn Error + 'static)) -> Option<String> {
    let path = error
        .downcast_ref()
        .and_then(of_home)
        .or_else(|| error.downcast_ref().map(of_config))
        .or_else(|| error.downcast_ref().map(of_key_file))
        .or_else(|| error.downcast_ref().and_then(of_listeners))
        .or_else(|| error.downcast_ref().and_then(of_network))?;
    Some(with_path(&error.to_string(), path))
}

fn with_path(text: &str, path: &Path) -> String {
    let lossy = path.to_string_lossy();
    if lossy.is_empty() {
        return text.into();
    }
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        0 => part.replace(&*lossy, &path.shown().to_string()),
        _ => part.replace(&*lossy, &path.word()),
    });
    parts.collect::<Vec<_>>().join("`")
}

fn of_home(error: &HomeError) -> Option<&Path> {
    match error {
        HomeError::Config(error) => Some(of_config(error)),
        HomeError::Key(error) => Some(of_key_file(error)),
        HomeError::NoGenesis { file }
        | HomeError::Genesis { file, .. }
        | HomeError::Founding { file, .. }
        | HomeError::Initialised { file } => Some(file),
        HomeError::Io { path, .. } => Some(path),
        HomeError::Password(_)
        | HomeError::SignState(_)
        | HomeError::Decided(_)
        | HomeError::Mismatch { .. } => None,
    }
}

fn of_config(error: &ConfigError) -> &Path {
    match error {
        ConfigError::Missing { file }
        | ConfigError::Read { file, .. }
        | ConfigError::TooLarge { file }
        | ConfigError::Syntax { file, .. }
        | ConfigError::UnknownKey { file, .. }
        | ConfigError::Field { file, .. } => file,
    }
}

fn of_key_file(error: &KeyFileError) -> &Path {
    match error {
        KeyFileError::Exists { path }
        | KeyFileError::Missing { path }
        | KeyFileError::Mode { path, .. }
        | KeyFileError::Malformed { path }
        | KeyFileError::Encrypted { path }
        | KeyFileError::Keystore { path, .. }
        | KeyFileError::Address { path, .. }
        | KeyFileError::Key { path, .. }
        | KeyFileError::Io { path, .. } => path,
    }
}

fn of_listeners(error: &ListenersError) -> Option<&Path> {
    match error {
        ListenersError::SecretMissing { file } | ListenersError::Secret { file } => Some(file),
        ListenersError::SecretFile(_) | ListenersError::Rpc(_) => None,
    }
}

fn of_network(error: &NetworkError) -> Option<&Path> {
    match error {
        NetworkError::NotEmpty { dir } | NetworkError::NoNetwork { dir } => Some(dir),
        NetworkError::Manifest { file, .. } => Some(file),
        NetworkError::Io { path, .. } => Some(path),
        NetworkError::Spec { .. }
        | NetworkError::Genesis(_)
        | NetworkError::Predeploy(_)
        | NetworkError::Authority { .. }
        | NetworkError::Home { .. }
        | NetworkError::PortTaken { .. }
        | NetworkError::NoPorts { .. }
        | NetworkError::Running { .. }
        | NetworkError::Exited { .. }
        | NetworkError::TooSlow { .. }
        | NetworkError::Immortal { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn commands_that_are_offered_can_be_copied() {
        let check = |name: &[u8], shown: &str, word: &str| {
            let path = Path::new(OsStr::from_bytes(name)).to_owned();
            let mode = KeyFileError::Mode {
                path: path.clone(),
                mode: 0o644,
            };
            let said = words(&mode).unwrap();
            assert!(
                said.starts_with(&format!("key file {shown} has mode")),
                "{said}"
            );
            assert!(said.contains(&format!("run `chmod 600 {word}`")), "{said}");
            let network = NetworkError::NoNetwork { dir: path.clone() };
            let said = words(&network).unwrap();
            assert!(said.starts_with(&format!("{shown} holds no")), "{said}");
            assert!(said.contains(&format!("--dir {word}`")), "{said}");
            let file = path.clone();
            let said = words(&ListenersError::SecretMissing { file }).unwrap();
            assert!(said.contains(&format!("-hex 32 > {word})`")), "{said}");
            let home = HomeError::Key(KeyFileError::Missing { path });
            assert!(
                words(&home)
                    .unwrap()
                    .contains(&format!("key file {shown} is"))
            );
        };
        check(b"a.key", "a.key", "a.key");
        check(b"k;id;", "k;id;", "'k;id;'");
        check(b"sp ace", "sp ace", "'sp ace'");
        check(b"nh\xff", r"nh\xff", r#""$(printf 'nh\377')""#);
    }
}
