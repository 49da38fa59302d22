use futures::FutureExt as _;
use tokio::io::{DuplexStream, duplex};

use super::*;

const MAX: usize = 1_000_000;
const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
const TEXT: u8 = 0x1;
const CONTINUE: u8 = 0x0;
const FIN: u8 = 0x80;

/// The header of a client's frame that claims so many bytes.
fn claim(first: u8, bytes: u64) -> Vec<u8> {
    let mut header = vec![first, 0x80 | 127];
    header.extend(bytes.to_be_bytes());
    header.extend(MASK);
    header
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = claim(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

/// A control frame has its length in one byte.
fn control(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

/// A reader of what was said, with as much as the stream holds at a time.
fn reader(said: Vec<u8>, held: usize) -> FrameReader<DuplexStream> {
    let (mut client, server) = duplex(held);
    tokio::spawn(async move { client.write_all(&said).await });
    FrameReader::new(server, MAX)
}

/// All that is read until it ends.
async fn heard(said: Vec<u8>, held: usize) -> (Vec<Incoming>, FrameError) {
    let mut reader = reader(said, held);
    let mut heard = Vec::new();
    loop {
        match reader.next().await {
            Ok(incoming) => heard.push(incoming),
            Err(error) => return (heard, error),
        }
    }
}

fn message(bytes: &[u8]) -> Incoming {
    Incoming::Message(bytes.to_vec())
}

#[tokio::test]
async fn messages_are_put_together_however_they_arrive() {
    let long: Vec<u8> = (0..=250_u8).cycle().take(MAX).collect();
    let said = [
        frame(FIN | TEXT, b"one"),
        frame(TEXT, b"t"),
        control(FIN | 0x9, b"there?"),
        frame(CONTINUE, b""),
        control(FIN | 0xa, b""),
        frame(FIN | CONTINUE, b"wo"),
        frame(FIN | 0x2, &long),
        control(FIN | 0x8, &1001_u16.to_be_bytes()),
    ]
    .concat();
    for held in [1, 7, 64 * 1024] {
        let (heard, end) = heard(said.clone(), held).await;
        let expected = [
            message(b"one"),
            Incoming::Ping(b"there?".to_vec()),
            Incoming::Pong,
            message(b"two"),
            message(&long),
            Incoming::Close(Some(1001)),
        ];
        assert_eq!(heard, expected);
        assert!(matches!(end, FrameError::Read(_)), "{end}");
    }
}

#[tokio::test]
async fn a_claim_makes_no_room() {
    let mut claimed = claim(FIN | TEXT, MAX as u64);
    claimed.extend([0; 100]);
    let (mut client, server) = duplex(1024);
    let mut reader = FrameReader::new(server, MAX);
    client.write_all(&claimed).await.unwrap();
    assert!(reader.next().now_or_never().is_none());
    let message = &reader.message;
    assert_eq!((message.claimed, message.bytes.len()), (MAX, 100));
    assert!(message.bytes.capacity() <= 200);
    assert!(reader.buffer.capacity() <= 2 * SOCKET_READ_BYTES);
}

#[tokio::test]
async fn what_is_too_large_is_passed_over() {
    let said = [
        frame(FIN | TEXT, &vec![b'x'; MAX + 1]),
        frame(FIN | TEXT, b"next"),
        frame(TEXT, &vec![b'x'; MAX]),
        frame(CONTINUE, b"y"),
        control(FIN | 0x9, b""),
        frame(FIN | CONTINUE, b"z"),
        frame(FIN | TEXT, b"last"),
    ]
    .concat();
    let (heard, _) = heard(said, 4096).await;
    let expected = [
        Incoming::TooLarge,
        message(b"next"),
        Incoming::Ping(Vec::new()),
        Incoming::TooLarge,
        message(b"last"),
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn what_breaks_the_rules_ends_it() {
    let unmasked = vec![FIN | TEXT, 1, b'x'];
    let beyond = SOCKET_SKIPPED_BYTES_MAX as u64 + 1;
    let mut in_parts = claim(TEXT, 1);
    in_parts.push(b'x');
    in_parts.extend(claim(FIN | CONTINUE, beyond - 1));
    for (said, status, words) in [
        (unmasked, 1002, "not masked"),
        (frame(FIN | CONTINUE, b"x"), 1002, "has not begun"),
        (
            [frame(TEXT, b"x"), frame(FIN | TEXT, b"y")].concat(),
            1002,
            "within another",
        ),
        (frame(FIN | 0x3, b""), 1002, "header"),
        (frame(FIN | 0x40 | TEXT, b""), 1002, "header"),
        (control(0x9, b""), 1002, "header"),
        (frame(FIN | 0x9, &[0; 126]), 1002, "header"),
        (claim(FIN | TEXT, beyond), 1009, "header"),
        (claim(FIN | TEXT, u64::MAX), 1009, "header"),
        (in_parts, 1009, "more than"),
        (vec![FIN | TEXT], 1001, "read a WebSocket"),
    ] {
        let (heard, end) = heard(said, 1024).await;
        assert_eq!((heard.len(), end.status()), (0, status), "{end}");
        assert!(end.to_string().contains(words), "{end}");
    }
}

#[tokio::test]
async fn what_is_sent_can_be_read() {
    let (client, server) = duplex(1024 * 1024);
    let mut writer = FrameWriter::new(server);
    let long = vec![b'x'; 70_000];
    writer.send(OpCode::Text, b"answer").await.unwrap();
    writer.send(OpCode::Text, &long).await.unwrap();
    writer.close(status::NORMAL).await.unwrap();
    let mut heard = Vec::new();
    let mut client = client;
    client.read_to_end(&mut heard).await.unwrap();
    let expected = [
        b"\x81\x06answer".to_vec(),
        [
            b"\x81\x7f".to_vec(),
            70_000_u64.to_be_bytes().to_vec(),
            long,
        ]
        .concat(),
        b"\x88\x02\x03\xe8".to_vec(),
    ];
    assert_eq!(heard, expected.concat());
}
