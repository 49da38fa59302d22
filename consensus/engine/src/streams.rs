//! Proposed blocks from their parts (SPEC §6.2).
//!
//! Parts are unsigned: what binds them is the digest that the signed proposal carries. So
//! they are bounded per publisher, and only complete blocks go further.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tbsi_types::TimestampMs;

use crate::context::{Part, PartInit};
use crate::limits::{STREAM_BYTES_PER_PEER_MAX, STREAM_PARTS_MAX, STREAMS_PER_PEER_MAX};

/// One message of a stream.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The first part, or block bytes.
    Part(Part),
    /// Nothing follows.
    End,
}

/// All bytes of a proposed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// Peer id of whoever published it.
    pub publisher: String,
    /// What is proposed.
    pub init: PartInit,
    /// The block (SPEC §4.3).
    pub bytes: Vec<u8>,
    /// What the clock showed when the last of it came.
    pub received: TimestampMs,
}

/// Why a stream was dropped.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum StreamError {
    #[error("stream has more than {STREAM_PARTS_MAX} parts")]
    TooManyParts,
    #[error("stream has more than {STREAM_BYTES_PER_PEER_MAX} bytes")]
    TooManyBytes,
    #[error("stream does not start with its only first part")]
    NoInit,
    #[error("stream has {got} block bytes, its first part announced {announced}")]
    Length { announced: u32, got: usize },
}

#[derive(Debug, Default)]
struct Stream {
    parts: BTreeMap<u64, Part>,
    bytes: usize,
    end: Option<u64>,
}

/// Streams that are not complete yet, by publisher.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    streams: BTreeMap<String, VecDeque<(Bytes, Stream)>>,
}

impl Assembler {
    /// Adds a message. Returns the block when its last part arrives, in any order; an error
    /// drops the stream.
    pub(crate) fn insert(
        &mut self,
        publisher: &str,
        id: &Bytes,
        sequence: u64,
        piece: Piece,
        now: TimestampMs,
    ) -> Result<Option<Assembled>, StreamError> {
        let streams = self.streams.entry(publisher.to_string()).or_default();
        let index = match streams.iter().position(|(known, _)| known == id) {
            Some(index) => index,
            None => {
                if streams.len() == STREAMS_PER_PEER_MAX {
                    streams.pop_front();
                }
                streams.push_back((id.clone(), Stream::default()));
                streams.len() - 1
            }
        };
        let index = make_room(streams, index, piece.bytes());
        let stream = &mut streams[index].1;
        let outcome = stream.insert(sequence, piece);
        if outcome.is_ok() && !stream.is_complete() {
            return Ok(None);
        }
        let (_, stream) = streams.remove(index).expect("found above");
        outcome?;
        stream.assemble(publisher, now).map(Some)
    }

    /// Drops streams of heights up to and including `height`.
    pub(crate) fn forget_up_to(&mut self, height: tbsi_types::Height) {
        self.streams.retain(|_, streams| {
            streams.retain(|(_, stream)| match stream.parts.get(&0) {
                Some(Part::Init(init)) => init.height > height,
                Some(Part::Data(_)) | None => true,
            });
            !streams.is_empty()
        });
    }
}

/// Drops a publisher's oldest other streams until `bytes` more of this one fit; says where this
/// one is then. A stream that never ends must not keep out those that come after it.
fn make_room(streams: &mut VecDeque<(Bytes, Stream)>, mut index: usize, bytes: usize) -> usize {
    let mut held: usize = streams.iter().map(|(_, stream)| stream.bytes).sum();
    while held + bytes > STREAM_BYTES_PER_PEER_MAX && streams.len() > 1 {
        let oldest = usize::from(index == 0);
        let (_, dropped) = streams.remove(oldest).expect("there are two");
        held -= dropped.bytes;
        index -= usize::from(oldest < index);
    }
    index
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Self::Part(Part::Data(data)) => data.len(),
            Self::Part(Part::Init(_)) | Self::End => 0,
        }
    }
}

