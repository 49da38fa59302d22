//! `tbsi motion`.

mod file;
mod lookalikes;
mod propose;
mod show;
mod upgrade;
mod words;

pub(crate) use propose::{CancelArgs, UPGRADE_HELP, UpgradeArgs};
pub(crate) use upgrade::{effect as upgrade_effect, parameter};

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::MOTIONS;
use tbsi_governance::contracts::{Motion, Motions};
use tbsi_governance::motions::Act;

use crate::govern::words::{CHOICES, MOTION_KINDS, MOTION_STATUS, REASONS, code_of, time, word};
use crate::govern::{CODES, Planned, Read, RegistryClient, Write, Writer, block_on, parse_reason};
use crate::report::refused;
use crate::shown;

/// Status of a motion whose delay is not over.
const PASSED: u8 = 2;

const HELP: &str = "\
One organisation has one vote. A motion passes as soon as the rule of its kind is met; then
anybody can execute it. What cannot be carried out is refused when it is proposed.

Reasons: 1 unspecified, 2 own-request, 3 agreement-ended, 4 breach-of-agreement,
5 legal-entity-ended, 6 security-incident, 7 order-of-authority, 8 cause-removed.";

#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(crate) enum Command {
    /// Ask the organisations to decide something.
    Propose {
        /// Even if a motion that is not over asks for the same.
        #[arg(long)]
        again: bool,
        #[command(subcommand)]
        act: propose::Command,
    },
    /// All motions, newest last.
    List {
        #[command(flatten)]
        read: Read,
    },
    /// What a motion does, how it is decided, and who voted how.
    Show {
        /// Number of the motion.
        #[arg(value_name = "N")]
        motion: u32,
        #[command(flatten)]
        read: Read,
    },
    /// Cast your organisation's vote, once and for all.
    #[command(after_help = CODES)]
    Vote {
        /// Number of the motion.
        #[arg(value_name = "N")]
        motion: u32,
        /// yes, no, abstain, or conflict: abstain because of a conflict of interest.
        #[arg(value_name = "CHOICE", value_parser = |text: &str| code_of(&CHOICES, text))]
        choice: u8,
        #[command(flatten)]
        write: Write,
    },
    /// Carry out a motion that passed.
    #[command(after_help = CODES)]
    Execute {
        /// Number of the motion.
        #[arg(value_name = "N")]
        motion: u32,
        #[command(flatten)]
        write: Write,
    },
    /// Take back a motion that your organisation proposed.
    #[command(after_help = CODES)]
    Withdraw {
        /// Number of the motion.
        #[arg(value_name = "N")]
        motion: u32,
        /// Why, as a word or a number.
        #[arg(long, value_name = "REASON", value_parser = parse_reason)]
        reason: u16,
        #[command(flatten)]
        write: Write,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Propose { again, act } => {
            block_on(propose::language(&act), propose::run(act, again))
        }
        Command::List { read } => block_on(read.lang, list(read)),
        Command::Show { motion, read } => block_on(read.lang, show::run(motion, read)),
        Command::Vote {
            motion,
            choice,
            write,
        } => block_on(write.read.lang, vote(motion, choice, write)),
        Command::Execute { motion, write } => block_on(write.read.lang, execute(motion, write)),
        Command::Withdraw {
            motion,
            reason,
            write,
        } => block_on(write.read.lang, withdraw(motion, reason, write)),
    }
}

/// `tbsi upgrade plan`.
pub(crate) fn propose_upgrade(args: Box<UpgradeArgs>) -> anyhow::Result<ExitCode> {
    propose_once(propose::Command::ScheduleUpgrade(args))
}

/// `tbsi upgrade cancel`.
pub(crate) fn propose_cancel(args: CancelArgs) -> anyhow::Result<ExitCode> {
    propose_once(propose::Command::CancelUpgrade(args))
}

fn propose_once(act: propose::Command) -> anyhow::Result<ExitCode> {
    run(Command::Propose { again: false, act })
}

async fn fetch(registry: &RegistryClient, motion: u32) -> anyhow::Result<Motion> {
    registry
        .ask(MOTIONS, Motions::motionOfCall { motion })
        .await
}

/// All motions; the first is number 1.
async fn fetch_all(registry: &RegistryClient) -> anyhow::Result<Vec<Motion>> {
    let count = registry.ask(MOTIONS, Motions::motionCountCall {}).await?;
    let call = |from, count| Motions::motionsCall { from, count };
    registry.pages(MOTIONS, (1, count.into()), call).await
}

/// What a motion does; what it changes from is said while it can still take effect.
async fn effect(registry: &RegistryClient, motion: &Motion) -> anyhow::Result<String> {
    let act = Act::decode(motion.kind, &motion.arguments)?;
    let effect = words::effect(registry, &act, is_pending(motion)).await?;
    Ok(shown::line(&effect).into_owned())
}

/// Open, passed or executable.
fn is_pending(motion: &Motion) -> bool {
    (1..=3).contains(&motion.status)
}

