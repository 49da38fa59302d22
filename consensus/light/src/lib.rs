//! Offline verification: what an auditor runs.
//!
//! Given a proof bundle and a [`TrustAnchor`] (the genesis file, or a checkpoint trusted
//! already), [`verify_bundle`] says what was stated, when, by whom, and which named validators
//! vouch for it, following changes of the validator set one by one. [`verify_checkpoint`] does
//! the same for a checkpoint of the genesis set alone; [`verify_certificate`] is the half that
//! consensus itself uses: signatures against one validator set. [`verify_inclusion`],
//! [`verify_consistency`] and [`verify_note`] are what auditors of the log need, and
//! [`verify_cose_receipt`] what software for COSE has of it.
//!
//! [`verify_map`] proves what was not said: that a digest was not attested, that an attestation
//! was not revoked; [`MapAudit`] makes the map again from all leaves.
//!
//! [`prove_registry`] says whose account the issuer's was, who answers for the validators, and
//! under which legal names.
//!
//! [`verify_authorisation`] says whether an organisation was authorised to use another's data set
//! at a time.
//!
//! [`verify_erasure`] is about statements that a salt was destroyed; [`foreign`] about other
//! chains: sealed headers of theirs, and storage proofs; [`archive`] about time stamps and what
//! renews them.
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

pub mod archive;
pub mod authorisation;
pub mod bundle;
pub mod certificate;
pub mod checkpoint;
pub mod erasure;
pub mod error;
pub mod foreign;
pub mod known;
pub mod log;
pub mod map;
pub mod post_quantum;
pub mod registry;

pub use authorisation::{
    NotAuthorised, ProvenAct, ProvenAuthorisation, VerifyAuthorisationError, verify_authorisation,
};
pub use bundle::{
    DecisionError, HandoverFollower, NamedSigner, TrustAnchor, VerificationStep, VerifiedBundle,
    VerifiedDecision, VerifyBundleError, verify_bundle, verify_decision,
};
pub use certificate::{VerifiedCertificate, verify_certificate, verify_certificate_known};
pub use checkpoint::{GenesisSigner, VerifiedCheckpoint, verify_checkpoint};
pub use erasure::{VerifyErasureError, verify_erasure};
pub use error::VerifyError;
pub use known::KnownSignatures;
pub use log::{
    CosignedLog, LogError, VerifiedNote, verify_consistency, verify_cose_receipt, verify_cosigned,
    verify_inclusion, verify_note, verify_tlog_proof,
};
pub use map::{
    KnownUpTo, MapAudit, MapAuditError, ProvenStatus, VerifiedMap, VerifyMapError, verify_map,
};
pub use post_quantum::{
    PostQuantumSignatory, VerifiedPostQuantum, verify_post_quantum_note, verify_post_quantum_proof,
};
pub use registry::{
    ProveRegistryError, ProvenIssuer, ProvenOperator, ProvenRegistry, prove_registry,
};
