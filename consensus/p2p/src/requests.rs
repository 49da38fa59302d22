//! Requests and responses: one message each way on a substream of its own, which ends with it. Neither is empty.

use std::io;

use async_trait::async_trait;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

use crate::config::Requests;

/// Reads at most the bytes that the protocol allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded(pub(crate) Requests);

#[async_trait]
impl Codec for Bounded {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, "request", self.0.request_bytes_max).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, "response", self.0.response_bytes_max).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&request).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&response).await
    }
}

async fn read<T>(io: &mut T, what: &str, bytes_max: usize) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut bytes = Vec::new();
    io.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .await?;
    // A peer that drops a request closes the substream without a byte.
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.len() > bytes_max {
        let problem = format!("{what} above {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}
