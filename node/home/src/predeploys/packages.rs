//! Init codes in the files of npm packages.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use alloy_primitives::{Bytes, hex};
use serde_json::Value;

use super::{Form, Predeploy, PredeployError, Source};

/// Bytes of a file of a package.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The init code of a contract, which is the known one.
pub(super) fn read(
    predeploy: &Predeploy,
    packages: Option<&Path>,
) -> Result<Bytes, PredeployError> {
    let code = match &predeploy.source {
        Source::Prescribed(code) => Bytes::from_static(code),
        Source::Package {
            package,
            version,
            file,
            form,
            arguments,
        } => {
            let code = match packages {
                Some(dir) => code_in(&dir.join(package).join(file), *form),
                None => Err("no directory of packages was given".into()),
            };
            let mut code = code.map_err(|problem| PredeployError::Missing {
                name: predeploy.name,
                package,
                version,
                problem,
            })?;
            code.extend_from_slice(arguments);
            code.into()
        }
    };
    predeploy.check(&code)?;
    Ok(code)
}

fn code_in(path: &Path, form: Form) -> Result<Vec<u8>, String> {
    let at = |problem: String| format!("{}: {problem}", path.display());
    let bytes = content(path).map_err(|error| at(error.to_string()))?;
    let digits = |text: &str| hex::decode(text).map_err(|error| at(error.to_string()));
    let constant = |name| {
        let found = constant(&bytes, name);
        digits(found.ok_or_else(|| at(format!("it has no constant `{name}`")))?)
    };
    match form {
        Form::Bytes => Ok(bytes),
        Form::Json(key) => {
            let value: Value =
                serde_json::from_slice(&bytes).map_err(|error| at(error.to_string()))?;
            let found = value.get(key).and_then(Value::as_str);
            digits(found.ok_or_else(|| at(format!("it has no string `{key}`")))?)
        }
        Form::Carried(name, after, length) => {
            let transaction = constant(name)?;
            let code = transaction.get(after..after + length);
            let code = code.ok_or_else(|| at(format!("`{name}` is too short")))?;
            Ok(code.to_vec())
        }
        Form::Deployed(name) => {
            let code = constant(name)?;
            returning(&code).ok_or_else(|| at(format!("`{name}` is no contract's code")))
        }
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it has more than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

/// The string that a constant of a source file in JavaScript or Solidity is.
fn constant<'t>(source: &'t [u8], name: &str) -> Option<&'t str> {
    let text = std::str::from_utf8(source).ok()?;
    let declared = format!("{name} =");
    let value = text[text.find(&declared)? + declared.len()..].trim_start();
    let value = value.strip_prefix("hex").unwrap_or(value);
    value.strip_prefix(['\'', '"'])?.split(['\'', '"']).next()
}

/// Init code that returns `code`: PUSH2 length, DUP1, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 0,
/// RETURN.
fn returning(code: &[u8]) -> Option<Vec<u8>> {
    let [high, low] = u16::try_from(code.len()).ok()?.to_be_bytes();
    let head = [
        0x61, high, low, 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3,
    ];
    Some([&head[..], code].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, form: Form) -> Result<Vec<u8>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        code_in(file.path(), form)
    }

    #[test]
    fn finds_code_in_each_form() {
        assert_eq!(found("abc", Form::Bytes).unwrap(), b"abc");
        let json = Form::Json("bytecode");
        assert_eq!(found(r#"{"bytecode": "0x6001"}"#, json).unwrap(), [0x60, 1]);
        let script = "const OTHER = '0x00';\nconst TX = \n  '0xf86001ff';\n";
        let carried = found(script, Form::Carried("TX", 1, 2)).unwrap();
        assert_eq!(carried, [0x60, 1]);
        let solidity = "bytes constant Code =\n  hex\"6001\";\n";
        let code = found(solidity, Form::Deployed("Code")).unwrap();
        assert_eq!(hex::encode(code), "61000280600c6000396000f36001");
    }

    #[test]
    fn says_what_a_file_lacks() {
        let check = |text: &str, form, words: &str| {
            let said = found(text, form).unwrap_err();
            assert!(said.contains(words), "{said}");
        };
        check("{}", Form::Json("bytecode"), "it has no string `bytecode`");
        check("[", Form::Json("bytecode"), "EOF");
        check(r#"{"bytecode": 1}"#, Form::Json("bytecode"), "no string");
        check(
            r#"{"bytecode": "0xzz"}"#,
            Form::Json("bytecode"),
            "character",
        );
        check("const a = 1", Form::Deployed("a"), "no constant `a`");
        check("", Form::Carried("a", 0, 1), "no constant `a`");
        check("a = '0x00'", Form::Carried("a", 1, 1), "`a` is too short");
        let long = format!("a = \"{}\"", "00".repeat(65_536));
        check(&long, Form::Deployed("a"), "`a` is no contract's code");
        let missing = code_in("nowhere/file".as_ref(), Form::Bytes).unwrap_err();
        assert!(missing.contains("nowhere/file"), "{missing}");
    }
}
