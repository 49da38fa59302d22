//! `tbsi doctor`: what keeps a node from its work, or will, and what to do about it.

mod disk;
mod finding;
mod home;
mod page;
mod reach;
mod running;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tbsi_home::config::Config;
use tbsi_home::{Home, load_genesis};
use tbsi_rpc::wire::NodeStatus;
use tbsi_types::Genesis;
use tokio::runtime::Runtime;

use crate::clock;
use crate::govern::{Read, RegistryClient};
use crate::lang::{Language, Sentence, causes};
use crate::password::PasswordFile;
use crate::report::{Format, REFUSED, in_language, refuse};
use crate::rpc::Rpc;
use crate::shown::PathShown;

use finding::{Check, Finding, Verdict, both};
use page::MetricsPage;

const HELP: &str = "\
Looks at configuration, key files, sign-state, certificates, ports and disk of a home; and if its
node runs, at its chain, clock, peers, open files and version, and whether the ports of other
nodes answer from here. The clock is compared with the blocks of other validators: nothing outside
the network is asked. Nothing is changed; a small file is written and removed to measure the disk.

Each finding is OK, WARNING (it will keep the node from its work), UNKNOWN (it cannot be told from
here) or FAILED (it keeps the node from its work), with what to do.

Exit codes: 0 nothing failed, and all could be told; 1 something failed; 2 something could not be
told.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// JSON-RPC address of the node [default: `rpc.listen` of its configuration].
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(look(args), args.lang)
}

fn look(args: &Args) -> anyhow::Result<ExitCode> {
    let (findings, lang) = (examine(args)?, args.lang);
    let worst = findings.iter().map(|it| it.verdict).max();
    let worst = worst.unwrap_or(Verdict::Unknown);
    let text: String = findings.iter().map(|it| it.text(lang)).collect();
    let all: Vec<_> = findings.iter().map(|it| it.json(lang)).collect();
    let json = json!({ "verdict": worst.key(), "checks": all });
    args.format.print(&text, &json)?;
    Ok(match worst {
        Verdict::Good | Verdict::Warning => ExitCode::SUCCESS,
        Verdict::Bad => ExitCode::FAILURE,
        Verdict::Unknown => ExitCode::from(REFUSED),
    })
}

fn examine(args: &Args) -> anyhow::Result<Vec<Finding>> {
    let bare = Home::new(&args.home);
    if let Some(missing) = home::missing(&bare) {
        return Ok(vec![missing]);
    }
    let loaded = Config::load(&bare.config_file());
    let config = match loaded {
        Ok(config) => config,
        Err(error) => return Ok(vec![unusable(home::told(&error))]),
    };
    let genesis = match load_genesis(&bare.genesis_file()) {
        Ok(genesis) => genesis,
        Err(error) => return Ok(vec![unusable(home::told(&error))]),
    };
    let home = args.password.unlock(&args.home).map_err(refuse)?;
    let now = clock::now()?.seconds();
    let mut findings = home::configuration(&config, &genesis);
    findings.extend(home::keys(&home, &config, genesis.chain_id));
    findings.push(home::sign_state(&home, &config, &genesis));
    findings.extend(home::certificates(&home, &config, now));
    findings.push(disk::space(&home.database_dir()));
    findings.push(disk::latency(&home.data_dir()));
    findings.extend(of_process(args, &home, &config, &genesis)?);
    Ok(findings)
}

fn unusable(said: Sentence) -> Finding {
    let remedy = both(
        "correct the file that is named, and run this again",
        "請更正所指的檔案後再執行一次",
    );
    Finding::of(Check::Configuration, Verdict::Bad, said, remedy)
}

