//! One transaction to a governance contract: rehearsed, shown, sent, waited for.

use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::{SolCall, SolEvent};
use anyhow::{Context, bail};
use serde_json::{Value, json};
use tbsi_governance::abi::PERMISSIONS;
use tbsi_governance::contracts::Permissions as Contract;
use tbsi_governance::reserve::reserved_for;
use tbsi_governance::standing::{Permissions, UNLIMITED};

use super::arguments::Write;
use super::client::RegistryClient;
use super::words;
use crate::contract::{Sender, load_key};
use crate::report::{refuse, refused};
use crate::shown;

/// Who changes something.
pub(crate) struct Writer {
    pub(crate) registry: RegistryClient,
    account: Sender,
    dry_run: bool,
    /// Number of the account's organisation; 0 if it has none.
    pub(crate) organisation: u32,
    permissions: u32,
}

/// A call, and what it changes in words.
pub(crate) struct Planned {
    pub(crate) to: Address,
    pub(crate) input: Bytes,
    pub(crate) change: String,
}

impl Planned {
    /// A call.
    pub(crate) fn new(to: Address, call: &impl SolCall, change: String) -> Self {
        Self {
            to,
            input: call.abi_encode().into(),
            change,
        }
    }
}

/// A call that is final.
pub(crate) struct Done {
    pub(crate) hash: B256,
    pub(crate) height: u64,
    receipt: TransactionReceipt,
}

impl Done {
    /// The first event of a kind.
    pub(crate) fn event<E: SolEvent>(&self) -> anyhow::Result<E> {
        let mut logs = self.receipt.logs().iter();
        let found = logs.find_map(|log| E::decode_log(&log.inner).ok());
        let found = found.with_context(|| format!("{} has no {}", self.hash, E::SIGNATURE))?;
        Ok(found.data)
    }
}

impl Writer {
    /// Reads the key, and learns who its account belongs to.
    pub(crate) async fn open(args: &Write) -> anyhow::Result<Self> {
        // Before the node is asked for anything: a key that cannot be read is the user's to mend.
        let key = load_key(&args.key, &args.password).map_err(refuse)?;
        let registry = RegistryClient::open(&args.read).await?;
        let account = Sender::new(key, registry.chain.chain_id);
        let call = Contract::accountOfCall {
            account: account.address(),
        };
        let standing = registry.ask(PERMISSIONS, call).await?;
        Ok(Self {
            dry_run: args.dry_run,
            organisation: standing.organisation,
            permissions: standing.permissions,
            account,
            registry,
        })
    }

    /// Whose key it is.
    pub(crate) fn address(&self) -> Address {
        self.account.address()
    }

    /// Whether nothing is to be sent.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Does it, or says what it would do; `tell` adds what became of it, in words and as JSON.
    pub(crate) async fn perform(
        &self,
        planned: &Planned,
        tell: impl AsyncFnOnce(&Done) -> anyhow::Result<(String, Value)>,
    ) -> anyhow::Result<ExitCode> {
        let gas = self.prepare(planned).await?;
        if self.dry_run {
            return self.show_rehearsal(planned);
        }
        let done = self.send(planned, gas).await?;
        let (told, json) = tell(&done).await?;
        self.show(planned, &done, &told, json)
    }

    /// Does it and prints nothing: a step of several. Not for a dry run.
    pub(crate) async fn carry_out(&self, planned: &Planned) -> anyhow::Result<Done> {
        let gas = self.prepare(planned).await?;
        self.send(planned, gas).await
    }

    /// Fails if it would fail now; what it takes in gas.
    pub(crate) async fn prepare(&self, planned: &Planned) -> anyhow::Result<u64> {
        self.rehearse(planned).await?;
        let gas = self
            .account
            .gas(&self.registry.client, planned.to, &planned.input);
        let gas = gas.await?;
        self.require_standing(planned, gas).await?;
        Ok(gas)
    }

    /// As [`Self::perform`], with nothing to add.
    pub(crate) async fn perform_plainly(&self, planned: &Planned) -> anyhow::Result<ExitCode> {
        let nothing = async |_: &Done| Ok((String::new(), json!({})));
        self.perform(planned, nothing).await
    }

    /// Executes exactly this call on the latest block and forgets it; returns what it returns.
    async fn rehearse(&self, planned: &Planned) -> anyhow::Result<Bytes> {
        let request = json!({
            "from": self.account.address(), "to": planned.to, "data": planned.input,
        });
        self.registry.call(request).await
    }

