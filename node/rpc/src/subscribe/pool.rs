//! `eth_subscribe("newPendingTransactions", [full])`: what the pool takes.

use jsonrpsee::core::SubscriptionError;
use jsonrpsee::server::PendingSubscriptionSink;
use tokio::sync::broadcast::error::RecvError;

use super::ended;
use crate::api::Runner;
use crate::eth::filters::announcement;

pub(super) async fn serve(
    full: bool,
    pending: PendingSubscriptionSink,
    runner: &Runner,
) -> Result<(), SubscriptionError> {
    let mut announced = runner.api.backend.pool_announcements();
    let Ok(sink) = pending.accept().await else {
        return Ok(());
    };
    loop {
        let hash = tokio::select! {
            () = sink.closed() => return Ok(()),
            hash = announced.recv() => match hash {
                Ok(hash) => hash,
                Err(RecvError::Lagged(missed)) => {
                    return Err(SubscriptionError::from(format!(
                        "{missed} pending transactions behind, more than are kept; subscribe again"
                    )));
                }
                Err(RecvError::Closed) => return Ok(()),
            },
        };
        let found = runner.run(move |api| announcement(api, hash, full)).await;
        let Some(found) = found.map_err(ended)? else {
            continue;
        };
        if sink.send(found).await.is_err() {
            return Ok(());
        }
    }
}
