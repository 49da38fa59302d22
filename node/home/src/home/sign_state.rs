//! What a home's validator key has signed: its sign-state, made, brought over, raised, never
//! lowered (SPEC §6.4).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tbsi_keys::keyfile::{KeyKind, open_validator_key};
use tbsi_keys::signer::{Decided, Holder, ServedKeys};
use tbsi_keys::{LocalSigner, SignState, SignStateError};
use tbsi_types::{Address, ChainIdentity, Genesis, Height, SecretKey};

use super::{Home, HomeError, failed, load_genesis, mismatch, there, write_new};
use crate::config::Config;
use crate::limits::SIGN_STATE_HEIGHTS_AHEAD_MAX;

/// What a signer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerRole {
    /// Votes and proposals, with the validator key.
    Validator,
    /// Transactions, with the key of an account.
    Account,
}

/// Where the sign-state of a home begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstMark {
    /// Where the file of whoever signed with the key before ends.
    Brought(PathBuf),
    /// Its operator says that the key has signed nothing above `height`; a verified checkpoint
    /// shows that `decided` is decided, or it is 0.
    Stated {
        /// Above it, the key may sign.
        height: Height,
        /// Decided for certain.
        decided: Height,
    },
    /// As the sign-state says that is in the home already.
    Present,
}

/// Who votes with the key of a home.
#[derive(Debug)]
pub struct Voter {
    /// On which network.
    pub genesis: Genesis,
    /// The validator key.
    pub key: SecretKey,
    /// Of a node's home; a signer's has none.
    pub config: Option<Config>,
}

/// To where a sign-state is raised, and why that is neither too low nor too high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The key signs nothing up to its end.
    pub height: Height,
    /// Of the last block in the database, or 0.
    pub tip: Height,
    /// Of a verified checkpoint, or 0.
    pub decided: Height,
}

impl Home {
    /// Makes the sign-state of a key that has signed nothing above `height` on this network.
    /// Refuses if there is one.
    pub fn create_sign_state(
        &self,
        genesis: &Genesis,
        key: &SecretKey,
        height: Height,
    ) -> Result<(), HomeError> {
        let address = key.public_key().address();
        SignState::create(&self.sign_state_file(), genesis.identity(), address, height)?;
        Ok(())
    }

