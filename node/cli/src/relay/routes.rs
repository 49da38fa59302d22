//! Several routes in one process: each a home directory of its own, with journal, account and
//! pages. One that fails stops no other.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use futures::FutureExt;
use futures::future::join_all;
use tbsi_bridge::config::{Config, ROUTES_FILE, Routes};
use tbsi_bridge::relay::Until;
use tbsi_bridge::target::Target;
use tbsi_home::config::LogConfig;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{Instrument, info_span, warn};

use super::{Opened, relay_one, stop_on_signal};
use crate::logging;
use crate::report::{causes, refuse};

/// How long a route that failed is left alone.
const AGAIN: Duration = Duration::from_secs(30);

/// Whether a directory has several routes.
pub(super) fn are_in(dir: &Path) -> bool {
    dir.join(ROUTES_FILE).exists()
}

/// Carries all routes until told to stop.
pub(super) fn run(dir: &Path) -> anyhow::Result<ExitCode> {
    let routes = Routes::load(dir).map_err(|error| refuse(error.into()))?;
    let homes = routes.homes(dir);
    let mut opened = open_apart(&homes).map_err(refuse)?;
    logging::start(&LogConfig::default())?;
    Runtime::new()?.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let signals = stop_on_signal(&stop)?;
        let all = homes.iter().map(|(name, home)| {
            let span = info_span!("relay.route", name);
            let first = opened.remove(name);
            keep(name, home, first, stopped.clone()).instrument(span)
        });
        tokio::select! {
            _ = join_all(all) => {}
            () = signals => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Carries one route, again after each failure, until told to stop.
async fn keep(
    name: &str,
    home: &Path,
    mut first: Option<Opened>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let carried = carry(home, first.take(), stopped.clone());
        let carried = AssertUnwindSafe(carried).catch_unwind();
        let problem = match carried.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => causes(&*error),
            Err(_) => "a mistake of this program; the log says where".into(),
        };
        warn!(route = name, "the route failed, others go on: {problem}");
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = sleep(AGAIN) => {}
        }
    }
}

async fn carry(
    home: &Path,
    first: Option<Opened>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let opened = match first {
        Some(opened) => opened,
        None => Opened::load(home)?,
    };
    relay_one(opened, Until::Stopped, stopped).await.map(|_| ())
}

/// Opens the homes, as far as they can be. Fails if two routes would be in each other's way: an
/// account has one sender on a target, and one record on a source.
fn open_apart(homes: &BTreeMap<String, PathBuf>) -> anyhow::Result<BTreeMap<String, Opened>> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for (name, home) in homes {
        // Whatever is wrong with it stops this route alone, which says so.
        let Ok(opened) = Opened::load(home) else {
            continue;
        };
        let parts = &opened.parts;
        let (parties, target) = (&parts.parties, parts.target.identity());
        let Config { metrics, audit, .. } = &parts.config;
        let mut own = vec![format!(
            "send to {} with the account {}",
            target.chain, target.account
        )];
        if audit.interval_s > 0 {
            own.push(format!(
                "attest the record of the account {} on chain {}",
                parties.account, parties.source_chain_id
            ));
        }
        if metrics.listen.port() != 0 {
            own.push(format!("listen on {} (metrics.listen)", metrics.listen));
        }
        for what in own {
            if let Some(other) = known.insert(what.clone(), name) {
                bail!(
                    "the routes `{other}` and `{name}` both {what}; give one of them another, in \
                     the config.toml of its home"
                );
            }
        }
        all.insert(name.clone(), opened);
    }
    Ok(all)
}
