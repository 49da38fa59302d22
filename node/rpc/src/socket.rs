//! JSON-RPC on a WebSocket: messages are read in their order, answered as their calls end, and
//! sent one after the other. Nothing more is read while a client does not read its answers.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use http::StatusCode;
use http_body::Body;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, StopHandle};
use serde_json::value::RawValue;
use soketto::base::OpCode;
use soketto::handshake::http::{Server as Handshake, is_upgrade_request};
use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};

use crate::envelope::{CallId, failed};
use crate::error::request_too_large;
use crate::frames::{FrameError, FrameReader, FrameWriter, Incoming, status};
use crate::limits::{
    PING_S, SILENT_S_MAX, SOCKET_CLOSE_S_MAX, SOCKET_MESSAGES_MAX, UNREAD_MESSAGES_MAX,
};
use crate::order::Order;
use crate::pages::Page;
use crate::session::{AnswerRoom, Session};

type Sender = FrameWriter<WriteHalf<TokioIo<Upgraded>>>;
type Receiver = FrameReader<ReadHalf<TokioIo<Upgraded>>>;

/// What the client is sent.
enum Outgoing {
    /// With its room until it is sent.
    Text(String, Option<AnswerRoom>),
    Pong(Vec<u8>),
}

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade<B>(request: &HttpRequest<B>) -> bool {
    is_upgrade_request(request)
}

/// The answer to such a request, and what the connection becomes then; or a refusal.
pub(crate) fn accept<B>(
    request: HttpRequest<B>,
    session: Session,
    stop: StopHandle,
) -> Result<(HttpResponse, impl Future<Output = ()> + Send + use<B>), Box<HttpResponse>>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut handshake = Handshake::new();
    let response = handshake.receive_request(&request).map_err(|error| {
        let sentence = format!("this is no WebSocket handshake of RFC 6455: {error}");
        Box::new(Page::refusal(StatusCode::BAD_REQUEST, sentence).response(false))
    })?;
    let upgraded = hyper::upgrade::on(request);
    let socket = async move {
        match upgraded.await {
            Ok(upgraded) => run(upgraded, session, stop).await,
            Err(error) => tracing::debug!(%error, "a connection became no WebSocket"),
        }
    };
    Ok((response.map(|()| HttpBody::empty()), socket))
}

async fn run(upgraded: Upgraded, session: Session, stop: StopHandle) {
    let (reader, writer) = split(TokioIo::new(upgraded));
    let limit = session.shared.limits.request_bytes_max;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (sender, receiver) = (FrameWriter::new(writer), FrameReader::new(reader, limit));
    let (out, unread) = mpsc::channel(UNREAD_MESSAGES_MAX as usize);
    let (close, closing) = oneshot::channel();
    let writing = write(sender, unread, closing);
    let reading = Reader {
        session,
        out,
        order: Order::default(),
        answering: FuturesUnordered::new(),
        feeding: FuturesUnordered::new(),
        is_alive: true,
    };
    tokio::pin!(writing);
    tokio::select! {
        code = reading.run(receiver, stop) => {
            let _unheard = close.send(code);
            let last = Duration::from_secs(SOCKET_CLOSE_S_MAX);
            if timeout(last, writing).await.is_err() {
                tracing::debug!("a WebSocket client did not read its last answers");
            }
        }
        () = &mut writing => {}
    }
}

/// Sends what comes, and a ping now and then, until nothing more can come or be sent; then why it
/// is closed.
async fn write(
    mut sender: Sender,
    mut unread: mpsc::Receiver<Outgoing>,
    closing: oneshot::Receiver<u16>,
) {
    let mut pings = interval(Duration::from_secs(PING_S));
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outgoing = tokio::select! {
            outgoing = unread.recv() => outgoing,
            _ = pings.tick() => {
                if let Err(error) = sender.send(OpCode::Ping, &[]).await {
                    tracing::debug!(%error, "a WebSocket took no more");
                    return;
                }
                continue;
            }
        };
        let sent = match outgoing {
            Some(Outgoing::Text(text, _room)) => sender.send(OpCode::Text, text.as_bytes()).await,
            Some(Outgoing::Pong(payload)) => sender.send(OpCode::Pong, &payload).await,
            None => break,
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a WebSocket took no more");
            return;
        }
    }
    let code = closing.await.unwrap_or(status::NORMAL);
    if let Err(error) = sender.close(code).await {
        tracing::debug!(%error, "a WebSocket was closed already");
    }
}