/// Of the node if it runs, or of the place that it would have.
fn of_process(
    args: &Args,
    home: &Home,
    config: &Config,
    genesis: &Genesis,
) -> anyhow::Result<Vec<Finding>> {
    let listen = config.metrics.listen;
    let pages = Runtime::new()?.block_on(async {
        let metrics = page::fetch(listen, "metrics").await?;
        anyhow::Ok((metrics, page::fetch(listen, "readyz").await?))
    });
    let (metrics, ready) = match pages {
        Ok(pages) => pages,
        Err(error) => {
            let mut findings = home::ports(config);
            findings.push(not_running(args, config, error.as_ref()));
            return Ok(findings);
        }
    };
    let metrics = MetricsPage(metrics.body);
    let asked = Runtime::new()?.block_on(ask(args, home, config, genesis));
    let running = asked.status.as_ref();
    let mut findings = vec![Finding::good(
        Check::Node,
        both(
            format!("it runs, and answers on {listen}"),
            format!("執行中，於 {listen} 回應"),
        ),
    )];
    findings.extend(asked.findings);
    findings.push(running::open_files(&metrics));
    findings.extend(running::chain(&ready));
    findings.push(running::clock(&metrics));
    findings.push(running::peers(&metrics, asked.others));
    findings.push(running::reached(&metrics));
    findings.extend(asked.reaches);
    let version = running.map(|status| status.version.as_str());
    findings.extend(running::version(&metrics, version));
    Ok(findings)
}

fn not_running(args: &Args, config: &Config, error: &(dyn std::error::Error + 'static)) -> Finding {
    let listen = config.metrics.listen;
    let (en, zh_tw) = home::told(error);
    let dir = args.home.word();
    Finding::of(
        Check::Node,
        Verdict::Bad,
        both(
            format!("it does not answer on {listen} (`metrics.listen`): {en}"),
            format!("於 {listen}（`metrics.listen`）沒有回應：{zh_tw}"),
        ),
        both(
            format!("start it: `tbsi node run --home {dir}`; if it ends at once, its log says why"),
            format!("請啟動節點：`tbsi node run --home {dir}`；若隨即結束，其日誌會說明原因"),
        ),
    )
}

/// What JSON-RPC and the network say.
#[derive(Default)]
struct Asked {
    status: Option<NodeStatus>,
    /// Other nodes of the network.
    others: usize,
    reaches: Option<Finding>,
    findings: Vec<Finding>,
}

async fn ask(args: &Args, home: &Home, config: &Config, genesis: &Genesis) -> Asked {
    let mut asked = Asked {
        others: genesis.nodes.len().saturating_sub(1),
        ..Asked::default()
    };
    let mut places = reach::of_genesis(genesis, &config.name);
    let reached = async {
        let rpc = Rpc::of_home(home, config, args.rpc.clone())?;
        let status = rpc.client()?.status().await?;
        anyhow::Ok((rpc, status))
    };
    let mut read = None;
    match reached.await {
        Ok((rpc, status)) => {
            asked.status = Some(status);
            read = Some(Read {
                rpc,
                lang: args.lang,
                format: args.format,
            });
        }
        Err(error) => asked.findings.push(no_rpc(&error)),
    }
    if let Some(read) = read.filter(|_| genesis.governance.is_some()) {
        match nodes(&read).await {
            Ok(nodes) => {
                let own = nodes.iter().find(|(name, _)| *name == config.name);
                let own = own.map(|(_, endpoint)| endpoint.as_str());
                asked.findings.extend(reach::registered(config, own));
                let others = nodes.iter().filter(|(name, _)| *name != config.name);
                asked.others = others.clone().count();
                places = others
                    .filter_map(|(name, endpoint)| reach::Place::new(name, endpoint))
                    .collect();
            }
            Err(error) => asked.findings.push(no_rpc(&error)),
        }
    }
    if !config.p2p.registry_addresses {
        places = Vec::new();
    }
    places.extend(reach::of_config(config));
    if !places.is_empty() {
        asked.reaches = Some(reach::reaches(places).await);
    }
    asked
}

/// Names and endpoints of the nodes in use, as the registry has them.
async fn nodes(read: &Read) -> anyhow::Result<Vec<(String, String)>> {
    let registry = RegistryClient::open(read).await?;
    let nodes = registry.nodes().await?.into_iter();
    let nodes = nodes.filter(|(_, node)| !node.retired);
    Ok(nodes.map(|(_, node)| (node.name, node.endpoint)).collect())
}

fn no_rpc(error: &anyhow::Error) -> Finding {
    let error: &(dyn std::error::Error + 'static) = error.as_ref();
    let said = both(causes(error, Language::En), causes(error, Language::ZhTw));
    Finding::of(
        Check::Node,
        Verdict::Unknown,
        said,
        both(
            "give the address at which this node answers JSON-RPC: --rpc URL",
            "請以 --rpc URL 指定本節點 JSON-RPC 的位址",
        ),
    )
}
