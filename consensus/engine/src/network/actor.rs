//! The actor that the engine knows: it passes messages on to the task that owns the swarm.

use std::sync::Arc;

use arc_malachitebft_app_channel::NetworkMsg as AppNetworkMsg;
use arc_malachitebft_app_channel::app::engine::network::{NetworkMsg, NetworkRef};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tbsi_p2p::Swarm;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

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
pub(crate) async fn spawn(
    swarm: Swarm,
    surroundings: Surroundings,
) -> Result<Spawned, ractor::SpawnErr> {
    let monitor = NetworkMonitor {
        swarm: swarm.monitor(),
        counters: Arc::default(),
        offered: Arc::default(),
        chain: *surroundings.verified.chain(),
    };
    let network = Network::new(swarm, surroundings, &monitor);
    let (actor, _) = Actor::spawn(None, NetworkActor, network).await?;
    let (parts, mut receiver) = mpsc::channel::<AppNetworkMsg<Ctx>>(1);
    let network = actor.clone();
    tokio::spawn(async move {
        while let Some(message) = receiver.recv().await {
            if network.cast(message.into()).is_err() {
                break;
            }
        }
    });
    Ok(Spawned {
        actor,
        parts,
        monitor,
    })
}

/// Passes messages on to the task that owns the swarm.
struct NetworkActor;

/// The task, while it runs.
struct Running {
    commands: mpsc::Sender<NetworkMsg<Ctx>>,
    task: JoinHandle<()>,
}

#[async_trait::async_trait]
impl Actor for NetworkActor {
    type Msg = NetworkMsg<Ctx>;
    type State = Option<Running>;
    type Arguments = Network;

    async fn pre_start(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        network: Network,
    ) -> Result<Option<Running>, ActorProcessingErr> {
        let (commands, receiver) = mpsc::channel(NETWORK_COMMANDS_MAX);
        let task = tokio::spawn(network.run(receiver));
        Ok(Some(Running { commands, task }))
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
        if let Some(Running { commands, task }) = running.take() {
            drop(commands);
            // The port is free when the task has ended.
            task.await?;
        }
        Ok(())
    }
}
