//! Whether a channel is the configured one, has a client of the source, and takes what the relayer
//! brings.

use super::answers::NamedRelayer;
use super::peers::FabricPeers;
use super::reader::ChannelReader;
use super::refusal::CallError;
use crate::target::TargetError;

fn misconfigured<T>(problem: String) -> Result<T, TargetError> {
    Err(TargetError::Misconfigured(problem))
}

impl<P: FabricPeers> ChannelReader<P> {
    /// Fails unless it is the channel of the configuration, with a client of the source, that knows
    /// the relayer under no other name.
    pub(super) async fn check(&self) -> Result<(), TargetError> {
        self.check_channel().await?;
        let strict = self.check_client().await?;
        let named = self.relayer().await;
        let named = named.map_err(|error| self.failed("who the relayer is", &error))?;
        self.check_names(strict, named.filter(|it| it.active).as_ref())
    }

    async fn check_channel(&self) -> Result<(), TargetError> {
        let channel = &self.config.channel;
        let first = self.block_hash(0).await;
        let first = first.map_err(|error| self.failed("block 0", &error))?;
        if first == self.config.genesis_block {
            return Ok(());
        }
        misconfigured(format!(
            "channel {channel} begins with block {first}, target.genesis_block is {}: another \
             network, or another channel of this name",
            self.config.genesis_block
        ))
    }

    /// Whether the client takes checkpoints from registered relayers only.
    async fn check_client(&self) -> Result<bool, TargetError> {
        let (channel, chaincode) = (&self.config.channel, &self.config.chaincode);
        let status = match self.status().await {
            Ok(status) => status,
            Err(CallError::Chaincode { code, detail, .. }) => {
                return misconfigured(format!(
                    "chaincode {chaincode} on {channel} is no open light client: {code}: {detail}"
                ));
            }
            Err(error) => return Err(self.failed("the light client", &error)),
        };
        let (opened, source) = (&status.config, &self.member.source);
        let same = opened.chain_id == source.chain_id && opened.genesis_hash == source.genesis_hash;
        if same {
            return Ok(opened.strict);
        }
        misconfigured(format!(
            "chaincode {chaincode} on {channel} follows chain {} with genesis hash {}, the source \
             is chain {} with {}",
            opened.chain_id, opened.genesis_hash, source.chain_id, source.genesis_hash
        ))
    }

    fn check_names(&self, strict: bool, named: Option<&NamedRelayer>) -> Result<(), TargetError> {
        let member = &self.member;
        let account = member.identity.account();
        match named {
            Some(named) => {
                let names = (&named.name_en, &named.name_zh_tw);
                if names == (&member.name_en, &member.name_zh_tw) {
                    return Ok(());
                }
                misconfigured(format!(
                    "the channel has {account} as {} ({}), relayer.name_en is {} ({}): give the \
                     names as they are registered, or have SetRelayer called",
                    named.name_en, named.name_zh_tw, member.name_en, member.name_zh_tw
                ))
            }
            None if strict => misconfigured(format!(
                "the client takes checkpoints from registered relayers only, and {account} is \
                 none: ask an administrator of the client for SetRelayer"
            )),
            None => Ok(()),
        }
    }
}
