//! Offline verification: what an auditor runs.
//!
//! Given a proof bundle and a [`TrustAnchor`] (the genesis file, or a checkpoint trusted
//! already), [`verify_bundle`] says what was stated, when, by whom, and which named validators
//! vouch for it, following changes of the validator set one by one. [`verify_checkpoint`] does
//! the same for a checkpoint of the genesis set alone; [`verify_certificate`] is the half that
//! consensus itself uses: signatures against one validator set. [`verify_inclusion`],
//! [`verify_consistency`] and [`verify_note`] are what auditors of the log need.
//!
//! [`verify_erasure`] is about statements that a salt was destroyed.
//! [`foreign`] is about other chains: sealed headers of theirs, and storage proofs.
//!
//! Pure: no clock, no disk, no network, no engine, no EVM, no database.
//!
//! ```
//! use tbsi_light::{VerifyError, VerifiedCertificate, verify_certificate};
//! use tbsi_types::{ChainIdentity, CommitCertificate, ValidatorSet};
//!
//! fn who_decided(
//!     chain: &ChainIdentity,
//!     set: &ValidatorSet,
//!     certificate: &CommitCertificate,
//! ) -> Result<VerifiedCertificate, VerifyError> {
//!     verify_certificate(chain, set, certificate)
//! }
//! ```

pub mod bundle;
pub mod certificate;
pub mod checkpoint;
pub mod erasure;
pub mod error;
pub mod foreign;
pub mod log;

pub use bundle::{
    DecisionError, HandoverFollower, NamedSigner, TrustAnchor, VerificationStep, VerifiedBundle,
    VerifiedDecision, VerifyBundleError, verify_bundle, verify_decision,
};
pub use certificate::{VerifiedCertificate, verify_certificate};
pub use checkpoint::{GenesisSigner, VerifiedCheckpoint, verify_checkpoint};
pub use erasure::{VerifyErasureError, verify_erasure};
pub use error::VerifyError;
pub use log::{
    LogError, VerifiedNote, verify_consistency, verify_inclusion, verify_note, verify_tlog_proof,
};
