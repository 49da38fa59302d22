//! Frames of a WebSocket (RFC 6455), put together to messages. What a header claims costs nothing:
//! room for a payload is made as it arrives.

use std::io;

use bytes::BytesMut;
use soketto::Parsing;
use soketto::base::{Codec, Error as HeaderError, Header, OpCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter};

use crate::limits::{SOCKET_READ_BYTES, SOCKET_SKIPPED_BYTES_MAX};

/// What came in: a message, or a sign of life.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Message(Vec<u8>),
    /// A message of more bytes than are taken; they were passed over.
    TooLarge,
    /// Its payload is to be sent back.
    Ping(Vec<u8>),
    Pong,
    /// The client's last word, with its status code if it gave one.
    Close(Option<u16>),
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("read a WebSocket")]
    Read(#[from] io::Error),
    #[error("read the header of a frame")]
    Header(#[from] HeaderError),
    #[error("a client's frame is not masked")]
    Unmasked,
    #[error("a message goes on that has not begun")]
    NotBegun,
    #[error("a message begins within another one")]
    NotEnded,
    #[error("a message has more than {SOCKET_SKIPPED_BYTES_MAX} bytes")]
    Endless,
}

impl FrameError {
    /// The status code that says so.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Read(_) => status::GONE,
            Self::Endless | Self::Header(HeaderError::PayloadTooLarge { .. }) => status::TOO_LARGE,
            Self::Header(_) | Self::Unmasked | Self::NotBegun | Self::NotEnded => status::PROTOCOL,
        }
    }
}

/// Status codes of RFC 6455 §7.4.1.
pub(crate) mod status {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GONE: u16 = 1001;
    pub(crate) const PROTOCOL: u16 = 1002;
    pub(crate) const TOO_LARGE: u16 = 1009;
}

/// The half of a connection on which a client speaks.
pub(crate) struct FrameReader<R> {
    reader: R,
    codec: Codec,
    /// What was read and belongs to no message yet.
    buffer: BytesMut,
    message_bytes_max: usize,
    message: Message,
}

/// A message as far as it has come.
#[derive(Default)]
struct Message {
    has_begun: bool,
    bytes: Vec<u8>,
    /// How many its frames have claimed so far.
    claimed: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(reader: R, message_bytes_max: usize) -> Self {
        let mut codec = Codec::new();
        codec.set_max_data_size(SOCKET_SKIPPED_BYTES_MAX);
        Self {
            reader,
            codec,
            buffer: BytesMut::new(),
            message_bytes_max,
            message: Message::default(),
        }
    }

    /// The next message or sign of life. What comes after [`Incoming::Close`] or an error means
    /// nothing.
    pub(crate) async fn next(&mut self) -> Result<Incoming, FrameError> {
        loop {
            let header = self.header().await?;
            if header.opcode().is_control() {
                return self.control(&header).await;
            }
            let is_first = header.opcode() != OpCode::Continue;
            match (is_first, self.message.has_begun) {
                (true, true) => return Err(FrameError::NotEnded),
                (false, false) => return Err(FrameError::NotBegun),
                (true, false) | (false, true) => self.message.has_begun = true,
            }
            self.payload(&header).await?;
            if header.is_fin() {
                let message = std::mem::take(&mut self.message);
                return Ok(if message.claimed > self.message_bytes_max {
                    Incoming::TooLarge
                } else {
                    Incoming::Message(message.bytes)
                });
            }
        }
    }

    async fn header(&mut self) -> Result<Header, FrameError> {
        loop {
            if let Parsing::Done { value, offset } = self.codec.decode_header(&self.buffer)? {
                let _read = self.buffer.split_to(offset);
                return if value.is_masked() {
                    Ok(value)
                } else {
                    Err(FrameError::Unmasked)
                };
            }
            self.fill().await?;
        }
    }

    /// Adds a frame's payload to its message, or passes over it if that has become too large.
    async fn payload(&mut self, header: &Header) -> Result<(), FrameError> {
        let mut missing = header.payload_len();
        self.message.claimed = self.message.claimed.saturating_add(missing);
        if self.message.claimed > SOCKET_SKIPPED_BYTES_MAX {
            return Err(FrameError::Endless);
        }
        let is_too_large = self.message.claimed > self.message_bytes_max;
        if is_too_large {
            self.message.bytes = Vec::new();
        }
        let start = self.message.bytes.len();
        while missing > 0 {
            if self.buffer.is_empty() {
                self.fill().await?;
            }
            let part = self.buffer.split_to(missing.min(self.buffer.len()));
            missing -= part.len();
            if !is_too_large {
                self.message.bytes.extend_from_slice(&part);
            }
        }
        Codec::apply_mask(header, &mut self.message.bytes[start..]);
        Ok(())
    }

    /// What a control frame says. The codec takes at most 125 bytes of payload.
    async fn control(&mut self, header: &Header) -> Result<Incoming, FrameError> {
        while self.buffer.len() < header.payload_len() {
            self.fill().await?;
        }
        let mut payload = self.buffer.split_to(header.payload_len()).to_vec();
        Codec::apply_mask(header, &mut payload);
        Ok(if header.opcode() == OpCode::Ping {
            Incoming::Ping(payload)
        } else if header.opcode() == OpCode::Pong {
            Incoming::Pong
        } else {
            let code = payload.first_chunk().map(|it| u16::from_be_bytes(*it));
            Incoming::Close(code)
        })
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(SOCKET_READ_BYTES);
        match self.reader.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The half of a connection on which a server speaks, in whole frames without a mask.
pub(crate) struct FrameWriter<W: AsyncWrite> {
    writer: BufWriter<W>,
    codec: Codec,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            writer: BufWriter::new(writer),
            codec: Codec::new(),
        }
    }

    pub(crate) async fn send(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut header = Header::new(opcode);
        header.set_payload_len(payload.len());
        let bytes = self.codec.encode_header(&header);
        self.writer.write_all(bytes).await?;
        self.writer.write_all(payload).await?;
        self.writer.flush().await
    }

    /// Says why, and that nothing more is said.
    pub(crate) async fn close(&mut self, code: u16) -> io::Result<()> {
        self.send(OpCode::Close, &code.to_be_bytes()).await?;
        self.writer.shutdown().await
    }
}

#[cfg(test)]
mod tests;
