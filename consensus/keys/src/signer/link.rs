//! One authenticated, encrypted connection: Noise IK over frames of u16 length.

use std::io;

use snow::{Builder, HandshakeState, TransportState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::address::Stream;
use super::curve::Resolver;
use crate::limits::{SIGNER_FRAME_BYTES_MAX, SIGNER_HANDSHAKE_BYTES_MAX};

/// Bytes that encryption adds to a message.
const TAG_BYTES: usize = 16;
const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";

pub(super) struct Link {
    stream: Box<dyn Stream>,
    noise: TransportState,
}

impl Link {
    /// As the node: proves its key to the holder of `remote`, and only to that.
    pub(super) async fn initiate(
        mut stream: Box<dyn Stream>,
        secret: &[u8; 32],
        remote: &[u8; 32],
        prologue: &[u8],
    ) -> io::Result<Self> {
        let builder = builder().local_private_key(secret).prologue(prologue);
        let built = builder.remote_public_key(remote).build_initiator();
        let mut handshake = built.map_err(broken)?;
        write_handshake(&mut stream, &mut handshake).await?;
        read_handshake(&mut stream, &mut handshake).await?;
        let noise = handshake.into_transport_mode().map_err(broken)?;
        Ok(Self { stream, noise })
    }

    /// As the signer: nothing is sent to a node whose key `allowed` does not have. Returns
    /// the node's key.
    pub(super) async fn respond(
        mut stream: Box<dyn Stream>,
        secret: &[u8; 32],
        allowed: &[[u8; 32]],
        prologue: &[u8],
    ) -> io::Result<(Self, [u8; 32])> {
        let builder = builder().local_private_key(secret).prologue(prologue);
        let mut handshake = builder.build_responder().map_err(broken)?;
        read_handshake(&mut stream, &mut handshake).await?;
        let remote = handshake.get_remote_static();
        let remote = remote.and_then(|key| <[u8; 32]>::try_from(key).ok());
        let remote = remote.filter(|key| allowed.contains(key));
        let remote = remote.ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
        write_handshake(&mut stream, &mut handshake).await?;
        let noise = handshake.into_transport_mode().map_err(broken)?;
        Ok((Self { stream, noise }, remote))
    }

    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut frame = vec![0; (message.len() + TAG_BYTES).min(SIGNER_FRAME_BYTES_MAX)];
        let length = self.noise.write_message(message, &mut frame);
        write_frame(&mut self.stream, &frame[..length.map_err(broken)?]).await
    }

    pub(super) async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let frame = read_frame(&mut self.stream, SIGNER_FRAME_BYTES_MAX).await?;
        let mut message = vec![0; frame.len()];
        let length = self.noise.read_message(&frame, &mut message);
        message.truncate(length.map_err(broken)?);
        Ok(message)
    }
}

fn builder<'a>() -> Builder<'a> {
    let pattern = PATTERN.parse().expect("a pattern of Noise");
    Builder::with_resolver(pattern, Box::new(Resolver))
}

fn broken(error: snow::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

async fn write_handshake(
    stream: &mut Box<dyn Stream>,
    handshake: &mut HandshakeState,
) -> io::Result<()> {
    let mut frame = [0; SIGNER_HANDSHAKE_BYTES_MAX];
    let length = handshake.write_message(&[], &mut frame).map_err(broken)?;
    write_frame(stream, &frame[..length]).await
}

async fn read_handshake(
    stream: &mut Box<dyn Stream>,
    handshake: &mut HandshakeState,
) -> io::Result<()> {
    let frame = read_frame(stream, SIGNER_HANDSHAKE_BYTES_MAX).await?;
    let mut payload = [0; SIGNER_HANDSHAKE_BYTES_MAX];
    handshake
        .read_message(&frame, &mut payload)
        .map_err(broken)?;
    Ok(())
}

async fn write_frame(stream: &mut Box<dyn Stream>, frame: &[u8]) -> io::Result<()> {
    let length = u16::try_from(frame.len()).expect("frames are short");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn read_frame(stream: &mut Box<dyn Stream>, bytes_max: usize) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length > bytes_max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}
