//! `tbsi relay events`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use tbsi_bridge::fabric::{ChannelEvent, EventPosition, Fabric, Gateways, events_in};
use tbsi_bridge::kinds::ConfiguredTarget;
use tbsi_bridge::target::Target;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{Home, Opened, stop_on_signal};
use crate::report::{Format, refuse};
use crate::shown::{self, PathShown as _};

/// Name of the file in the home directory that says behind which event this command is.
const POSITION_FILE: &str = "events-position.json";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let opened = Opened::load(&args.home.dir).map_err(refuse)?;
    let ConfiguredTarget::Fabric(fabric) = &opened.parts.target else {
        let problem = anyhow::anyhow!(
            "{} relays to an EVM chain, whose logs any Ethereum client shows; events are those of \
             a channel of Fabric",
            args.home.dir.shown()
        );
        return Err(refuse(problem));
    };
    Runtime::new()?.block_on(async {
        let (stop, mut stopped) = watch::channel(false);
        let signals = stop_on_signal(&stop)?;
        tokio::select! {
            shown = show(args, fabric) => shown,
            _ = stopped.wait_for(|stop| *stop) => Ok(ExitCode::SUCCESS),
            () = signals => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Prints events until nobody reads any more, each once it is on disk that those before it were.
async fn show(args: &Args, fabric: &Fabric<Gateways>) -> anyhow::Result<ExitCode> {
    fabric.check().await?;
    let file = args.home.dir.join(POSITION_FILE);
    let position = EventPosition::load(&file)?;
    let reader = fabric.reader();
    let mut stream = reader.events(position).await?;
    while let Some(answer) = stream.message().await.context("wait for events")? {
        for event in events_in(answer, reader.chaincode())? {
            if !args.format.line(&text(&event), &json_of(&event))? {
                return Ok(ExitCode::SUCCESS);
            }
            EventPosition::behind(&event).store(&file)?;
        }
    }
    anyhow::bail!("the gateway ended the stream of events; start this again")
}

fn text(event: &ChannelEvent) -> String {
    let said = String::from_utf8_lossy(&event.payload);
    let (name, said) = (shown::line(&event.name), shown::line(&said));
    let (block, transaction) = (event.block, event.transaction);
    format!("{block} {transaction} {name} {said}")
}

fn json_of(event: &ChannelEvent) -> Value {
    let said = serde_json::from_slice(&event.payload).unwrap_or(Value::Null);
    json!({
        "block": event.block,
        "transaction": event.transaction,
        "name": event.name,
        "payload": said,
    })
}