/// Takes messages and answers them.
struct Reader {
    session: Session,
    out: mpsc::Sender<Outgoing>,
    order: Order,
    answering: FuturesUnordered<BoxFuture<'static, Vec<mpsc::Receiver<Box<RawValue>>>>>,
    feeding: FuturesUnordered<BoxFuture<'static, ()>>,
    is_alive: bool,
}

impl Reader {
    /// Until the client goes, is silent for too long, or the server stops; then calls that run
    /// end, and subscriptions are over. Returns the status code that says so.
    async fn run(mut self, receiver: Receiver, stop: StopHandle) -> u16 {
        let incoming = futures::stream::unfold(Some(receiver), receive).fuse();
        tokio::pin!(incoming);
        let stopped = stop.shutdown();
        tokio::pin!(stopped);
        let period = Duration::from_secs(SILENT_S_MAX);
        let mut silence = interval_at(Instant::now() + period, period);
        loop {
            let has_room = self.answering.len() < SOCKET_MESSAGES_MAX;
            tokio::select! {
                () = &mut stopped => break,
                next = incoming.next(), if has_room => {
                    self.is_alive = true;
                    match next {
                        Some(Ok(Incoming::Close(code))) => {
                            return code.unwrap_or(status::NORMAL);
                        }
                        Some(Ok(incoming)) => self.take(incoming),
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a WebSocket broke");
                            return error.status();
                        }
                        None => return status::GONE,
                    }
                }
                Some(feeds) = self.answering.next(), if !self.answering.is_empty() => {
                    self.feed(feeds);
                }
                Some(()) = self.feeding.next(), if !self.feeding.is_empty() => {}
                _ = silence.tick() => {
                    let heard = std::mem::take(&mut self.is_alive);
                    if !heard && has_room {
                        tracing::debug!("a WebSocket client answers no ping");
                        return status::GONE;
                    }
                }
            }
        }
        while self.answering.next().await.is_some() {}
        status::NORMAL
    }

    /// In the order of messages: whoever hands over a transaction has its place now.
    fn take(&mut self, incoming: Incoming) {
        let (session, out) = (self.session.clone(), self.out.clone());
        let bytes = match incoming {
            Incoming::Pong | Incoming::Close(_) => return,
            Incoming::Message(bytes) => bytes,
            Incoming::Ping(payload) => {
                self.answering.push(Box::pin(async move {
                    send(&out, Outgoing::Pong(payload)).await;
                    Vec::new()
                }));
                return;
            }
            Incoming::TooLarge => {
                let failure = request_too_large(session.shared.limits.request_bytes_max);
                let text = failed(&CallId::null(), &failure);
                self.answering.push(Box::pin(async move {
                    send(&out, Outgoing::Text(text, None)).await;
                    Vec::new()
                }));
                return;
            }
        };
        let (message, place) = session.read(&bytes, &mut self.order);
        drop(bytes);
        let counted = session.count(&message);
        self.answering.push(Box::pin(async move {
            let answer = match counted {
                Ok(()) => session.answer(message, place).await,
                Err(refusal) => session.refuse(&message, &refusal),
            };
            let Some(answer) = answer else {
                return Vec::new();
            };
            send(&out, Outgoing::Text(answer.text, answer.room)).await;
            answer.feeds
        }));
    }

    /// Passes on what subscriptions say, now that their client knows of them.
    fn feed(&mut self, feeds: Vec<mpsc::Receiver<Box<RawValue>>>) {
        for mut feed in feeds {
            let out = self.out.clone();
            self.feeding.push(Box::pin(async move {
                while let Some(message) = feed.recv().await {
                    let text = String::from(Box::<str>::from(message));
                    if !send(&out, Outgoing::Text(text, None)).await {
                        return;
                    }
                }
            }));
        }
    }
}

/// Whether there is somebody to whom it may be sent.
async fn send(out: &mpsc::Sender<Outgoing>, outgoing: Outgoing) -> bool {
    out.send(outgoing).await.is_ok()
}

/// Nothing comes after what is the last.
async fn receive(
    receiver: Option<Receiver>,
) -> Option<(Result<Incoming, FrameError>, Option<Receiver>)> {
    let mut receiver = receiver?;
    let next = receiver.next().await;
    let is_last = matches!(next, Ok(Incoming::Close(_)) | Err(_));
    Some((next, (!is_last).then_some(receiver)))
}