    /// Prints what would be done.
    fn show_rehearsal(&self, planned: &Planned) -> anyhow::Result<ExitCode> {
        let (lang, change) = (self.registry.lang, shown::line(&planned.change));
        let text = lang.pick(
            format!("would  {change}\nDry run: it would succeed now; nothing was sent."),
            format!("將會   {change}\n試行：此刻會成功；未送出任何交易。"),
        );
        let json = json!({
            "dryRun": true, "change": change, "to": planned.to, "data": planned.input,
            "from": self.account.address(),
        });
        self.registry.format.print(&text, &json)
    }

    /// Sends it and waits until it is final.
    async fn send(&self, planned: &Planned, gas: u64) -> anyhow::Result<Done> {
        let (client, data) = (&self.registry.client, planned.input.clone());
        let call = (planned.to, data, gas);
        let (receipt, hash) = self.account.call(client, call).await?;
        let height = receipt.block_number.unwrap_or_default();
        if !receipt.status() {
            bail!(self.registry.lang.pick(
                format!(
                    "transaction {hash} is final in block {height} and failed: nothing changed. \
                     Something else happened in between; --dry-run says why it fails now"
                ),
                format!(
                    "交易 {hash} 已在區塊 {height} 最終確認，但執行失敗，沒有任何變更。\
                     其間狀態已改變；加上 --dry-run 可得知現在失敗的原因"
                ),
            ));
        }
        Ok(Done {
            hash,
            height,
            receipt,
        })
    }

    /// Prints what was done.
    fn show(
        &self,
        planned: &Planned,
        done: &Done,
        told: &str,
        extra: Value,
    ) -> anyhow::Result<ExitCode> {
        let (hash, height, change) = (done.hash, done.height, shown::line(&planned.change));
        let text = self.registry.lang.pick(
            format!("done   {change}\n{told}\nblock  {height}, transaction {hash}"),
            format!("完成   {change}\n{told}\n區塊   {height}，交易 {hash}"),
        );
        let text = text.replace("\n\n", "\n");
        let mut json = json!({
            "dryRun": false, "change": change, "transaction": hash, "height": height,
        });
        if let (Value::Object(all), Value::Object(extra)) = (&mut json, extra) {
            all.extend(extra);
        }
        self.registry.format.print(&text, &json)
    }

    /// What the node would refuse, in this language and with the counters.
    async fn require_standing(&self, planned: &Planned, gas: u64) -> anyhow::Result<()> {
        let (registry, lang, organisation) =
            (&self.registry, self.registry.lang, self.organisation);
        let (account, name) = (self.account.address(), registry.name(organisation));
        if self.permissions & Permissions::SEND.0 == 0 {
            return Err(refused(lang.pick(
                format!(
                    "account {account} of {name} may not send transactions; an administrator of \
                     an organisation can grant that: `tbsi org add-account`"
                ),
                format!(
                    "{name}的帳戶 {account} 沒有傳送交易的權限；可由機構的管理者以 \
                     `tbsi org add-account` 授予"
                ),
            )));
        }
        // What is reserved goes through although the quota is used up (SPEC §13.4).
        let protocol = registry.client.status().await?.protocol.in_force;
        let reserved = reserved_for(protocol, planned.to, &planned.input);
        if reserved.is_some_and(|it| Permissions(self.permissions).contains(it)) {
            return Ok(());
        }
        let limit = registry.ask(PERMISSIONS, Contract::quotaOfCall { organisation });
        let limit = limit.await?.gas;
        let used = registry.ask(PERMISSIONS, Contract::usageOfCall { organisation });
        let used = used.await?.gas;
        if limit == UNLIMITED || used.saturating_add(gas) <= limit {
            return Ok(());
        }
        let until = registry
            .ask(PERMISSIONS, Contract::periodEndCall {})
            .await?;
        let until = words::time(until.saturating_to(), lang);
        let remedy = if gas > limit {
            lang.pick(
                "only a motion can raise it: `tbsi motion propose set-quota`".to_owned(),
                "須以動議調高：`tbsi motion propose set-quota`".to_owned(),
            )
        } else {
            lang.pick(
                format!("the limit lifts at {until}"),
                format!("{until} 起重新計算"),
            )
        };
        Err(refused(lang.pick(
            format!(
                "the gas quota of {name} does not suffice: {used} used of {limit} in this \
                 period, {gas} asked for; {remedy}"
            ),
            format!(
                "{name}的 gas 配額不足：本週期已用 {used}／{limit}，這筆交易需要 {gas}；{remedy}"
            ),
        )))
    }
}
