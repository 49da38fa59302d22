//! A subscription to leaves, over WebSocket.

use std::time::Duration;

use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::json;

use super::{Client, ClientError, causes};
use crate::limits::{
    CLIENT_ANSWER_S_MAX, CLIENT_CONNECT_S_MAX, CLIENT_LEAVES_MAX, RESPONSE_BYTES_MAX,
};
use crate::wire::{LeafFilter, LeafNotice};

const METHOD: &str = "tbsi_subscribe";

/// Leaves as they become final.
pub struct Leaves {
    subscription: Subscription<LeafNotice>,
    client: Client,
    /// The connection lives as long as this.
    _connection: WsClient,
}

impl Client {
    /// `tbsi_subscribe("leaves", filter)`, on a WebSocket connection of its own.
    pub async fn leaves(&self, filter: &LeafFilter) -> Result<Leaves, ClientError> {
        let url = self.url.replacen("http://", "ws://", 1);
        let connection = WsClientBuilder::default()
            .max_response_size(RESPONSE_BYTES_MAX)
            .max_buffer_capacity_per_subscription(CLIENT_LEAVES_MAX)
            .connection_timeout(Duration::from_secs(CLIENT_CONNECT_S_MAX))
            .request_timeout(Duration::from_secs(CLIENT_ANSWER_S_MAX))
            .build(&url)
            .await
            .map_err(|error| ClientError::Unreachable {
                url: url.clone(),
                problem: causes(&error),
            })?;
        let params = [json!("leaves"), json!(filter)];
        let subscription = connection.subscribe(METHOD, params, "tbsi_unsubscribe");
        let subscription = subscription.await;
        Ok(Leaves {
            subscription: subscription.map_err(|error| self.explain(METHOD, error))?,
            client: self.clone(),
            _connection: connection,
        })
    }
}

impl Leaves {
    /// The next notification; `None` when the connection ended, or when [`CLIENT_LEAVES_MAX`]
    /// are not read: then the caller subscribes again from where it is.
    pub async fn next(&mut self) -> Result<Option<LeafNotice>, ClientError> {
        match self.subscription.next().await {
            Some(Ok(notice)) => Ok(Some(notice)),
            Some(Err(error)) => Err(self.client.not_understood(METHOD, &error)),
            None => Ok(None),
        }
    }
}
