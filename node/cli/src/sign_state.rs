//! Where the sign-state of a validator key begins in a home that is made.

use std::path::{Path, PathBuf};

use clap::Args;
use tbsi_home::FirstMark;
use tbsi_types::Height;

use crate::checkpoint::verified_height;

#[derive(Debug, Args)]
pub(crate) struct SignStateArgs {
    /// Sign-state of whoever voted with the validator key before: `data/sign-state` in its home.
    /// It is copied; nobody may sign with it any more.
    #[arg(long, value_name = "FILE", conflicts_with = "height")]
    sign_state: Option<PathBuf>,
    /// Without a sign-state: the validator key has signed nothing above this height (0: nothing at
    /// all), at most 1000 above genesis or --checkpoint.
    ///
    /// DANGER: if it has, it may sign two contradictory votes, which is proof of misbehaviour.
    #[arg(long)]
    height: Option<u64>,
    /// Checkpoint of the network, made by `tbsi checkpoint get`.
    #[arg(long, value_name = "FILE", requires = "height")]
    checkpoint: Option<PathBuf>,
}

impl SignStateArgs {
    /// As the flags say; a checkpoint is verified from this genesis file.
    pub(crate) fn first_mark(&self, genesis: &Path) -> anyhow::Result<FirstMark> {
        if let Some(file) = &self.sign_state {
            return Ok(FirstMark::Brought(file.clone()));
        }
        let Some(height) = self.height else {
            return Ok(FirstMark::Present);
        };
        Ok(FirstMark::Stated {
            height: Height(height),
            decided: verified_height(self.checkpoint.as_deref(), genesis)?,
        })
    }
}
