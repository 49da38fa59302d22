//! How to come to the same result again, with this program and with others.

use std::path::Path;

use super::document::Section;
use crate::lang::Language;
use crate::shown::PathShown;
use crate::time::Times;
use crate::verify::{Checks, Compared, Inputs};

/// Commands are for a POSIX shell, in the directory where the report was made.
pub(super) fn section(
    inputs: &Inputs,
    checks: &Checks,
    compared: Option<&Compared>,
    lang: Language,
) -> Section {
    let mut section = Section::new(lang.pick(
        "How to repeat it with other software",
        "如何以其他軟體重做驗證",
    ));
    section.paragraph(lang.pick(
        "The commands are for a POSIX shell, in the directory in which the report was made.",
        "指令適用於 POSIX shell，須在製作本報告時的目錄執行。",
    ));
    if let Some(compared) = compared {
        digest(&mut section, compared, lang);
    }
    section.paragraph(lang.pick(
        "The whole verification, with this program; without --rpc it needs no network:",
        "以本程式重做完整驗證；不加 --rpc 時不需要網路：",
    ));
    section.code(&tbsi(inputs, checks, compared, lang));
    if inputs.trust.genesis.is_some() || inputs.trust.checkpoint.is_some() {
        section.paragraph(lang.pick(
            "The same by an independent implementation in Python, the package `tbsi` of the \
             developer kit (`pip install ./sdk/python`), which asks no network; it must print \
             the same verdict and code:",
            "以獨立的 Python 實作（開發套件中的 `tbsi` 套件，`pip install ./sdk/python`）重做，\
             不需要網路；須得到相同的結論與代碼：",
        ));
        section.code(&python(inputs, checks, compared));
        if checks.post_quantum.post_quantum.is_some() {
            section.paragraph(lang.pick(
                "It does not look at post-quantum cosignatures.",
                "該實作不檢查後量子共同簽章。",
            ));
        }
    }
    section
}

fn digest(section: &mut Section, compared: &Compared, lang: Language) {
    let digest = compared.digest.to_string();
    let digest = digest.trim_start_matches("0x");
    let Some(program) = program(compared.algorithm) else {
        let algorithm = compared.algorithm;
        section.paragraph(lang.pick(
            format!(
                "The digest of the file with any program that computes {algorithm}; it must print\n\
                 {digest}"
            ),
            format!("以任何能計算 {algorithm} 的程式計算檔案的摘要；須得到\n{digest}"),
        ));
        return;
    };
    section.paragraph(lang.pick(
        format!(
            "The digest of the file alone, with GNU coreutils or OpenSSL; it must print\n{digest}"
        ),
        format!("僅檔案的摘要，以 GNU coreutils 或 OpenSSL 計算；須得到\n{digest}"),
    ));
    let file = compared.file.word();
    section.code(&match &compared.salt {
        None => format!("{program} {file}"),
        Some(salt) => format!(
            "{{ xxd -r -p {}; cat {file}; }} |\n    {program}",
            salt.word()
        ),
    });
}

/// A program for a digest algorithm that most machines have.
fn program(algorithm: &str) -> Option<&'static str> {
    Some(match algorithm {
        "sha2-256" => "sha256sum",
        "sha2-384" => "sha384sum",
        "sha2-512" => "sha512sum",
        "sha2-512-256" => "openssl dgst -sha512-256",
        "sha3-256" => "openssl dgst -sha3-256",
        "sha3-384" => "openssl dgst -sha3-384",
        "sha3-512" => "openssl dgst -sha3-512",
        "sm3-256" => "openssl dgst -sm3",
        "blake2b-256" => "b2sum --length 256",
        "blake2b-512" => "b2sum",
        "blake2s-256" => "openssl dgst -blake2s256",
        "blake3" => "b3sum",
        _ => return None,
    })
}

fn tbsi(inputs: &Inputs, checks: &Checks, compared: Option<&Compared>, lang: Language) -> String {
    let mut command = format!("tbsi verify {}", inputs.proof.word());
    let mut option = |name: &str, path: Option<&Path>| {
        if let Some(path) = path {
            command = format!("{command} \\\n    --{name} {}", path.word());
        }
    };
    let file = inputs.attested_file();
    let salt = compared.and_then(|it| it.salt.as_deref());
    option("genesis", inputs.trust.genesis.as_deref());
    option("checkpoint", inputs.trust.checkpoint.as_deref());
    option("handovers", inputs.trust.handovers.as_deref());
    option("file", file.as_deref());
    option("salt", salt.or(inputs.salt.as_deref()));
    let cosignatures = &checks.post_quantum;
    option("post-quantum", cosignatures.post_quantum.as_deref());
    option(
        "post-quantum-keys",
        cosignatures.post_quantum_keys.as_deref(),
    );
    option("rpc", inputs.trust.rpc.as_deref().map(Path::new));
    if let (Some(max), Some(at)) = (checks.status_max_age, checks.at) {
        let (seconds, at) = (max.as_secs(), Times::of(at).utc);
        command = format!("{command} \\\n    --status-max-age {seconds}s --at {at}");
    }
    if lang == Language::ZhTw {
        command += " \\\n    --lang zh-TW";
    }
    command
}

fn python(inputs: &Inputs, checks: &Checks, compared: Option<&Compared>) -> String {
    let mut named = String::new();
    let mut values = vec![inputs.proof.word()];
    let mut argument = |name: &str, path: Option<&Path>, read: bool| {
        if let Some(path) = path {
            values.push(path.word());
            let at = values.len();
            let value = format!("sys.argv[{at}]");
            let value = if read {
                format!("read({value})")
            } else {
                value
            };
            named = format!("{named}, {name}={value}");
        }
    };
    let salt = compared.and_then(|it| it.salt.as_deref());
    argument("genesis", inputs.trust.genesis.as_deref(), true);
    argument("checkpoint", inputs.trust.checkpoint.as_deref(), true);
    argument("handovers", inputs.trust.handovers.as_deref(), true);
    argument("file", inputs.attested_file().as_deref(), false);
    argument("salt", salt.or(inputs.salt.as_deref()), false);
    let values = values.join(" \\\n    ");
    if let (Some(max), Some(at)) = (checks.status_max_age, checks.at) {
        let (max, at) = (max.as_millis(), at.0);
        named = format!("{named}, status_max_age_ms={max}, at_ms={at}");
    }
    format!(
        "python3 -c 'import json, sys\nfrom tbsi import verify\n\
         read = lambda path: open(path, \"rb\").read()\n\
         print(json.dumps(verify(read(sys.argv[1]){named}), indent=1))' \\\n    {values}"
    )
}
