//! How to come to the same result again, with this program and with others.

use std::path::Path;

use super::document::Section;
use crate::lang::Language;
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
    let file = quoted(&compared.file);
    section.code(&match &compared.salt {
        None => format!("{program} {file}"),
        Some(salt) => format!(
            "{{ xxd -r -p {}; cat {file}; }} |\n    {program}",
            quoted(salt)
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
    let mut command = format!("tbsi verify {}", quoted(&inputs.proof));
    let mut option = |name: &str, path: Option<&Path>| {
        if let Some(path) = path {
            command = format!("{command} \\\n    --{name} {}", quoted(path));
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
    let mut values = vec![quoted(&inputs.proof)];
    let mut argument = |name: &str, path: Option<&Path>, read: bool| {
        if let Some(path) = path {
            values.push(quoted(path));
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

/// One word for a POSIX shell, and no option of a program.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = match text.strip_prefix('-') {
        Some(rest) => format!("./-{rest}"),
        None => text.into_owned(),
    };
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "./:@%+=,_-".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_each_name_as_one_word() {
        for (name, shown) in [
            ("a/report-1.pdf", "a/report-1.pdf"),
            ("-rf", "./-rf"),
            ("契約 書.pdf", "'契約 書.pdf'"),
            ("it's", r"'it'\''s'"),
            ("$(id) `id` \"; rm x", "'$(id) `id` \"; rm x'"),
        ] {
            let word = quoted(Path::new(name));
            assert_eq!(word, shown);
            let echo = format!("printf %s {word}");
            let output = Command::new("sh").args(["-c", &echo]).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(said.trim_start_matches("./"), name);
        }
    }
}
