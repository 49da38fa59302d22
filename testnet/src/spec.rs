//! What network to make.

use std::path::PathBuf;
use std::time::Duration;

use tbsi_home::predeploys::{self, InitCodes};
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::limits::{NODES_MAX, VALIDATORS_MAX};

use crate::error::NetworkError;
use crate::ports::{PORT_STEP, PORTS_PER_NODE};

/// Chain id of a development network, unless told otherwise.
pub const DEVELOPMENT_CHAIN_ID: u64 = tbsi_home::limits::DEVELOPMENT_CHAIN_ID;

/// A network, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Where its files go; absent, or empty.
    pub dir: PathBuf,
    /// Nodes that vote, 1 to 128; fewer than 4 tolerate no fault.
    pub validators: usize,
    /// Nodes that only follow.
    pub observers: usize,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Network name, for people.
    pub name: String,
    /// First port; each node takes four of the ten ports from there on. `None`: any free ones.
    pub base_port: Option<u16>,
    /// Timeouts and pacing.
    pub consensus: ConsensusParameters,
    /// How long from now its genesis time is.
    pub begins_in: Duration,
    /// Length of an epoch; 0 lets changes of the validator set take effect with their block.
    pub epoch_seconds: u32,
    /// Contracts of others from genesis on, by their addresses (SPEC §2.5).
    pub predeploys: InitCodes,
}

impl NetworkSpec {
    /// A development network with default parameters on free ports, and those contracts of
    /// others that need no npm packages.
    pub fn new(dir: impl Into<PathBuf>, validators: usize, observers: usize) -> Self {
        Self {
            dir: dir.into(),
            validators,
            observers,
            chain_id: DEVELOPMENT_CHAIN_ID,
            name: "TBSI development network".into(),
            base_port: None,
            consensus: ConsensusParameters::default(),
            begins_in: Duration::ZERO,
            epoch_seconds: 0,
            predeploys: predeploys::prescribed(),
        }
    }

    /// Validators and observers.
    pub fn nodes(&self) -> usize {
        self.validators.saturating_add(self.observers)
    }

    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        let wrong = |field, problem| Err(NetworkError::Spec { field, problem });
        if !(1..=VALIDATORS_MAX).contains(&self.validators) {
            let problem = format!("{} is outside 1..={VALIDATORS_MAX}", self.validators);
            return wrong("validators", problem);
        }
        if self.nodes() > NODES_MAX {
            let problem = format!(
                "{} nodes in all, at most {NODES_MAX} are allowed",
                self.nodes()
            );
            return wrong("observers", problem);
        }
        let ports = (self.nodes() - 1) * usize::from(PORT_STEP) + PORTS_PER_NODE;
        let highest = 65_536 - ports;
        match self.base_port {
            Some(port) if port < 1_024 || usize::from(port) > highest => wrong(
                "base_port",
                format!(
                    "{port} is outside 1024..={highest}, which {} nodes need",
                    self.nodes()
                ),
            ),
            Some(_) | None => Ok(()),
        }
    }
}
