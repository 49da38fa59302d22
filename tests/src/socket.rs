//! A WebSocket on which texts are said and heard as they are.

use std::net::SocketAddr;

use soketto::handshake::{Client, ServerResponse};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::harness::PATIENCE;

/// A client's end.
pub struct Socket {
    sender: soketto::Sender<Compat<TcpStream>>,
    receiver: soketto::Receiver<Compat<TcpStream>>,
}

impl Socket {
    /// Connects to a node's RPC port.
    pub async fn connect(node: SocketAddr) -> Self {
        let stream = TcpStream::connect(node).await.expect("the node listens");
        let host = node.to_string();
        let mut client = Client::new(stream.compat(), &host, "/");
        let response = client.handshake().await.expect("the node answers");
        assert!(
            matches!(response, ServerResponse::Accepted { .. }),
            "{response:?}"
        );
        let (sender, receiver) = client.into_builder().finish();
        Self { sender, receiver }
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) {
        let sent = self.sender.send_text(text).await;
        sent.expect("the connection is open");
        let sent = self.sender.flush().await;
        sent.expect("the connection is open");
    }

    /// The next text.
    pub async fn hear(&mut self) -> String {
        let mut bytes = Vec::new();
        let heard = timeout(PATIENCE, self.receiver.receive_data(&mut bytes)).await;
        heard
            .expect("the node answers")
            .expect("the connection is open");
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }
}
