//! A validator's home that was left for another machine (`tbsi operator move`): its node never
//! starts again.

use std::fs;
use std::path::PathBuf;

use tbsi_keys::disk;

use super::{Home, HomeError, failed, mismatch, there};

/// Characters of the note that are shown.
const NOTE_CHARS_MAX: usize = 200;

impl Home {
    /// `data/left`, which says that the validator of this home is elsewhere.
    pub fn left_file(&self) -> PathBuf {
        self.data_dir().join("left")
    }

    /// Lets no node and no signer start in this home any more; `note` says where its validator
    /// goes, on one line.
    pub fn leave(&self, note: &str) -> Result<(), HomeError> {
        self.make_dir(&self.data_dir())?;
        let file = self.left_file();
        disk::replace(&file, format!("{note}\n").as_bytes()).map_err(failed("write", &file))
    }

    /// What [`Home::leave`] noted, if it did.
    pub fn left_note(&self) -> Result<Option<String>, HomeError> {
        let file = self.left_file();
        if !there(&file)? {
            return Ok(None);
        }
        let text = fs::read(&file).map_err(failed("read", &file))?;
        let text = String::from_utf8_lossy(&text);
        Ok(Some(text.trim_end().chars().take(NOTE_CHARS_MAX).collect()))
    }

    /// Fails if the validator of this home was moved away.
    pub fn require_not_left(&self) -> Result<(), HomeError> {
        let Some(note) = self.left_note()? else {
            return Ok(());
        };
        let file = self.left_file();
        Err(mismatch(
            format!("{} says: {note}", file.display()),
            "its validator must not sign here any more, it could sign twice: run it where it is \
             now, or bring it back from there with `tbsi operator move`, into a new home",
        ))
    }
}
