//! A node of an older program: the product's, as if it knew no protocol version but the first.
//! Runs as `tbsi node run --home DIR` does.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tbsi_home::Home;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The highest protocol version that it supports.
const SUPPORTED: u32 = 1;

#[derive(Parser)]
enum Command {
    #[command(subcommand)]
    Node(Node),
}

#[derive(clap::Subcommand)]
enum Node {
    Run {
        #[arg(long)]
        home: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Node(Node::Run { home }) = Command::parse();
    tbsi_node::abort_on_panic();
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
    let (stop, stopping) = watch::channel(false);
    let home = Home::new(home);
    let node = tbsi_node::run_supporting(&home, stopping, SUPPORTED);
    tokio::pin!(node);
    let outcome = loop {
        tokio::select! {
            outcome = &mut node => break outcome,
            _ = terminate.recv() => stop.send_replace(true),
        };
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("node stopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}
