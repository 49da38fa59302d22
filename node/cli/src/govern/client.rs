//! A node of a chain that governs itself, asked for what its contracts know.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use anyhow::Context;
use serde_json::{Value, json};
use tbsi_governance::abi::{NODES, ORGANISATIONS};
use tbsi_governance::contracts::{Node, Nodes, Organisation, Organisations};
use tbsi_rpc::{Client, ClientError};
use tbsi_types::roster::{peer_id_of, peer_key_of};
use tbsi_types::{ChainIdentity, PublicKey};

use super::arguments::Read;
use super::sentences;
use crate::lang::Language;
use crate::report::{Format, refused};
use crate::shown;

/// Entries of one page of the contracts' lists.
const PAGE: u64 = 100;
/// JSON-RPC code of a call that the contract refused; `data` is its error.
const REVERTED: i32 = 3;

/// What a command works with.
pub(crate) struct RegistryClient {
    pub(crate) client: Client,
    pub(crate) lang: Language,
    pub(crate) format: Format,
    pub(crate) chain: ChainIdentity,
    /// Time of the latest block, in seconds.
    pub(crate) now: u64,
    /// By number, from 1.
    organisations: Vec<Organisation>,
}

impl RegistryClient {
    /// Learns which chain the node is of, and its organisations.
    pub(crate) async fn open(read: &Read) -> anyhow::Result<Self> {
        let client = read.rpc.client()?;
        let status = client.status().await?;
        let mut registry = Self {
            client,
            lang: read.lang,
            format: read.format,
            chain: ChainIdentity {
                chain_id: status.chain_id,
                genesis_hash: status.genesis_hash,
            },
            now: status.time_ms.0 / 1_000,
            organisations: Vec::new(),
        };
        let count = registry
            .ask(ORGANISATIONS, Organisations::organisationCountCall {})
            .await?;
        let mut organisations = Vec::new();
        while organisations.len() < count as usize {
            let call = Organisations::organisationsCall {
                from: U256::from(organisations.len() + 1),
                count: U256::from(PAGE),
            };
            let page = registry.ask(ORGANISATIONS, call).await?;
            anyhow::ensure!(!page.is_empty(), "the register ends before its last entry");
            organisations.extend(page.into_iter().map(settled));
        }
        registry.organisations = organisations;
        Ok(registry)
    }

    /// Calls a view function of a contract.
    pub(crate) async fn ask<C: SolCall>(&self, to: Address, call: C) -> anyhow::Result<C::Return> {
        let request = json!({ "to": to, "data": Bytes::from(call.abi_encode()) });
        let answer = self.call(request).await?;
        if answer.is_empty() {
            return Err(refused(self.lang.pick(
                format!(
                    "the chain of {} does not govern itself: there is no contract at {to}",
                    self.client.url()
                ),
                format!(
                    "{} 所屬的鏈沒有治理合約（{to} 沒有合約）",
                    self.client.url()
                ),
            )));
        }
        let decoded = C::abi_decode_returns(&answer);
        decoded.with_context(|| format!("{}: answer of {}", self.client.url(), C::SIGNATURE))
    }

    /// `eth_call` on the latest block. What a contract refuses is told in a sentence.
    pub(crate) async fn call(&self, request: Value) -> anyhow::Result<Bytes> {
        let params = [request, json!("latest")];
        let answer = self.client.request("eth_call", &params).await;
        answer.map_err(|error| self.explain(error))
    }

    /// The same error; one of a contract in a sentence.
    fn explain(&self, error: ClientError) -> anyhow::Error {
        if let ClientError::Refused { code, data, .. } = &error
            && *code == REVERTED
            && let Some(data) = data.as_ref().and_then(Value::as_str)
            && let Ok(data) = data.parse::<Bytes>()
        {
            return refused(sentences::explain(&data, self));
        }
        error.into()
    }

    /// All entries of a list of `count` entries, the first of which is number `first`.
    pub(crate) async fn pages<C: SolCall, T>(
        &self,
        to: Address,
        (first, count): (u64, u64),
        call: impl Fn(U256, U256) -> C,
    ) -> anyhow::Result<Vec<T>>
    where
        C::Return: IntoIterator<Item = T>,
    {
        let mut all = Vec::new();
        let mut from = first;
        while from < first + count {
            let page = call(U256::from(from), U256::from(PAGE));
            all.extend(self.ask(to, page).await?);
            from += PAGE;
        }
        Ok(all)
    }

    /// Every organisation with its number.
    pub(crate) fn organisations(&self) -> impl Iterator<Item = (u32, &Organisation)> {
        (1..).zip(&self.organisations)
    }

    /// An organisation by number.
    pub(crate) fn organisation(&self, number: u32) -> Option<&Organisation> {
        let index = (number as usize).checked_sub(1)?;
        self.organisations.get(index)
    }

    /// Legal name and number; who 0 is.
    pub(crate) fn name(&self, number: u32) -> String {
        if number == 0 {
            return self.lang.pick("no organisation", "不屬於任何機構").into();
        }
        let Some(found) = self.organisation(number) else {
            return self
                .lang
                .pick(format!("organisation {number}"), format!("機構 {number}"));
        };
        let name = legal_name(&found.nameZhTw, &found.nameEn, self.lang);
        self.lang.pick(
            format!("{name} (no. {number})"),
            format!("{name}（編號 {number}）"),
        )
    }