impl Stream {
    fn insert(&mut self, sequence: u64, piece: Piece) -> Result<(), StreamError> {
        if sequence >= STREAM_PARTS_MAX {
            return Err(StreamError::TooManyParts);
        }
        let bytes = piece.bytes();
        match piece {
            Piece::End => self.end = Some(sequence),
            Piece::Part(part) => {
                if self.bytes + bytes > STREAM_BYTES_PER_PEER_MAX {
                    return Err(StreamError::TooManyBytes);
                }
                if self.parts.insert(sequence, part).is_none() {
                    self.bytes += bytes;
                }
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.parts.len() as u64 == end)
    }

    fn assemble(self, publisher: &str, received: TimestampMs) -> Result<Assembled, StreamError> {
        let mut parts = self.parts.into_values();
        let Some(Part::Init(init)) = parts.next() else {
            return Err(StreamError::NoInit);
        };
        let mut bytes = Vec::with_capacity(self.bytes);
        for part in parts {
            match part {
                Part::Init(_) => return Err(StreamError::NoInit),
                Part::Data(data) => bytes.extend_from_slice(&data),
            }
        }
        if bytes.len() as u64 != u64::from(init.length) {
            return Err(StreamError::Length {
                announced: init.length,
                got: bytes.len(),
            });
        }
        Ok(Assembled {
            publisher: publisher.to_string(),
            init,
            bytes,
            received,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PART_BYTES;
    const NOW: TimestampMs = TimestampMs(7);

    use tbsi_types::{Address, B256, CheckpointDigest, Height, Round};

    fn init(height: u64, length: u32) -> Part {
        Part::Init(PartInit {
            height: Height(height),
            round: Round(0),
            polka_round: None,
            proposer: Address::ZERO,
            digest: CheckpointDigest(B256::ZERO),
            length,
        })
    }

    fn pieces() -> Vec<(u64, Piece)> {
        let data = |bytes: &'static [u8]| Piece::Part(Part::Data(Bytes::from_static(bytes)));
        vec![
            (0, Piece::Part(init(1, 5))),
            (1, data(b"abc")),
            (2, data(b"de")),
            (3, Piece::End),
        ]
    }

    #[test]
    fn assembles_in_any_order_once() {
        for rotation in 0..4 {
            let mut order = pieces();
            order.rotate_left(rotation);
            let mut assembler = Assembler::default();
            let id = Bytes::from_static(b"x");
            let mut complete = Vec::new();
            for (sequence, piece) in order {
                complete.extend(assembler.insert("p", &id, sequence, piece, NOW).unwrap());
            }
            assert_eq!(complete.len(), 1);
            assert_eq!(complete[0].bytes, b"abcde");
            assert_eq!(complete[0].received, NOW);
        }
    }

    #[test]
    fn drops_streams_that_lie_or_grow() {
        let id = Bytes::from_static(b"x");
        let mut assembler = Assembler::default();
        let mut insert = |sequence, piece| assembler.insert("p", &id, sequence, piece, NOW);
        insert(0, Piece::Part(init(1, 4))).unwrap();
        insert(1, Piece::Part(Part::Data(Bytes::from_static(b"abcde")))).unwrap();
        let length = Err(StreamError::Length {
            announced: 4,
            got: 5,
        });
        assert_eq!(insert(2, Piece::End), length);
        assert_eq!(insert(0, Piece::End), Err(StreamError::NoInit));
        let far = insert(STREAM_PARTS_MAX, Piece::End);
        assert_eq!(far, Err(StreamError::TooManyParts));
    }

    #[test]
    fn bounds_what_one_publisher_holds() {
        let mut assembler = Assembler::default();
        let chunk = || Piece::Part(Part::Data(Bytes::from(vec![0; PART_BYTES])));
        for stream in 0..100u8 {
            let id = Bytes::from(vec![stream]);
            for sequence in 1..STREAM_PARTS_MAX {
                let kept = assembler.insert("p", &id, sequence, chunk(), NOW);
                assert_eq!(kept, Ok(None));
            }
        }
        let held: usize = assembler.streams["p"]
            .iter()
            .map(|(_, stream)| stream.bytes)
            .sum();
        assert!(assembler.streams["p"].len() <= STREAMS_PER_PEER_MAX);
        assert!(held <= STREAM_BYTES_PER_PEER_MAX);
        // Streams that never end do not keep out one that does.
        let id = Bytes::from_static(b"whole");
        let mut whole = Ok(None);
        for (sequence, piece) in pieces() {
            whole = assembler.insert("p", &id, sequence, piece, NOW);
        }
        assert_eq!(whole.unwrap().unwrap().bytes, b"abcde");
    }

    #[test]
    fn forgets_decided_heights() {
        let mut assembler = Assembler::default();
        let id = Bytes::from_static(b"x");
        assembler
            .insert("p", &id, 0, Piece::Part(init(3, 5)), NOW)
            .unwrap();
        assembler.forget_up_to(Height(2));
        assert_eq!(assembler.streams.len(), 1);
        assembler.forget_up_to(Height(3));
        assert!(assembler.streams.is_empty());
    }
}