    /// The sign-state of a home that is made: the one that was brought there, if it is of this key
    /// and network, or a first one.
    pub(super) fn ensure_sign_state(
        &self,
        genesis: &Genesis,
        key: &SecretKey,
    ) -> Result<(), HomeError> {
        let file = self.sign_state_file();
        let (chain, address) = (genesis.identity(), key.public_key().address());
        match SignState::open(&file, chain, address) {
            Ok(_) => Ok(()),
            Err(SignStateError::Missing { .. }) => {
                self.create_sign_state(genesis, key, Height::GENESIS)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The sign-state of a key that may have signed: the one that is there, and nothing but
    /// [`FirstMark::Present`] is then taken, or one that begins as `first` says.
    pub(super) fn begin_sign_state(
        &self,
        genesis: &Genesis,
        key: &SecretKey,
        first: &FirstMark,
    ) -> Result<(), HomeError> {
        let (chain, address) = (genesis.identity(), key.public_key().address());
        let file = self.sign_state_file();
        match first {
            FirstMark::Brought(from) => {
                SignState::bring(from, &file, chain, address)?;
            }
            FirstMark::Stated { height, decided } => {
                check_ahead(*height, *decided)?;
                SignState::create(&file, chain, address, *height)?;
            }
            FirstMark::Present if !there(&file)? => {
                return Err(mismatch(
                    format!(
                        "validator {address} may have signed on this network already, and {} is \
                         missing",
                        file.display()
                    ),
                    "stop the node that voted with the key and bring its sign-state over: \
                     --sign-state FILE, which is `data/sign-state` in its home. If that is lost, \
                     or the key has never signed, say above which height it has signed nothing: \
                     --height HEIGHT (0 for a key that has never signed)",
                ));
            }
            FirstMark::Present => {
                SignState::open(&file, chain, address)?;
            }
        }
        Ok(())
    }

    /// Makes the home of a signer that has its keys already: the genesis file and a sign-state.
    /// May be done again after a crash.
    pub fn init_signer(&self, genesis: &Genesis, first: &FirstMark) -> Result<(), HomeError> {
        let key = open_validator_key(&self.validator_key_file(), self.password())?;
        self.load_link_key()?;
        let writes_genesis = self.lacks_genesis(genesis)?;
        self.make_dir(&self.data_dir())?;
        self.begin_sign_state(genesis, &key, first)?;
        if writes_genesis {
            self.write_genesis(genesis)?;
        }
        Ok(())
    }

    /// Fails if this home is of another network, or if the key of the signer in it cannot be
    /// opened. Writes nothing.
    pub fn check_new_signer(&self, genesis: &Genesis, role: SignerRole) -> Result<(), HomeError> {
        let _key = match role {
            SignerRole::Validator => {
                open_validator_key(&self.validator_key_file(), self.password())?
            }
            SignerRole::Account => self.load_account_key()?,
        };
        self.lacks_genesis(genesis).map(drop)
    }

    /// Remembers that the validator key came from elsewhere, where it may have signed.
    pub fn note_imported_key(&self) -> Result<(), HomeError> {
        let file = self.imported_file();
        if there(&file)? {
            return Ok(());
        }
        write_new(&file, b"")
    }

    /// `keys/validator.imported`, which says that the validator key came from elsewhere.
    pub(super) fn imported_file(&self) -> PathBuf {
        self.validator_key_file().with_extension("imported")
    }

    /// What a signer process of this home holds: the validator key with its sign-state, or the
    /// key of its account.
    pub fn open_signer(&self, role: SignerRole) -> Result<ServedKeys, HomeError> {
        self.require_not_left()?;
        let genesis = load_genesis(&self.genesis_file())?;
        let chain = genesis.identity();
        let link_key = self.load_link_key()?;
        let holder = match role {
            SignerRole::Validator => {
                let key = open_validator_key(&self.validator_key_file(), self.password())?;
                let address = key.public_key().address();
                let state = SignState::open(&self.sign_state_file(), chain, address)?;
                let decided = Decided::open(&self.decided_file(), &genesis)?;
                Holder::Validator {
                    signer: Box::new(LocalSigner::new(chain, key, state)),
                    decided: Mutex::new(decided),
                }
            }
            SignerRole::Account => Holder::Account(self.load_account_key()?),
        };
        Ok(ServedKeys {
            holder,
            link_key,
            chain,
        })
    }

    /// Takes the next validator key into use, which has signed nothing on this network: the
    /// old key and its sign-state are kept under other names. May be done again after a crash
    /// at any point.
    pub fn promote_next_key(
        &self,
        genesis: &Genesis,
        next: &SecretKey,
        tip: Height,
    ) -> Result<(), HomeError> {
        let (state, address) = (self.sign_state_file(), next.public_key().address());
        let current = self.validator_key_file();
        let old = open_validator_key(&current, self.password())?;
        let old = old.public_key().address();
        match SignState::open(&state, genesis.identity(), address) {
            // Of an attempt that did not end.
            Ok(_) => {}
            Err(SignStateError::Missing { .. }) => self.create_sign_state(genesis, next, tip)?,
            Err(SignStateError::OtherValidator { validator, .. }) if validator == old => {
                let to = self.free_name("sign-state.replaced")?;
                fs::rename(&state, &to).map_err(failed("move away", &state))?;
                self.create_sign_state(genesis, next, tip)?;
            }
            // Of a disk that failed, say: nobody knows what this key has signed.
            Err(error) => return Err(error.into()),
        }
        if old != address {
            let retired = self.dir.join(format!("keys/validator-retired-{old}.key"));
            match fs::hard_link(&current, &retired) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(failed("keep", &current)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let file = self.next_validator_key_file();
        fs::rename(&file, &current).map_err(failed("take into use", &file))
    }

    /// Lets the key sign nothing up to the end of a height. A sign-state that is readable is
    /// raised; one that is damaged, or another key's, is moved away (returning where to) for a new
    /// one.
    ///
    /// For the home of a node that does not run, or of a signer that does not. Refuses to go below
    /// what is known (a sign-state of this key and network, those that were replaced, a block, a
    /// checkpoint): a lower mark would permit a second signature. And far above it: a mark never
    /// falls, so the validator would be silent until then.
    pub fn reset_sign_state(&self, voter: &Voter, to: Reset) -> Result<Option<PathBuf>, HomeError> {
        let Voter { genesis, key, .. } = voter;
        let Reset {
            height,
            tip,
            decided,
        } = to;
        let (chain, address) = (genesis.identity(), key.public_key().address());
        let file = self.sign_state_file();
        let state = readable(&file, chain, address)?;
        let signed = self.replaced_mark(chain, address)?;
        let signed = signed.max(state.as_ref().map_or(Height::GENESIS, mark_height));
        let known = [
            (tip, "this node has blocks up to height"),
            (signed, "this key signed already at height"),
            (decided, "the checkpoint is of height"),
        ];
        for (known, what) in known {
            if height < known {
                return Err(mismatch(
                    format!("{what} {known}"),
                    "the new height must not be below it",
                ));
            }
        }
        // What was signed is no measure: each reset would allow the next.
        let shown = Decided::open(&self.decided_file(), genesis)?.height();
        if height > signed {
            check_ahead(height, tip.max(decided).max(shown))?;
        }
        if let Some(mut state) = state {
            state.raise(height)?;
            return Ok(None);
        }
        let moved = match there(&file)? {
            true => Some(self.free_name("sign-state.replaced")?),
            false => None,
        };
        if let Some(to) = &moved {
            fs::rename(&file, to).map_err(failed("move away", &file))?;
        }
        self.make_dir(&self.data_dir())?;
        self.create_sign_state(genesis, key, height)?;
        Ok(moved)
    }

    /// Who votes with the key of a node's home or of a signer's, which has no configuration.
    pub fn load_voter(&self) -> Result<Voter, HomeError> {
        if !there(&self.config_file())? && there(&self.key_file(KeyKind::Signer))? {
            self.require_not_left()?;
            return Ok(Voter {
                genesis: load_genesis(&self.genesis_file())?,
                key: open_validator_key(&self.validator_key_file(), self.password())?,
                config: None,
            });
        }
        let home = self.load()?;
        let Some(key) = home.validator_key else {
            let what = match &home.config.signer {
                Some(_) => "this node's validator key is with its signer",
                None => "this node is not a validator",
            };
            return Err(mismatch(
                what.into(),
                "the sign-state is in the home that has the validator key",
            ));
        };
        Ok(Voter {
            genesis: home.genesis,
            key,
            config: Some(home.config),
        })
    }

    /// The highest height of this key's in the sign-states that were moved away.
    fn replaced_mark(&self, chain: ChainIdentity, address: Address) -> Result<Height, HomeError> {
        let dir = self.data_dir();
        let listed = match fs::read_dir(&dir) {
            Ok(listed) => listed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Height::GENESIS),
            Err(error) => return Err(failed("list", &dir)(error)),
        };
        let mut highest = Height::GENESIS;
        for entry in listed {
            let entry = entry.map_err(failed("list", &dir))?;
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with("sign-state.replaced-") {
                continue;
            }
            match readable(&entry.path(), chain, address) {
                Ok(Some(state)) => highest = highest.max(mark_height(&state)),
                Ok(None) | Err(SignStateError::OtherNetwork { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(highest)
    }
}

fn mark_height(state: &SignState) -> Height {
    state.mark().height
}

/// A sign-state of this key; `None` if it says nothing of this key: it is missing, damaged or
/// another's. Any other problem is an error.
fn readable(
    file: &Path,
    chain: ChainIdentity,
    address: Address,
) -> Result<Option<SignState>, SignStateError> {
    match SignState::open(file, chain, address) {
        Ok(state) => Ok(Some(state)),
        Err(
            SignStateError::Missing { .. }
            | SignStateError::Damaged { .. }
            | SignStateError::OtherValidator { .. },
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A slip of the finger would silence the validator for good.
fn check_ahead(height: Height, known: Height) -> Result<(), HomeError> {
    if height.above(known) <= SIGN_STATE_HEIGHTS_AHEAD_MAX {
        return Ok(());
    }
    Err(mismatch(
        format!(
            "height {height} is more than {SIGN_STATE_HEIGHTS_AHEAD_MAX} above {known}, the \
             highest that is known to be decided here; a mark never falls, and the validator \
             would not vote until then"
        ),
        "if the network is there, show it: --checkpoint FILE, which `tbsi checkpoint get` writes",
    ))
}
