//! A connection that takes no more requests while its client does not read the answers, and
//! that ends when nothing moves: the WebSocket loop above it bounds neither.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A byte stream with back-pressure and an idle limit.
pub(crate) struct PacedStream<S> {
    inner: S,
    idle: Pin<Box<Sleep>>,
    idle_max: Duration,
    write_blocked: bool,
    reader: Option<Waker>,
}

impl<S> PacedStream<S> {
    /// Fails with [`io::ErrorKind::TimedOut`] after `idle_max` without a byte in or out.
    pub(crate) fn new(inner: S, idle_max: Duration) -> Self {
        Self {
            inner,
            idle: Box::pin(tokio::time::sleep(idle_max)),
            idle_max,
            write_blocked: false,
            reader: None,
        }
    }

    fn touch(&mut self) {
        self.idle.as_mut().reset(Instant::now() + self.idle_max);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.idle.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if self.write_blocked {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.touch();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.write_blocked = result.is_pending();
        if !self.write_blocked {
            self.touch();
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

    const IDLE: Duration = Duration::from_secs(120);

    #[tokio::test(start_paused = true)]
    async fn does_not_read_while_its_client_does_not() {
        let (mut client, server) = duplex(4);
        let (mut reader, mut writer) = split(PacedStream::new(server, IDLE));
        client.write_all(b"ask").await.unwrap();
        let answer = tokio::spawn(async move { writer.write_all(b"an answer").await });
        tokio::task::yield_now().await;

        let mut request = [0; 3];
        let read = reader.read_exact(&mut request);
        let early = tokio::time::timeout(Duration::from_secs(1), read).await;
        assert!(early.is_err(), "read although the answer was stuck");

        let mut got = [0; 9];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"an answer");
        answer.await.unwrap().unwrap();
        reader.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"ask");
    }

    #[tokio::test(start_paused = true)]
    async fn ends_when_nothing_moves() {
        let (mut client, server) = duplex(4);
        let mut stream = PacedStream::new(server, IDLE);
        let mut byte = [0; 1];
        for _ in 0..3 {
            tokio::time::advance(IDLE - Duration::from_secs(1)).await;
            client.write_all(b"x").await.unwrap();
            stream.read_exact(&mut byte).await.unwrap();
        }
        let started = Instant::now();
        let error = stream.read_exact(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= IDLE);
    }
}
