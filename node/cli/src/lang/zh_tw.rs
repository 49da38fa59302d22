//! What goes wrong in our own crates, in Traditional Chinese of Taiwan.

use std::error::Error;
use std::io;
use std::path::Path;

use tbsi_home::HomeError;
use tbsi_home::config::{CONFIG_BYTES_MAX, ConfigError};
use tbsi_keys::keyfile::{KeyFileError, KeyKind};
use tbsi_keys::keystore::KeystoreError;
use tbsi_keys::password::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, PasswordError};
use tbsi_rpc::ClientError;
use tbsi_types::genesis::GenesisError;

use super::{backup, erasure, foreign, proof, reach, registry};
use crate::shown::PathShown;

/// `None` if there is no translation.
pub(super) fn words(error: &(dyn Error + 'static)) -> Option<String> {
    error
        .downcast_ref()
        .and_then(proof::log)
        .or_else(|| error.downcast_ref().and_then(system))
        .or_else(|| error.downcast_ref().and_then(home))
        .or_else(|| error.downcast_ref().map(config))
        .or_else(|| error.downcast_ref().map(proof::bundle))
        .or_else(|| error.downcast_ref().map(proof::decision))
        .or_else(|| error.downcast_ref().map(proof::verify))
        .or_else(|| error.downcast_ref().map(proof::shape))
        .or_else(|| error.downcast_ref().map(proof::form))
        .or_else(|| error.downcast_ref().map(proof::map))
        .or_else(|| error.downcast_ref().map(registry::unproven))
        .or_else(|| error.downcast_ref().map(proof::answer))
        .or_else(|| error.downcast_ref().map(proof::entry))
        .or_else(|| error.downcast_ref().map(proof::cose))
        .or_else(|| error.downcast_ref().and_then(proof::note_key))
        .or_else(|| error.downcast_ref().map(proof::leaf))
        .or_else(|| error.downcast_ref().map(proof::certificate))
        .or_else(|| error.downcast_ref().map(proof::cursor))
        .or_else(|| error.downcast_ref().map(proof::key))
        .or_else(|| error.downcast_ref().map(key_file))
        .or_else(|| error.downcast_ref().and_then(keystore))
        .or_else(|| error.downcast_ref().map(password))
        .or_else(|| error.downcast_ref().map(foreign::inbound))
        .or_else(|| error.downcast_ref().map(foreign::header))
        .or_else(|| error.downcast_ref().map(foreign::proof))
        .or_else(|| error.downcast_ref().map(erasure::form))
        .or_else(|| error.downcast_ref().map(erasure::statement))
        .or_else(|| error.downcast_ref().map(erasure::delegation))
        .or_else(|| error.downcast_ref().and_then(backup::words))
        .or_else(|| error.downcast_ref().and_then(backup::audit))
        .or_else(|| error.downcast_ref().map(client))
        .or_else(|| error.downcast_ref().map(reach::problem))
        .or_else(|| error.downcast_ref().map(reach::config))
        .or_else(|| error.downcast_ref().map(genesis))
}

/// Of the operating system.
fn system(error: &io::Error) -> Option<String> {
    // The kinds that a user can do something about; there are dozens.
    let known = [
        (io::ErrorKind::NotFound, "檔案或目錄不存在"),
        (io::ErrorKind::PermissionDenied, "沒有權限"),
        (io::ErrorKind::IsADirectory, "是目錄，不是檔案"),
        (io::ErrorKind::NotADirectory, "不是目錄"),
        (io::ErrorKind::StorageFull, "磁碟空間不足"),
        (io::ErrorKind::ReadOnlyFilesystem, "檔案系統唯讀"),
        (io::ErrorKind::InvalidData, "內容不是 UTF-8 文字"),
        (io::ErrorKind::InvalidFilename, "檔名過長"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map(|(_, words)| (*words).to_owned())
}

fn home(error: &HomeError) -> Option<String> {
    match error {
        HomeError::Key(error) => Some(key_file(error)),
        HomeError::Password(error) => Some(password(error)),
        HomeError::NoGenesis { file } => {
            let file = file.shown();
            Some(format!("找不到創世檔 {file}；請將該網路的創世檔複製到此處"))
        }
        HomeError::Genesis { file, .. } | HomeError::Founding { file, .. } => {
            Some(format!("創世檔 {}", file.shown()))
        }
        HomeError::Io { path, .. } => Some(format!("無法讀寫 {}", path.shown())),
        HomeError::Initialised { file } => {
            let file = file.shown();
            Some(format!(
                "{file} 已存在：此節點目錄已完成設定。請編輯該檔案，或另選目錄"
            ))
        }
        HomeError::Config(error) => Some(config(error)),
        HomeError::SignState(_) | HomeError::Decided(_) | HomeError::Mismatch { .. } => None,
    }
}

fn config(error: &ConfigError) -> String {
    match error {
        ConfigError::Missing { file } => {
            format!("找不到設定檔 {}；`tbsi node init` 可產生", file.shown())
        }
        ConfigError::Read { file, .. } => format!("讀取設定檔 {}", file.shown()),
        ConfigError::TooLarge { file } => {
            format!("設定檔 {} 超過 {CONFIG_BYTES_MAX} 位元組", file.shown())
        }
        ConfigError::Syntax {
            file,
            line,
            problem,
        } => format!("設定檔 {} 第 {line} 行：{problem}", file.shown()),
        ConfigError::UnknownKey { file, key, nearest } => {
            let file = file.shown();
            format!("設定檔 {file}：沒有 `{key}` 這個鍵；最接近的是 `{nearest}`")
        }
        ConfigError::Field {
            file,
            field,
            problem,
        } => format!("設定檔 {} 的鍵 `{field}`：{problem}", file.shown()),
    }
}

fn genesis(error: &GenesisError) -> String {
    match error {
        GenesisError::TooLarge(size) => format!("創世檔有 {size} 位元組，超過上限"),
        GenesisError::Json(error) => format!("創世檔不是預期形式的 JSON：{error}"),
        GenesisError::Field { field, problem } => format!("創世檔欄位 `{field}`：{problem}"),
        GenesisError::Key { node, .. } => {
            format!("創世檔欄位 `nodes[{node}].validator.public_key`")
        }
        GenesisError::LogKey { node, .. } => {
            format!("創世檔欄位 `nodes[{node}].validator.log_key`")
        }
        GenesisError::Validators(_) => "創世檔欄位 `nodes`".into(),
    }
}

fn key_file(error: &KeyFileError) -> String {
    match error {
        KeyFileError::Exists { path } => {
            format!("金鑰檔 {} 已存在；金鑰不會被覆寫", path.shown())
        }
        KeyFileError::Missing { path } => {
            format!("找不到金鑰檔 {}{}", path.shown(), key_remedy(path))
        }
        KeyFileError::Mode { path, mode } => {
            let (word, path) = (path.word(), path.shown());
            format!(
                "金鑰檔 {path} 的權限是 {mode:04o}，只有擁有者可讀：請執行 `chmod 600 {word}`；\
                 若他人可能已讀取，請換新的金鑰"
            )
        }
        KeyFileError::Malformed { path } => {
            let path = path.shown();
            format!(
                "金鑰檔 {path} 必須恰好是 64 個十六進位數字，或是加密的金鑰檔（Web3 Secret Storage）"
            )
        }
        KeyFileError::Encrypted { path } => {
            let path = path.shown();
            format!(
                "金鑰檔 {path} 已加密：請以 --password-file FILE、設定檔的 `keys.password_file` \
                 或在終端機提供密碼"
            )
        }
        KeyFileError::Keystore { path, .. } => format!("加密的金鑰檔 {}", path.shown()),
        KeyFileError::Address { path, given, held } => {
            let path = path.shown();
            format!(
                "加密的金鑰檔 {path} 記載位址 {given}，內容卻是 {held} 的金鑰：檔案遭更動，請還原"
            )
        }
        KeyFileError::Key { path, .. } => format!("金鑰檔 {}", path.shown()),
        KeyFileError::Io { path, .. } => format!("無法讀寫金鑰檔 {}", path.shown()),
    }
}

/// Where the key of a home comes from that is not there.
fn key_remedy(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default();
    match KeyKind::ALL
        .into_iter()
        .find(|kind| name == kind.file_name())
    {
        None => "",
        Some(KeyKind::Node | KeyKind::Log | KeyKind::Account) => "；`tbsi keys new` 可產生",
        Some(KeyKind::Validator) => {
            "；`tbsi keys import --kind validator` 可帶入使用中的金鑰，`tbsi keys new --validator` \
             可產生新的金鑰"
        }
        Some(KeyKind::NextValidator) => "；`tbsi keys rotate validator` 可產生",
        Some(KeyKind::PostQuantum) => "；`tbsi keys rotate post-quantum` 可產生",
        Some(KeyKind::Signer) => {
            "；`tbsi keys new --signer` 可為節點產生，`tbsi signer init` 可為簽署行程產生"
        }
    }
}

fn keystore(error: &KeystoreError) -> Option<String> {
    match error {
        KeystoreError::Password => Some("密碼錯誤，或檔案已損壞".into()),
        KeystoreError::Json(error) => Some(format!("不是 Web3 Secret Storage：{error}")),
        KeystoreError::Field { .. } => None,
    }
}

fn password(error: &PasswordError) -> String {
    match error {
        PasswordError::Short(size) => {
            format!("新密碼至少要有 {PASSWORD_BYTES_MIN} 位元組，這個只有 {size} 位元組")
        }
        PasswordError::Length => {
            format!("密碼必須是 1 到 {PASSWORD_BYTES_MAX} 位元組的 UTF-8 文字")
        }
        PasswordError::Missing { path } => {
            format!("找不到密碼檔 {}；請指定存有金鑰檔密碼的檔案", path.shown())
        }
        PasswordError::File { path, .. } => format!("密碼檔 {}", path.shown()),
        PasswordError::Content { path } => {
            let path = path.shown();
            format!("密碼檔 {path} 必須是一行 1 到 {PASSWORD_BYTES_MAX} 位元組的 UTF-8 文字")
        }
    }
}

fn client(error: &ClientError) -> String {
    match error {
        ClientError::Url { url, problem } => {
            format!("{url} 不是 http://127.0.0.1:8545 這樣的位址：{problem}")
        }
        ClientError::Unreachable { url, problem } => {
            format!("無法連線到 {url}：{}", reach::problem(problem))
        }
        ClientError::Refused {
            method,
            code,
            message,
            ..
        } => format!("節點拒絕 {method}：{message}（代碼 {code}）"),
        ClientError::Status {
            url,
            status,
            sentence,
        } => format!("{url} 回應狀態碼 {status}：{sentence}"),
        ClientError::Answer {
            method,
            url,
            problem,
        } => format!("{url} 對 {method} 的回應無法理解：{problem}"),
    }
}
