//! Where passwords come from: a file or a terminal, never the command line or the environment.

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_keys::keyfile::{is_encrypted, is_there};
use tbsi_keys::password::Password;
use zeroize::Zeroizing;

use crate::lang::{demand, said};
use crate::shown::PathShown;

/// What opens encrypted key files.
#[derive(Clone, Debug, Args)]
pub(crate) struct PasswordFile {
    /// File with the password of encrypted key files; only its owner may read it [default: what
    /// `keys.password_file` in the home's configuration names, or the terminal is asked].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordFile {
    /// Nothing was given: the terminal is asked.
    pub(crate) fn none() -> Self {
        Self {
            password_file: None,
        }
    }

    /// A home whose key files can be opened.
    pub(crate) fn unlock(&self, dir: &Path) -> anyhow::Result<Home> {
        let home = Home::new(dir);
        if let Some(file) = &self.password_file {
            return Ok(home.with_password(Some(Password::load(file)?)));
        }
        if is_there(&home.config_file())? {
            let home = home.unlock(&Config::load(&home.config_file())?)?;
            if home.password().is_some() {
                return Ok(home);
            }
        }
        if !home.key_files()?.iter().any(|(_, encrypted)| *encrypted) {
            return Ok(home);
        }
        let password = ask(&format!("Password of the keys in {}: ", dir.shown()))?;
        Ok(home.with_password(password))
    }

    /// The password for one key file: none if it is not encrypted.
    pub(crate) fn of_file(&self, file: &Path) -> anyhow::Result<Option<Password>> {
        match &self.password_file {
            Some(path) => Ok(Some(Password::load(path)?)),
            None if !is_encrypted(file)? => Ok(None),
            None => ask(&format!("Password of {}: ", file.shown())),
        }
    }

    /// The same file, for what is made rather than opened.
    pub(crate) fn for_new(&self) -> anyhow::Result<Password> {
        new_password(self.password_file.as_deref(), "--password-file")
    }

    /// Whether a file was given.
    pub(crate) fn is_given(&self) -> bool {
        self.password_file.is_some()
    }
}

/// A password for new key files: from a file, or typed twice.
pub(crate) fn new_password(file: Option<&Path>, flag: &str) -> anyhow::Result<Password> {
    let password = match file {
        Some(file) => Password::load(file)?,
        None => {
            let first = ask("New password: ")?;
            let first = first.ok_or_else(|| {
                said(
                    format!(
                        "a new password is needed, and nobody to ask: give it with {flag} FILE"
                    ),
                    format!("需要新密碼，但無人可詢問：請以 {flag} FILE 提供"),
                )
            })?;
            let again = ask("The same again: ")?;
            demand(again.is_some_and(|again| again.is_same(&first)), || {
                (
                    "the two passwords differ: nothing was changed".into(),
                    "兩次密碼不同：未做任何變更".into(),
                )
            })?;
            first
        }
    };
    password.require_length()?;
    Ok(password)
}

/// Asks a person, without showing what is typed; `None` if there is none.
fn ask(prompt: &str) -> anyhow::Result<Option<Password>> {
    if !stdin().is_terminal() {
        return Ok(None);
    }
    let text = rpassword::prompt_password(prompt).context("read the password")?;
    Ok(Some(Password::new(Zeroizing::new(text))?))
}
