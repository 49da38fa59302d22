//! How a home is made.

use tbsi_types::Genesis;

use super::check::{check_node, check_peers, load_genesis};
use super::{FirstMark, Home, HomeError, mismatch, there, write_new};
use crate::config::Config;

impl Home {
    /// Makes the home of a signer that signs transactions with the account key that it has: the
    /// genesis file.
    pub fn init_account_signer(&self, genesis: &Genesis) -> Result<(), HomeError> {
        self.load_account_key()?;
        self.load_link_key()?;
        if self.lacks_genesis(genesis)? {
            self.write_genesis(genesis)?;
        }
        Ok(())
    }

    /// Whether there is no genesis file yet; another network's is refused.
    pub(super) fn lacks_genesis(&self, genesis: &Genesis) -> Result<bool, HomeError> {
        let file = self.genesis_file();
        if !there(&file)? {
            return Ok(true);
        }
        let found = load_genesis(&file)?.hash();
        if found == genesis.hash() {
            return Ok(false);
        }
        Err(mismatch(
            format!("{} is of another network, {found}", file.display()),
            "choose another home, or move that file away",
        ))
    }

    pub(super) fn write_genesis(&self, genesis: &Genesis) -> Result<(), HomeError> {
        let mut text = serde_json::to_vec_pretty(genesis).expect("a genesis is plain data");
        text.push(b'\n');
        write_new(&self.genesis_file(), &text)
    }

    /// Makes a home whose keys are there already: configuration, genesis file, data directory
    /// and, for a validator, its first sign-state. Refuses a home that has a configuration,
    /// and a genesis that does not name these keys.
    pub fn init(&self, config: &Config, genesis: &Genesis) -> Result<(), HomeError> {
        self.init_from(config, genesis, &FirstMark::Present)
    }

    /// [`Home::init`] with a sign-state that begins as `first` says. A key that was imported may
    /// have signed: its home is not made without being told.
    pub fn init_from(
        &self,
        config: &Config,
        genesis: &Genesis,
        first: &FirstMark,
    ) -> Result<(), HomeError> {
        let config_text = self.check_new(config, genesis, first)?;
        let file = self.config_file();
        let unlocked = self.unlock(config)?;
        let (node_key, validator_key) = unlocked.load_keys(config)?;
        check_node(config, genesis, &node_key, validator_key.as_ref())?;
        unlocked.check_log_key(config, genesis)?;
        let writes_genesis = self.lacks_genesis(genesis)?;
        self.make_dir(&self.data_dir())?;
        if let Some(key) = &validator_key {
            if *first == FirstMark::Present && !there(&self.imported_file())? {
                self.ensure_sign_state(genesis, key)?;
            } else {
                self.begin_sign_state(genesis, key, first)?;
            }
        }
        if writes_genesis {
            self.write_genesis(genesis)?;
        }
        // Last, because its presence says that the home is complete.
        write_new(&file, config_text.as_bytes())
    }

    /// Fails if [`Self::init_from`] would, as far as that is known before there are keys; returns
    /// the text of the configuration. Writes nothing.
    pub fn check_new(
        &self,
        config: &Config,
        genesis: &Genesis,
        first: &FirstMark,
    ) -> Result<String, HomeError> {
        self.require_new(genesis)?;
        check_peers(config, genesis)?;
        let text = config.to_toml() + &config.comments_on_peers(genesis);
        Config::parse(&text, &self.config_file())?;
        if *first != FirstMark::Present && (!config.validator || config.signer.is_some()) {
            return Err(mismatch(
                "this home has no validator key".into(),
                "leave out --sign-state and --height: only a validator has a sign-state",
            ));
        }
        Ok(text)
    }

    /// Fails if this home has a configuration already, or another network's genesis file.
    pub fn require_new(&self, genesis: &Genesis) -> Result<(), HomeError> {
        let file = self.config_file();
        if there(&file)? {
            return Err(HomeError::Initialised { file });
        }
        self.lacks_genesis(genesis).map(drop)
    }
}