    /// Number, and both legal names, for programs.
    pub(crate) fn named(&self, number: u32) -> Value {
        let found = self.organisation(number);
        json!({
            "number": number,
            "nameZhTw": found.map(|it| it.nameZhTw.as_str()),
            "nameEn": found.map(|it| it.nameEn.as_str()),
        })
    }

    /// The number of the organisation that is meant: its number, 統一編號, LEI or legal name.
    pub(crate) fn find_organisation(&self, text: &str) -> anyhow::Result<u32> {
        if text.len() < 8
            && let Ok(number) = text.parse::<u32>()
            && self.organisation(number).is_some()
        {
            return Ok(number);
        }
        // Identifiers are free again when their holder has left: later entries come first.
        let mut latest = self.organisations().collect::<Vec<_>>().into_iter().rev();
        let means = |it: &Organisation| {
            [&it.taxId, &it.lei, &it.nameEn, &it.nameZhTw]
                .iter()
                .any(|known| !known.is_empty() && known.as_str() == text)
        };
        let found = latest.find(|(_, it)| means(it)).map(|(number, _)| number);
        found.ok_or_else(|| {
            refused(self.lang.pick(
                format!(
                    "no organisation `{text}`: give its number, 統一編號, LEI or legal name; \
                     `tbsi org list` shows them"
                ),
                format!(
                    "找不到機構「{text}」：請給編號、統一編號、LEI 或法定名稱；`tbsi org list` 可列出"
                ),
            ))
        })
    }

    /// Every node with its number.
    pub(crate) async fn nodes(&self) -> anyhow::Result<Vec<(u32, Node)>> {
        let count = self.ask(NODES, Nodes::nodeCountCall {}).await?;
        let call = |from, count| Nodes::nodesCall { from, count };
        let mut nodes: Vec<Node> = self.pages(NODES, (1, count.into()), call).await?;
        for node in &mut nodes {
            shown::settle([&mut node.name, &mut node.endpoint, &mut node.version]);
        }
        Ok((1..).zip(nodes).collect())
    }

    /// The node that is meant: its number, name, peer id, one of its keys, or its validator's
    /// address; also one that it had before.
    pub(crate) async fn find_node(&self, text: &str) -> anyhow::Result<(u32, Node)> {
        let mut number = self.node_of_key(text).await?;
        let nodes = self.nodes().await?;
        if number == 0 {
            let named = nodes.iter().find(|(_, node)| node.name == text);
            number = named.map_or(0, |(number, _)| *number);
        }
        if number == 0 {
            number = text.parse().unwrap_or_default();
        }
        let found = nodes.into_iter().find(|(known, _)| *known == number);
        found.ok_or_else(|| {
            refused(self.lang.pick(
                format!(
                    "no node `{text}`: give its number, name, peer id, key or validator \
                     address; `tbsi operator list` shows them"
                ),
                format!(
                    "找不到節點「{text}」：請給編號、名稱、peer id、金鑰或驗證者位址；\
                     `tbsi operator list` 可列出"
                ),
            ))
        })
    }

    /// The node of a key or an address, 0 if the text is none of them or unknown.
    async fn node_of_key(&self, text: &str) -> anyhow::Result<u32> {
        match named_key(text) {
            Some(NamedKey::Key(key)) => self.ask(NODES, Nodes::nodeByKeyCall { key }).await,
            Some(NamedKey::Validator(validator)) => {
                let call = Nodes::validatorKeyOfCall { validator };
                Ok(self.ask(NODES, call).await?.node)
            }
            None => Ok(0),
        }
    }
}

/// A key of a node, as it is typed.
pub(crate) enum NamedKey {
    /// A peer id, or 32 bytes of another key.
    Key(B256),
    /// A validator's public key or address.
    Validator(Address),
}

/// `None` for text that is no key.
pub(crate) fn named_key(text: &str) -> Option<NamedKey> {
    let key = peer_key_of(text).map(B256::from);
    if let Some(key) = key.or_else(|| text.parse().ok()) {
        return Some(NamedKey::Key(key));
    }
    let bytes: Option<Bytes> = text.parse().ok();
    let public_key = bytes.and_then(|bytes| PublicKey::parse(&bytes).ok());
    let address = public_key.map(|key| key.address());
    let address = address.or_else(|| text.strip_prefix("0x")?.parse().ok());
    address.map(NamedKey::Validator)
}

/// What a node says of it: contracts take no control characters, but a node may lie.
fn settled(mut it: Organisation) -> Organisation {
    shown::settle([
        &mut it.nameZhTw,
        &mut it.nameEn,
        &mut it.taxId,
        &mut it.lei,
        &mut it.jurisdiction,
        &mut it.contactUrl,
    ]);
    it
}

/// The legal name in a language, or in the other if it has none.
pub(super) fn legal_name<'a>(zh_tw: &'a str, en: &'a str, lang: Language) -> &'a str {
    let (first, second) = lang.pick((en, zh_tw), (zh_tw, en));
    if first.is_empty() { second } else { first }
}

/// A peer key as peer id.
pub(crate) fn peer_id(key: B256) -> String {
    peer_id_of(&key.0)
}