async fn list(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let motions = fetch_all(&registry).await?;
    let mut text = String::new();
    let mut all = Vec::with_capacity(motions.len());
    for (number, motion) in (1u32..).zip(&motions) {
        let status = word(&MOTION_STATUS, motion.status.into(), lang);
        let effect = effect(&registry, motion).await?;
        let (yes, no, (needed, _)) = (motion.yes, motion.no, show::needed(motion));
        text += &lang.pick(
            format!("{number:>4}  {status:<10}  {yes} of {needed} yes, {no} no  {effect}\n"),
            format!("{number:>4}  {status}  贊成 {yes}／{needed}、反對 {no}  {effect}\n"),
        );
        all.push(show::summary(&registry, number, motion, &effect));
    }
    if motions.is_empty() {
        text = lang.pick("There is no motion yet.", "尚無動議。").into();
    }
    registry.format.print(&text, &json!({ "motions": all }))
}

async fn vote(motion: u32, choice: u8, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let effect = effect(registry, &fetch(registry, motion).await?).await?;
    let (name, said) = (
        registry.name(writer.organisation),
        word(&CHOICES, choice.into(), lang),
    );
    let change = lang.pick(
        format!("vote of {name} on motion {motion}: {said}. The motion: {effect}"),
        format!("{name}就第 {motion} 號動議表決：{said}。動議內容：{effect}"),
    );
    let call = Motions::voteCall { motion, choice };
    let planned = Planned::new(MOTIONS, &call, change);
    let tell = async |_: &_| {
        let after = fetch(registry, motion).await?;
        Ok((
            outcome(registry, motion, &after),
            json!({ "motion": show::summary(registry, motion, &after, &effect) }),
        ))
    };
    writer.perform(&planned, tell).await
}

/// Where a motion stands, and what can be done next.
fn outcome(registry: &RegistryClient, number: u32, motion: &Motion) -> String {
    let lang = registry.lang;
    let from = time(motion.passedAt + u64::from(motion.rule.delay), lang);
    match motion.status {
        1 => {
            let until = time(motion.deadline, lang);
            let (yes, (needed, cast)) = (motion.yes, show::needed(motion));
            let taken = motion.yes + motion.no + motion.abstained;
            lang.pick(
                format!(
                    "open   {yes} yes of {needed} that are needed, {taken} of {cast} taking part; \
                     closes at {until}"
                ),
                format!(
                    "表決中 贊成 {yes}／門檻 {needed}，參與 {taken}／門檻 {cast}；{until} 截止"
                ),
            )
        }
        2 => lang.pick(
            format!("passed can be executed from {from}: tbsi motion execute {number}"),
            format!("通過   {from} 起可執行：tbsi motion execute {number}"),
        ),
        3 => lang.pick(
            format!("passed anybody can execute it now: tbsi motion execute {number}"),
            format!("通過   任何人現在都可執行：tbsi motion execute {number}"),
        ),
        status => word(&MOTION_STATUS, status.into(), lang),
    }
}

async fn execute(motion: u32, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let found = fetch(registry, motion).await?;
    require_due(registry, motion, &found)?;
    let effect = effect(registry, &found).await?;
    let change = lang.pick(
        format!("motion {motion}: {effect}"),
        format!("第 {motion} 號動議：{effect}"),
    );
    let call = Motions::executeCall { motion };
    let planned = Planned::new(MOTIONS, &call, change);
    let kind = word(&MOTION_KINDS, found.kind.into(), crate::lang::Language::En);
    let tell = async |_: &_| Ok((String::new(), json!({ "motion": motion, "kind": kind })));
    writer.perform(&planned, tell).await
}

/// Fails if a motion that passed still waits, by the time of the latest block.
fn require_due(registry: &RegistryClient, number: u32, motion: &Motion) -> anyhow::Result<()> {
    if motion.status != PASSED {
        return Ok(());
    }
    let lang = registry.lang;
    let from = time(motion.passedAt + u64::from(motion.rule.delay), lang);
    let now = time(registry.now, lang);
    Err(refused(lang.pick(
        format!(
            "motion {number} passed and can be executed from {from}; the latest block is of {now}: \
             repeat the command when a block is of that time"
        ),
        format!(
            "第 {number} 號動議已通過，{from} 起可執行；最新區塊的時間為 {now}：請待區塊到達該時間後\
             重複此指令"
        ),
    )))
}

async fn withdraw(motion: u32, reason: u16, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let found = fetch(registry, motion).await?;
    let effect = effect(registry, &found).await?;
    let status = word(&MOTION_STATUS, found.status.into(), lang);
    let why = word(&REASONS, reason.into(), lang);
    let change = lang.pick(
        format!("motion {motion}: {status} → withdrawn ({why}). The motion: {effect}"),
        format!("第 {motion} 號動議：{status} → 已撤回（{why}）。動議內容：{effect}"),
    );
    let call = Motions::withdrawCall { motion, reason };
    writer
        .perform_plainly(&Planned::new(MOTIONS, &call, change))
        .await
}
