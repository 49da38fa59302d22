//! The actor that the engine knows: it passes messages on to the task that owns the swarm.

use std::sync::Arc;

use arc_malachitebft_app_channel::NetworkMsg as AppNetworkMsg;
use arc_malachitebft_app_channel::app::engine::network::{NetworkMsg, NetworkRef};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tbsi_p2p::Swarm;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Network, NetworkMonitor, Surroundings};
use crate::context::Ctx;
use crate::limits::NETWORK_COMMANDS_MAX;

/// The running actor.
pub(crate) struct Spawned {
    pub(crate) actor: NetworkRef<Ctx>,
    /// Takes what the application publishes.
    pub(crate) parts: mpsc::Sender<AppNetworkMsg<Ctx>>,
    pub(crate) monitor: NetworkMonitor,
}

/// Starts the actor over a swarm, and a channel for what the application publishes.
pub(crate) async fn start(
    swarm: Swarm,
    surroundings: Surroundings,
) -> Result<Spawned, ractor::SpawnErr> {
    let monitor = NetworkMonitor {
        swarm: swarm.monitor(),
        counters: Arc::default(),
        offered: Arc::default(),
        chain: *surroundings.verified.chain(),
        twin: surroundings.twin.clone(),
    };
    let network = Network::new(swarm, surroundings, &monitor);
    let (parts, published) = mpsc::channel(1);
    let (actor, _) = Actor::spawn(None, NetworkActor, (network, published)).await?;
    Ok(Spawned {
        actor,
        parts,
        monitor,
    })
}

type Published = mpsc::Receiver<AppNetworkMsg<Ctx>>;

/// Passes on what the application publishes.
async fn forward(mut published: Published, network: NetworkRef<Ctx>) {
    while let Some(message) = published.recv().await {
        if network.cast(message.into()).is_err() {
            break;
        }
    }
}

/// Passes messages on to the task that owns the swarm.
struct NetworkActor;

/// The tasks, while they run: they end with the actor.
struct Running {
    commands: mpsc::Sender<NetworkMsg<Ctx>>,
    swarm: JoinSet<()>,
    published: JoinSet<()>,
}

#[async_trait::async_trait]
impl Actor for NetworkActor {
    type Msg = NetworkMsg<Ctx>;
    type State = Option<Running>;
    type Arguments = (Network, Published);

    async fn pre_start(
        &self,
        myself: ActorRef<NetworkMsg<Ctx>>,
        (network, published): (Network, Published),
    ) -> Result<Option<Running>, ActorProcessingErr> {
        let (commands, receiver) = mpsc::channel(NETWORK_COMMANDS_MAX);
        let mut running = Running {
            commands,
            swarm: JoinSet::new(),
            published: JoinSet::new(),
        };
        running.swarm.spawn(network.run(receiver));
        running.published.spawn(forward(published, myself));
        Ok(Some(running))
    }

    async fn handle(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        message: NetworkMsg<Ctx>,
        running: &mut Option<Running>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(running) = running {
            let sent = running.commands.send(message).await;
            sent.map_err(|_| "the network task ended")?;
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        running: &mut Option<Running>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(mut running) = running.take() {
            running.published.shutdown().await;
            drop(running.commands);
            // The port is free when the task has ended.
            while let Some(ended) = running.swarm.join_next().await {
                ended?;
            }
        }
        Ok(())
    }
}
