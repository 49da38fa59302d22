//! Offline verification: what an auditor runs.
//!
//! Given the genesis file, a checkpoint and its commit certificate, [`verify_checkpoint`] says
//! who decided it, by legal name, or why it proves nothing. [`verify_certificate`] is the half
//! that consensus itself uses: signatures against one validator set.
//!
//! Pure: no clock, no disk, no network, no engine, no EVM, no database. It does not follow
//! changes of the validator set; every checkpoint must be decided by the genesis set and hand
//! over to it.
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

pub mod certificate;
pub mod checkpoint;
pub mod error;

pub use certificate::{VerifiedCertificate, verify_certificate};
pub use checkpoint::{Signer, VerifiedCheckpoint, verify_checkpoint};
pub use error::VerifyError;
