//! The listeners of JSON-RPC as the home configures them.

use std::path::{Path, PathBuf};

use tbsi_home::Home;
use tbsi_home::config::{Config, OperatorConfig, RpcConfig, TlsConfig};
use tbsi_keys::keyfile::{KeyFileError, read_private};
use tbsi_rpc::rates::RatesConfig;
use tbsi_rpc::{OperatorListener, RpcError, RpcLimits, ServerConfig, TlsFiles, TokenSecret};

use crate::clock::wall_clock;

/// Bytes of a file with the secret of tokens: 64 hex digits, `0x` before and a line feed after.
const SECRET_BYTES_MAX: usize = 68;

/// Why the listeners cannot be as they are configured.
#[derive(Debug, thiserror::Error)]
pub enum ListenersError {
    /// The file of the secret.
    #[error("config key `rpc.operator.token_secret`")]
    SecretFile(#[from] KeyFileError),
    /// There is none.
    #[error(
        "config key `rpc.operator.token_secret`: {} is missing; make it: \
         `(umask 077; openssl rand -hex 32 > {})`",
        file.display(),
        file.display()
    )]
    SecretMissing {
        /// Its path.
        file: PathBuf,
    },
    /// What is in it.
    #[error(
        "config key `rpc.operator.token_secret`: {} must hold 32 bytes in hex: `openssl rand -hex 32`",
        file.display()
    )]
    Secret {
        /// Its path.
        file: PathBuf,
    },
    /// The server's own reason.
    #[error(transparent)]
    Rpc(#[from] RpcError),
}

/// What the server is told, with the secrets that it needs.
pub(crate) fn server_config(home: &Home, config: &Config) -> Result<ServerConfig, ListenersError> {
    let rpc = &config.rpc;
    let operator = rpc.operator.as_ref();
    let operator = operator.map(|operator| operator_listener(home, operator));
    let keys = rpc.keys.iter();
    Ok(ServerConfig {
        listen: rpc.listen,
        cors_origins: rpc.cors_origins.clone(),
        hosts: rpc.hosts.clone(),
        methods: rpc.methods.clone(),
        trusted_proxies: rpc.trusted_proxies.clone(),
        rates: RatesConfig {
            address_per_minute: Some(rpc.address_per_minute).filter(|rate| *rate > 0),
            keys: keys.map(|key| (key.sha256, key.per_minute)).collect(),
            ..ServerConfig::default().rates
        },
        tls: rpc.tls.as_ref().map(|tls| tls_files(home, tls)),
        limits: limits(rpc),
        operator: operator.transpose()?,
    })
}

/// Whether the server would start with what a home configures, as far as no port is bound.
pub fn check(home: &Home, config: &Config) -> Result<(), ListenersError> {
    Ok(tbsi_rpc::check(&server_config(home, config)?)?)
}

fn operator_listener(
    home: &Home,
    config: &OperatorConfig,
) -> Result<OperatorListener, ListenersError> {
    let secret = config.token_secret.as_ref();
    let secret = secret.map(|file| read_secret(&home.dir().join(file)));
    let token = secret.transpose()?;
    Ok(OperatorListener {
        listen: config.listen,
        methods: config.methods.clone(),
        token: token.map(|secret| TokenSecret::new(secret, wall_clock)),
        tls: config.tls.as_ref().map(|tls| tls_files(home, tls)),
    })
}

/// Files of the certificates of the listeners that speak TLS, each with the listener's name.
pub fn tls_certificates(home: &Home, rpc: &RpcConfig) -> Vec<(&'static str, PathBuf)> {
    let operator = rpc.operator.as_ref();
    let operator = operator.and_then(|operator| operator.tls.as_ref());
    [("rpc", rpc.tls.as_ref()), ("operator", operator)]
        .into_iter()
        .filter_map(|(of, tls)| Some((of, home.dir().join(&tls?.certificate))))
        .collect()
}

fn tls_files(home: &Home, tls: &TlsConfig) -> TlsFiles {
    TlsFiles {
        certificate: home.dir().join(&tls.certificate),
        key: home.dir().join(&tls.key),
    }
}

fn read_secret(file: &Path) -> Result<[u8; 32], ListenersError> {
    let bytes = match read_private(file, SECRET_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(KeyFileError::Missing { path }) => {
            return Err(ListenersError::SecretMissing { file: path });
        }
        Err(error) => return Err(error.into()),
    };
    let text = std::str::from_utf8(&bytes).ok().map(str::trim);
    let digits = text.map(|text| text.strip_prefix("0x").unwrap_or(text));
    let secret = digits.filter(|digits| digits.len() == 64);
    let secret = secret.and_then(|digits| alloy_primitives::hex::decode(digits).ok());
    let secret = secret.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    secret.ok_or_else(|| ListenersError::Secret { file: file.into() })
}

fn limits(rpc: &RpcConfig) -> RpcLimits {
    RpcLimits {
        connections_max: rpc.connections_max,
        connections_per_address_max: rpc.connections_per_address_max,
        request_bytes_max: rpc.request_bytes_max,
        response_bytes_max: rpc.response_bytes_max,
        batch_items_max: rpc.batch_items_max,
        subscriptions_max: rpc.subscriptions_max,
        calls_max: usize::try_from(rpc.calls_max).unwrap_or(usize::MAX),
        log_blocks_max: rpc.log_blocks_max,
        log_results_max: usize::try_from(rpc.log_results_max).unwrap_or(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn defaults_are_those_of_the_server() {
        let home = Home::new("/nowhere");
        let config = server_config(&home, &Config::new("node-1", true)).unwrap();
        assert_eq!(
            format!("{config:?}"),
            format!("{:?}", ServerConfig::default())
        );
        let mut other = Config::new("node-1", true);
        other.rpc.address_per_minute = 0;
        let config = server_config(&home, &other).unwrap();
        assert_eq!(config.rates.address_per_minute, None);
    }

    #[test]
    fn a_secret_is_32_bytes_that_nobody_else_reads() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let mut config = Config::new("node-1", true);
        config.rpc.operator = Some(OperatorConfig {
            token_secret: Some("secret".into()),
            ..OperatorConfig::default()
        });
        let home = Home::new(dir.path());
        let load = || server_config(&home, &config).map(|config| config.operator.is_some());
        let missing = load().unwrap_err();
        assert!(missing.to_string().contains("openssl rand"), "{missing}");
        let hex = "ab".repeat(32);
        for (text, good) in [
            (hex.clone(), true),
            (format!("0x{hex}\n"), true),
            (format!("{hex}ab"), false),
            (hex[2..].into(), false),
            (format!("{}zz", &hex[2..]), false),
            (String::new(), false),
        ] {
            fs::write(&file, &text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            let loaded = load();
            assert_eq!(loaded.is_ok(), good, "{text}");
            if let Err(error) = loaded {
                assert!(
                    error.to_string().contains("openssl rand -hex 32"),
                    "{error}"
                );
            }
        }
        fs::write(&file, hex).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load(), Err(ListenersError::SecretFile(_))));
    }
}
