//! Signed notes and checkpoints as other log software reads them: C2SP signed-note and
//! tlog-checkpoint (SPEC §9.6).

use alloy_primitives::B256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::number::TreeSize;

/// Bytes that no note exceeds.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// Signature lines that a note is read with. C2SP asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Signature lines that a note should be written with: what every verifier must accept.
pub const NOTE_SIGNATURES_SERVED_MAX: usize = 16;

/// Bytes of a key's name or of an origin.
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes of one signature, key id included: post-quantum ones take some thousand.
pub const SIGNATURE_BYTES_MAX: usize = 8 * 1024;

/// Text and the signatures under it. Only a [`crate::log::NoteVerifier`] tells whether one of
/// them is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// With the name: which key and which kind of signature.
    pub key_id: u32,
    /// What the kind says.
    pub bytes: Vec<u8>,
}

/// Why something is not a note or a checkpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoteError {
    /// Above the size limit.
    #[error("note has {0} bytes, at most {NOTE_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// A control character.
    #[error("note has a control character other than newline")]
    Control,
    /// No text, no last newline, or no empty line before the signatures.
    #[error("note must be text, an empty line, and signature lines, each ending in a newline")]
    Layout,
    /// A line that is none.
    #[error("signature line {0} is not `— <name> <base64>`")]
    SignatureLine(usize),
    /// Too many.
    #[error("note has {0} signatures, 1 to {NOTE_SIGNATURES_MAX} are allowed")]
    Signatures(usize),
    /// A name that a note cannot carry.
    #[error(
        "key name or origin must have 1 to {NAME_BYTES_MAX} bytes, without space, plus or \
         control character"
    )]
    Name,
    /// A checkpoint's text that is none.
    #[error("checkpoint line {line}: {expected} expected")]
    Checkpoint {
        /// From 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// More than [`SIGNATURE_BYTES_MAX`].
    #[error("signature has {0} bytes, at most {SIGNATURE_BYTES_MAX} are allowed")]
    SignatureBytes(usize),
}

/// Checks a key's name or an origin.
pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(forbidden) {
        return Err(NoteError::Name);
    }
    Ok(())
}

/// Whether a note's text may hold this.
fn forbidden(letter: char) -> bool {
    letter < ' ' && letter != '\n'
}

impl SignedNote {
    /// A note of `text`, which ends in a newline, with 1 to [`NOTE_SIGNATURES_MAX`]
    /// signatures.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if text.contains(forbidden) {
            return Err(NoteError::Control);
        }
        if !text.ends_with('\n') {
            return Err(NoteError::Layout);
        }
        if signatures.is_empty() || signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(NoteError::Signatures(signatures.len()));
        }
        for signature in &signatures {
            check_name(&signature.name)?;
            let length = signature.bytes.len() + 4;
            if length == 4 || length > SIGNATURE_BYTES_MAX {
                return Err(NoteError::SignatureBytes(length));
            }
        }
        let note = Self { text, signatures };
        let length = note.encode().len();
        if length > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(length));
        }
        Ok(note)
    }

    /// What is signed; ends in a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In the note's order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Text, empty line, signature lines.
    pub fn encode(&self) -> String {
        let mut note = format!("{}\n", self.text);
        for signature in &self.signatures {
            note.push_str(&signature.line());
        }
        note
    }

    /// Accepts only what [`SignedNote::encode`] writes.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(note.len()));
        }
        if note.contains(forbidden) {
            return Err(NoteError::Control);
        }
        // The text may hold empty lines; the last one ends it.
        let split = note.rfind("\n\n").ok_or(NoteError::Layout)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let Some(lines) = lines.strip_suffix('\n') else {
            return Err(if lines.is_empty() {
                NoteError::Signatures(0)
            } else {
                NoteError::Layout
            });
        };
        let count = lines.split('\n').count();
        if count > NOTE_SIGNATURES_MAX {
            return Err(NoteError::Signatures(count));
        }
        let line =
            |(index, line)| NoteSignature::parse(line).ok_or(NoteError::SignatureLine(index + 1));
        let signatures = lines.split('\n').enumerate().map(line);
        Self::new(text.into(), signatures.collect::<Result<_, _>>()?)
    }
}

impl NoteSignature {
    /// `— <name> <base64>` and a newline.
    pub fn line(&self) -> String {
        let bytes = [&self.key_id.to_be_bytes(), self.bytes.as_slice()].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(bytes))
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(base64).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        (!bytes.is_empty()).then(|| Self {
            name: name.into(),
            key_id: u32::from_be_bytes(*key_id),
            bytes: bytes.into(),
        })
    }
}

/// What a log says of itself: the text of a checkpoint note, without extension lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCheckpoint {
    /// Name of the log.
    pub origin: String,
    /// Leaves in it.
    pub size: TreeSize,
    /// Root over them.
    pub root: B256,
}

impl LogCheckpoint {
    /// Three lines: origin, size in decimal, root in base64.
    pub fn encode(&self) -> Result<String, NoteError> {
        check_name(&self.origin)?;
        let root = STANDARD.encode(self.root);
        Ok(format!("{}\n{}\n{root}\n", self.origin, self.size))
    }

    /// Accepts only what [`LogCheckpoint::encode`] writes. Extension lines are refused: TBSI
    /// has none, and no two witnesses would mean the same by them.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = |line, expected| NoteError::Checkpoint { line, expected };
        let text = text.strip_suffix('\n').ok_or(wrong(4, "the end"))?;
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let origin = next();
        check_name(origin).map_err(|_| wrong(1, "an origin without space or plus"))?;
        let size = next();
        let size = decimal(size).ok_or(wrong(2, "a size in decimal"))?;
        let root = STANDARD.decode(next()).ok();
        let root = root.and_then(|root| B256::try_from(root.as_slice()).ok());
        let root = root.ok_or(wrong(3, "32 bytes in base64"))?;
        if lines.next().is_some() {
            return Err(wrong(4, "the end"));
        }
        let origin = origin.into();
        let size = TreeSize(size);
        Ok(Self { origin, size, root })
    }
}

/// A number without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

#[cfg(test)]
mod tests;
