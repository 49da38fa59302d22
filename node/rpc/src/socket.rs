//! JSON-RPC on a WebSocket: messages are read in their order, answered as their calls end, and
//! sent one after the other. Nothing more is read while a client does not read its answers.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::io::{BufReader, BufWriter};
use futures::stream::FuturesUnordered;
use http::StatusCode;
use http_body::Body;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, StopHandle};
use serde_json::value::RawValue;
use soketto::connection::Error as SocketError;
use soketto::data::ByteSlice125;
use soketto::handshake::http::{Server as Handshake, is_upgrade_request};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::envelope::{CallId, failed};
use crate::error::request_too_large;
use crate::limits::{PING_S, SILENT_S_MAX, SOCKET_MESSAGES_MAX, UNREAD_MESSAGES_MAX};
use crate::order::Order;
use crate::pages::Page;
use crate::session::{AnswerRoom, Session};

type Stream = BufReader<BufWriter<Compat<TokioIo<Upgraded>>>>;
type Sender = soketto::Sender<Stream>;
type Receiver = soketto::Receiver<Stream>;

/// A text for the client, with its room until it is sent.
struct Outgoing {
    text: String,
    _room: Option<AnswerRoom>,
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
            Ok(upgraded) => run(upgraded, handshake, session, stop).await,
            Err(error) => tracing::debug!(%error, "a connection became no WebSocket"),
        }
    };
    Ok((response.map(|()| HttpBody::empty()), socket))
}

async fn run(upgraded: Upgraded, handshake: Handshake, session: Session, stop: StopHandle) {
    let stream = BufReader::new(BufWriter::new(TokioIo::new(upgraded).compat()));
    let mut builder = handshake.into_builder(stream);
    let limit = session.shared.limits.request_bytes_max;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    builder.set_max_message_size(limit);
    let (sender, receiver) = builder.finish();
    let (out, unread) = mpsc::channel(UNREAD_MESSAGES_MAX as usize);
    let writing = write(sender, unread);
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
        () = reading.run(receiver, stop) => writing.await,
        () = &mut writing => {}
    }
}

/// Sends what comes, and a ping now and then, until nothing more can come or be sent.
async fn write(mut sender: Sender, mut unread: mpsc::Receiver<Outgoing>) {
    let mut pings = interval(Duration::from_secs(PING_S));
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let sent = tokio::select! {
            outgoing = unread.recv() => match outgoing {
                Some(Outgoing { text, _room }) => {
                    let sent = sender.send_text_owned(text).await;
                    sent.and(sender.flush().await)
                }
                None => break,
            },
            _ = pings.tick() => {
                let nothing = ByteSlice125::try_from(&[][..]).expect("0 is less than 125");
                let sent = sender.send_ping(nothing).await;
                sent.and(sender.flush().await)
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a WebSocket took no more");
            break;
        }
    }
    if let Err(error) = sender.close().await {
        tracing::debug!(%error, "a WebSocket was closed already");
    }
}

/// What came in: a message, or only a sign of life.
enum Incoming {
    Message(Vec<u8>),
    Pong,
    TooLarge,
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
    /// end, and subscriptions are over.
    async fn run(mut self, receiver: Receiver, stop: StopHandle) {
        let incoming = futures::stream::unfold(receiver, receive).fuse();
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
                        Some(Ok(incoming)) => self.take(incoming),
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a WebSocket broke");
                            return;
                        }
                        None => return,
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
                        return;
                    }
                }
            }
        }
        while self.answering.next().await.is_some() {}
    }

    /// In the order of messages: whoever hands over a transaction has its place now.
    fn take(&mut self, incoming: Incoming) {
        let (session, out) = (self.session.clone(), self.out.clone());
        let bytes = match incoming {
            Incoming::Pong => return,
            Incoming::Message(bytes) => bytes,
            Incoming::TooLarge => {
                let failure = request_too_large(session.shared.limits.request_bytes_max);
                let text = failed(&CallId::null(), &failure);
                self.answering.push(Box::pin(async move {
                    send(&out, text, None).await;
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
            send(&out, answer.text, answer.room).await;
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
                    if !send(&out, text, None).await {
                        return;
                    }
                }
            }));
        }
    }
}

/// Whether there is somebody to whom it may be sent.
async fn send(out: &mpsc::Sender<Outgoing>, text: String, room: Option<AnswerRoom>) -> bool {
    out.send(Outgoing { text, _room: room }).await.is_ok()
}

async fn receive(mut receiver: Receiver) -> Option<(Result<Incoming, SocketError>, Receiver)> {
    let mut bytes = Vec::new();
    let incoming = match receiver.receive(&mut bytes).await {
        Ok(soketto::Incoming::Data(_)) => Ok(Incoming::Message(bytes)),
        Ok(soketto::Incoming::Pong(_)) => Ok(Incoming::Pong),
        Ok(soketto::Incoming::Closed(_)) | Err(SocketError::Closed) => return None,
        Err(SocketError::MessageTooLarge { .. }) => Ok(Incoming::TooLarge),
        Err(error) => Err(error),
    };
    Some((incoming, receiver))
}
