//! Something between a relayer and an endpoint that changes what they say to each other.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What becomes of a call.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is passed on, and so is its answer.
    Pass,
    /// It is not passed on; this is the answer.
    Answer(Value),
    /// It is passed on; the answer is lost.
    Lose,
    /// It is not passed on; the answer is an error with this code and these words.
    Deny(i32, String),
    /// It is passed on; the answer is an error all the same.
    TakeAndDeny(i32, String),
    /// It is refused with an error page.
    Refuse,
    /// It never ends.
    Hang,
}

/// Decides by method and parameters.
type Rule = Box<dyn FnMut(&str, &Value) -> Fate + Send>;

/// Changes an answer, by method.
type Edit = Box<dyn FnMut(&str, Value) -> Value + Send>;

struct Proxied {
    to: Client,
    rule: Mutex<Rule>,
    edit: Mutex<Edit>,
}

/// A proxy; ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    proxied: Arc<Proxied>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Passes everything on to `url`.
    pub async fn start(url: &str) -> Self {
        let proxied = Arc::new(Proxied {
            to: Client::new(url).expect("an address"),
            rule: Mutex::new(Box::new(|_, _| Fate::Pass)),
            edit: Mutex::new(Box::new(|_, answer| answer)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let pages = Router::new()
            .route("/", post(call))
            .with_state(Arc::clone(&proxied));
        let task = tokio::spawn(async move {
            axum::serve(listener, pages).await.ok();
        });
        Self {
            address,
            proxied,
            task,
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on.
    pub fn rule(&self, rule: impl FnMut(&str, &Value) -> Fate + Send + 'static) {
        *self.proxied.rule.lock().expect("nobody panics with it") = Box::new(rule);
    }

    /// From now on.
    pub fn edit(&self, edit: impl FnMut(&str, Value) -> Value + Send + 'static) {
        *self.proxied.edit.lock().expect("nobody panics with it") = Box::new(edit);
    }
}

async fn call(State(proxied): State<Arc<Proxied>>, body: Bytes) -> Result<String, StatusCode> {
    let request: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let params = request["params"].as_array().cloned().unwrap_or_default();
    let fate = {
        let mut rule = proxied.rule.lock().expect("nobody panics with it");
        rule(&method, &request["params"])
    };
    let reply = |key: &str, value: Value| {
        Ok(json!({ "jsonrpc": "2.0", "id": request["id"], key: value }).to_string())
    };
    let denied = |code: i32, message: String| json!({ "code": code, "message": message });
    match &fate {
        Fate::Answer(answer) => return reply("result", answer.clone()),
        Fate::Deny(code, words) => return reply("error", denied(*code, words.clone())),
        Fate::Refuse => return Err(StatusCode::TOO_MANY_REQUESTS),
        Fate::Hang => std::future::pending().await,
        Fate::Pass | Fate::Lose | Fate::TakeAndDeny(..) => {}
    }
    let answer = proxied.to.request::<Value>(&method, &params).await;
    if let Fate::TakeAndDeny(code, words) = fate {
        return reply("error", denied(code, words));
    }
    if matches!(fate, Fate::Lose) {
        return Err(StatusCode::BAD_GATEWAY);
    }
    match answer {
        Ok(answer) => {
            let mut edit = proxied.edit.lock().expect("nobody panics with it");
            reply("result", edit(&method, answer))
        }
        Err(ClientError::Refused {
            code,
            message,
            data,
            ..
        }) => reply(
            "error",
            json!({ "code": code, "message": message, "data": data }),
        ),
        Err(_) => Err(StatusCode::BAD_GATEWAY),
    }
}
