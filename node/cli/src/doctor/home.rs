//! What is in a node's home, whether or not the node runs.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tbsi_home::Home;
use tbsi_home::config::{Config, OutOfReach};
use tbsi_home::limits::DEVELOPMENT_CHAIN_ID;
use tbsi_keys::keyfile::{is_there, open_validator_key};
use tbsi_keys::{SignState, SignStateError};
use tbsi_node::certificates::certificates_end;
use tbsi_node::listeners::tls_certificates;
use tbsi_types::Genesis;

use super::finding::{Check, Finding, Verdict, both};
use crate::lang::{Language, Sentence, causes};
use crate::shown::PathShown;

const DAY_S: u64 = 24 * 60 * 60;
/// Days that a certificate is to be valid still.
const CERTIFICATE_DAYS_WARNING: u64 = 30;
const CERTIFICATE_DAYS_BAD: u64 = 7;

/// Why something cannot be read, in both languages.
pub(super) fn told(error: &(dyn std::error::Error + 'static)) -> Sentence {
    (causes(error, Language::En), causes(error, Language::ZhTw))
}

/// Whether the configuration fits what the genesis file says of this node.
pub(super) fn configuration(config: &Config, genesis: &Genesis) -> Vec<Finding> {
    let problems = config.out_of_reach(genesis);
    let missing = config.peers_not_found(genesis).len();
    if problems.is_empty() && missing == 0 {
        let found = config.peers_found(genesis);
        let said = both(
            format!("it is valid, and {found} other nodes of the genesis file are found"),
            format!("設定有效，可找到創世檔中的 {found} 個其他節點"),
        );
        return vec![Finding::good(Check::Configuration, said)];
    }
    let remedy = || {
        both(
            "see `tbsi config check`, correct config.toml, and start the node again",
            "請參考 `tbsi config check`，更正 config.toml 後重新啟動節點",
        )
    };
    let warn = |said| Finding::of(Check::Configuration, Verdict::Warning, said, remedy());
    let mut findings: Vec<Finding> = problems
        .into_iter()
        .map(|problem| warn(out_of_reach(&problem)))
        .collect();
    if missing > 0 {
        findings.push(warn(both(
            format!("{missing} nodes of the genesis file are neither configured nor found"),
            format!("創世檔中有 {missing} 個節點既未設定也找不到位址"),
        )));
    }
    findings
}

/// An address to listen on that is not where others look, with the one that is.
pub(super) fn out_of_reach(problem: &OutOfReach) -> Sentence {
    let OutOfReach {
        field,
        listen,
        endpoint,
        expected,
        loopback,
    } = problem;
    let zh_tw = if *loopback {
        format!(
            "`{field}`：{listen} 只有本機連得到，而其他節點會到 {endpoint} 尋找本節點：請改為 \
             \"{expected}\""
        )
    } else {
        let port = expected.port();
        format!(
            "`{field}`：{listen} 的連接埠不是 {port}，其他節點會到 {endpoint} 及其下一個連接埠尋找\
             本節點：請改為 \"{expected}\"，或由路由器轉送該連接埠"
        )
    };
    both(problem.to_string(), zh_tw)
}

/// Who may read the keys, and whether they are encrypted.
pub(super) fn keys(home: &Home, config: &Config, chain_id: u64) -> Vec<Finding> {
    let dir = home.node_key_file();
    let dir = dir.parent().unwrap_or(home.dir());
    let mut files = match listed(dir) {
        Ok(files) => files,
        Err(error) => {
            let (en, zh_tw) = told(&error);
            let shown = dir.shown();
            return vec![Finding::of(
                Check::Keys,
                Verdict::Bad,
                both(format!("{shown}: {en}"), format!("{shown}：{zh_tw}")),
                both(
                    "run this as the user of the node; `tbsi keys show` says which keys there are",
                    "請以執行節點的使用者身分執行；`tbsi keys show` 可列出現有金鑰",
                ),
            )];
        }
    };
    let relative = |path: &PathBuf| home.dir().join(path);
    files.extend(config.keys.password_file.iter().map(relative));
    files.extend(config.tsa.iter().map(|tsa| relative(&tsa.key)));
    let open: Vec<&PathBuf> = files.iter().filter(|file| is_open(file)).collect();
    let mut findings: Vec<Finding> = open.into_iter().map(|file| readable(file)).collect();
    findings.extend(plain_keys(home, chain_id));
    if findings.is_empty() {
        let count = files.len();
        let said = both(
            format!("{count} files are readable by their owner alone"),
            format!("{count} 個檔案都只有擁有者可讀"),
        );
        findings.push(Finding::good(Check::Keys, said));
    }
    findings
}

fn listed(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether others than the owner may read or write it.
fn is_open(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

fn readable(file: &Path) -> Finding {
    let (shown, word) = (file.shown(), file.word());
    Finding::of(
        Check::Keys,
        Verdict::Bad,
        both(
            format!("{shown} may be read or written by others than its owner"),
            format!("擁有者以外的使用者可讀取或寫入 {shown}"),
        ),
        both(
            format!(
                "`chmod 600 {word}`; if others may have read it, replace the key: `tbsi keys rotate`"
            ),
            format!(
                "請執行 `chmod 600 {word}`；若他人可能已讀取，請以 `tbsi keys rotate` 換新金鑰"
            ),
        ),
    )
}

fn plain_keys(home: &Home, chain_id: u64) -> Option<Finding> {
    let files = home.key_files().ok()?;
    let plain = files.iter().filter(|(_, encrypted)| !encrypted).count();
    if plain == 0 || chain_id == DEVELOPMENT_CHAIN_ID {
        return None;
    }
    let dir = home.dir().word();
    Some(Finding::of(
        Check::Keys,
        Verdict::Warning,
        both(
            format!("{plain} key files are not encrypted"),
            format!("{plain} 個金鑰檔未加密"),
        ),
        both(
            format!("`tbsi keys encrypt --home {dir}`, and set `keys.password_file`"),
            format!("請執行 `tbsi keys encrypt --home {dir}`，並設定 `keys.password_file`"),
        ),
    ))
}

/// Whether the validator's sign-state is there, whole, and of this key.
pub(super) fn sign_state(home: &Home, config: &Config, genesis: &Genesis) -> Finding {
    let check = Check::SignState;
    if let Some(signer) = &config.signer {
        let address = &signer.address;
        return Finding::good(
            check,
            both(
                format!("it is with the signer at {address}"),
                format!("由位於 {address} 的簽章程序保管"),
            ),
        );
    }
    if !config.validator {
        let said = both(
            "an observer signs no votes",
            "觀察節點不簽署投票，不需簽署狀態",
        );
        return Finding::good(check, said);
    }
    let key = match open_validator_key(&home.validator_key_file(), home.password()) {
        Ok(key) => key,
        Err(error) => {
            return Finding::of(
                check,
                Verdict::Unknown,
                told(&error),
                both(
                    "give the password of the key files: --password-file FILE",
                    "請提供金鑰檔的密碼：--password-file FILE",
                ),
            );
        }
    };
    let address = key.public_key().address();
    match SignState::open(&home.sign_state_file(), genesis.identity(), address) {
        Ok(state) => {
            let height = state.mark().height;
            let said = both(
                format!("validator {address} has signed up to height {height}"),
                format!("驗證者 {address} 已簽署到高度 {height}"),
            );
            Finding::good(check, said)
        }
        Err(SignStateError::InUse { .. }) => {
            let said = both(
                "it is in use by a process that runs",
                "執行中的程序正在使用",
            );
            Finding::good(check, said)
        }
        Err(error) => Finding::of(check, Verdict::Bad, told(&error), never_two()),
    }
}

fn never_two() -> Sentence {
    both(
        "never start the validator with an older copy: it could sign twice, and be suspended for it",
        "切勿以較舊的複本啟動驗證者：可能造成重複簽署而遭停權",
    )
}

/// How long the certificates of the home are valid still.
pub(super) fn certificates(home: &Home, config: &Config, now_s: u64) -> Vec<Finding> {
    let mut files = tls_certificates(home, &config.rpc);
    let tsa = config.tsa.as_ref();
    files.extend(tsa.map(|tsa| ("tsa", home.dir().join(&tsa.certificate))));
    if files.is_empty() {
        let said = both(
            "none is configured: no TLS, no time stamps",
            "未設定憑證（未使用 TLS 與時戳）",
        );
        return vec![Finding::good(Check::Certificates, said)];
    }
    let files = files.into_iter();
    files
        .map(|(of, file)| match certificates_end(&file) {
            Ok(end) => judge_certificate(of, &file, end, now_s),
            Err(error) => Finding::of(
                Check::Certificates,
                Verdict::Bad,
                told(&error),
                both(
                    format!("put the certificate for `{of}` there as PEM"),
                    format!("請將 `{of}` 的憑證以 PEM 格式放在該處"),
                ),
            ),
        })
        .collect()
}

fn judge_certificate(of: &str, file: &Path, end_s: u64, now_s: u64) -> Finding {
    let (days, shown) = (end_s.saturating_sub(now_s) / DAY_S, file.shown());
    let verdict = match days {
        ..CERTIFICATE_DAYS_BAD => Verdict::Bad,
        CERTIFICATE_DAYS_BAD..CERTIFICATE_DAYS_WARNING => Verdict::Warning,
        _ => Verdict::Good,
    };
    let said = both(
        format!("`{of}`: {shown} is valid for {days} days still"),
        format!("`{of}`：{shown} 的有效期還有 {days} 天"),
    );
    if verdict == Verdict::Good {
        return Finding::good(Check::Certificates, said);
    }
    let (en, zh_tw) = if of == "tsa" {
        (
            "renew it, and start the node again",
            "請換發憑證並重新啟動節點",
        )
    } else {
        (
            "renew it in place: the node reads the files again by itself",
            "請直接更新該檔案，節點會自動重新讀取",
        )
    };
    Finding::of(Check::Certificates, verdict, said, both(en, zh_tw))
}

/// Whether the ports of a node that does not run are free.
pub(super) fn ports(config: &Config) -> Vec<Finding> {
    let mut listens = vec![
        ("rpc.listen", config.rpc.listen),
        ("metrics.listen", config.metrics.listen),
        ("p2p.consensus", config.p2p.consensus),
        ("p2p.gossip", config.p2p.gossip),
    ];
    let operator = config.rpc.operator.as_ref();
    listens.extend(operator.map(|operator| ("rpc.operator.listen", operator.listen)));
    let mut findings: Vec<Finding> = listens
        .iter()
        .filter_map(|(field, address)| taken(field, *address))
        .collect();
    if findings.is_empty() {
        let count = listens.len();
        let said = both(
            format!("all {count} are free for the node, which does not run"),
            format!("節點未執行，{count} 個連接埠皆可用"),
        );
        findings.push(Finding::good(Check::Ports, said));
    }
    findings
}

fn taken(field: &str, address: SocketAddr) -> Option<Finding> {
    let error = TcpListener::bind(address).err()?;
    let (en, zh_tw) = told(&error);
    let port = address.port();
    Some(Finding::of(
        Check::Ports,
        Verdict::Bad,
        both(
            format!("`{field}`: {address}: {en}"),
            format!("`{field}`：{address}：{zh_tw}"),
        ),
        both(
            format!(
                "end what listens there (`ss -ltnp 'sport = :{port}'` names it), or choose another \
                 port or an address of this machine in config.toml"
            ),
            format!(
                "請結束佔用該處的程序（`ss -ltnp 'sport = :{port}'` 可查出），或在 config.toml 改用\
                 其他連接埠或本機位址"
            ),
        ),
    ))
}

/// Whether a home is there at all.
pub(super) fn missing(home: &Home) -> Option<Finding> {
    let file = home.config_file();
    if is_there(&file).unwrap_or(true) {
        return None;
    }
    let shown = file.shown();
    Some(Finding::of(
        Check::Configuration,
        Verdict::Bad,
        both(format!("{shown} is missing"), format!("找不到 {shown}")),
        both(
            "name the node's home with --home; `tbsi node init` makes one",
            "請以 --home 指定節點目錄；`tbsi node init` 可建立",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_judged_by_the_days_that_are_left() {
        let check = |days: u64, verdict: Verdict| {
            let end = 1_000_000 + days * DAY_S;
            let file = Path::new("tls.pem");
            let finding = judge_certificate("rpc", file, end, 1_000_000);
            assert_eq!(finding.verdict, verdict, "{days}");
        };
        check(30, Verdict::Good);
        check(29, Verdict::Warning);
        check(7, Verdict::Warning);
        check(6, Verdict::Bad);
        let past = judge_certificate("tsa", Path::new("t"), 5, 1_000_000);
        assert_eq!(past.verdict, Verdict::Bad);
        assert!(past.said().contains("valid for 0 days"), "{}", past.said());
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Config::new("a", false);
        let free = || {
            TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
        };
        config.rpc.listen = free();
        config.metrics.listen = free();
        config.p2p.consensus = free();
        config.p2p.gossip = held.local_addr().unwrap();
        let findings = ports(&config);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].said().starts_with("`p2p.gossip`: 127.0.0.1:"));
        drop(held);
        assert_eq!(ports(&config)[0].verdict, Verdict::Good);
    }

    #[test]
    fn keys_that_others_may_read_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let config = Config::new("a", false);
        assert_eq!(keys(&home, &config, 7)[0].verdict, Verdict::Bad);
        home.ensure_node_key().unwrap();
        let found = keys(&home, &config, DEVELOPMENT_CHAIN_ID);
        assert_eq!((found.len(), found[0].verdict), (1, Verdict::Good));
        let plain = keys(&home, &config, 7);
        assert_eq!((plain.len(), plain[0].verdict), (1, Verdict::Warning));
        let file = home.node_key_file();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let found = keys(&home, &config, DEVELOPMENT_CHAIN_ID);
        assert_eq!((found.len(), found[0].verdict), (1, Verdict::Bad));
        assert!(found[0].said().contains("node.key may be read"));
    }
}
