//! A node that is asked through somebody who refuses some of the calls, as the node itself would
//! if it had grown for decades.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::http;

/// JSON-RPC code of what would have to be left out.
const LIMIT_EXCEEDED: i32 = -32005;

/// Listens on a port of its own as long as the test runs, and passes on what `refuses` does not
/// hold for: a call's method and parameters.
pub async fn stand_in(node: SocketAddr, refuses: fn(&str, &Value) -> bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(pass_on(socket, node, refuses));
        }
    });
    address
}

/// One request on one connection.
async fn pass_on(mut socket: TcpStream, node: SocketAddr, refuses: fn(&str, &Value) -> bool) {
    let Some(body) = read(&mut socket).await else {
        return;
    };
    let call: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = call["method"].as_str().unwrap_or_default();
    let answer = if refuses(method, &call["params"]) {
        let error = json!({ "code": LIMIT_EXCEEDED, "message": "refused by the stand-in" });
        let answer = json!({ "jsonrpc": "2.0", "id": call["id"], "error": error });
        answer.to_string().into_bytes()
    } else {
        let headers = ["content-type: application/json"];
        http(node, "POST", "/", &headers, &body).await.body
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        answer.len()
    );
    let reply = [head.as_bytes(), &answer].concat();
    // Who asked may be gone.
    socket.write_all(&reply).await.ok();
}

/// The body of a request; `None` if the connection ends before.
async fn read(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length?.trim().parse().ok()?;
            if bytes.len() >= end + 4 + length {
                return Some(bytes[end + 4..end + 4 + length].to_vec());
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
