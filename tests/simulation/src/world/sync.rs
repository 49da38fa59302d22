//! Value sync: whom to ask for which heights. This stands in for Malachite's sync actor; what a
//! node answers, and what it makes of an answer, is the product's code.

use bytes::Bytes;
use tbsi_engine::stepped::{Input, SyncFault, wire};
use tbsi_types::Height;

use super::{Event, World};
use crate::mutants::Mutant;
use crate::plan::Lie;

/// Heights of one request.
const HEIGHTS_MAX: u64 = 8;
const ANSWER_WITHIN_MS: u64 = 3_000;
const BARRED_MS: u64 = 20_000;
const TICK_MS: u64 = 1_000;

impl World {
    /// Once a second a node says where it is, repeats what waits, and asks for what it lacks.
    pub(super) fn on_tick(&mut self, index: usize, life: u32) {
        if !self.lives(index, life) {
            return;
        }
        self.after_ms(TICK_MS, Event::Tick { node: index, life });
        if let Some(tip) = self.nodes[index].tip() {
            self.tell_tip(index, tip);
        }
        self.announce(index);
        self.ask_for_blocks(index);
    }

    /// Tells everybody a node's tip, or what a liar says is its tip.
    pub(super) fn tell_tip(&mut self, index: usize, tip: Height) {
        self.record.note_tip(index, tip);
        let lies = self.lies(index, Lie::Tips);
        for to in 0..self.nodes.len() {
            if to == index {
                continue;
            }
            let height = match self.chance.lies.below(3) {
                0 if lies => Height(u64::MAX),
                1 if lies => Height(tip.0 + self.chance.lies.below(1_000)),
                _ => tip,
            };
            let event = Event::Tip {
                from: index,
                to,
                height,
            };
            self.carry(index, to, event);
        }
    }

    pub(super) fn on_tip(&mut self, from: usize, to: usize, height: Height) {
        if !self.connected(from, to) {
            return;
        }
        let believed = self.nodes[to].side.has(Mutant::TipsBelieved);
        let node = &mut self.nodes[to];
        node.sync.tips.insert(from, height);
        let highest = node.sync.tips.values().max().copied();
        let peers = &self.founding.peers;
        let claims = node.sync.tips.iter();
        let claims = claims.map(|(peer, tip)| (peers[*peer].as_str(), *tip));
        let running = node.running.as_ref().expect("connected nodes run");
        let tip = match believed {
            true => highest,
            false => running.node.roster().believed_tip(claims),
        };
        let above = node.tip().is_some_and(|own| tip > Some(own));
        node.side.get().peers_tip = tip.unwrap_or_default();
        if above {
            self.step(to, Input::Wake);
        }
        self.ask_for_blocks(to);
    }

    /// After the work of this moment, which may still change timers.
    pub(super) fn feed_soon(&mut self, index: usize) {
        let life = self.nodes[index].life;
        self.at(self.now, Event::Feed { node: index, life });
    }

    pub(super) fn ask_for_blocks(&mut self, index: usize) {
        let node = &self.nodes[index];
        let Some(tip) = node.tip() else {
            return;
        };
        if node.sync.waiting.is_some() || node.side.has(Mutant::NeverSyncs) {
            return;
        }
        let next = tip.next();
        if node.sync.blocks.contains_key(&next) {
            self.feed_synced(index, next);
            return;
        }
        let now = self.now;
        let free = |peer: &usize| node.sync.barred.get(peer).is_none_or(|until| *until <= now);
        let ahead = node.sync.tips.iter().filter(|(_, height)| **height >= next);
        let peers: Vec<usize> = ahead.map(|(peer, _)| *peer).filter(free).collect();
        let liar = peers.iter().find(|peer| !self.is_honest(**peer)).copied();
        let liar = liar.filter(|_| self.nodes[index].side.has(Mutant::AsksTheLiar));
        let Some(peer) = liar.or_else(|| self.chance.sync.pick(&peers).copied()) else {
            return;
        };
        self.next += 1;
        let id = self.next;
        let node = &mut self.nodes[index];
        node.sync.waiting = Some((id, peer));
        let life = node.life;
        let bytes = wire::request(next..=Height(next.0 + HEIGHTS_MAX - 1));
        let event = Event::Request {
            from: index,
            to: peer,
            id,
            bytes,
        };
        self.carry(index, peer, event);
        let event = Event::NoAnswer {
            node: index,
            life,
            id,
        };
        self.after_ms(ANSWER_WITHIN_MS, event);
    }

    pub(super) fn on_no_answer(&mut self, index: usize, life: u32, id: u64) {
        let waiting = self.nodes[index].sync.waiting;
        if let Some((waiting, peer)) = waiting
            && waiting == id
            && self.lives(index, life)
        {
            self.nodes[index].sync.waiting = None;
            self.bar(index, peer);
            self.ask_for_blocks(index);
        }
    }

    fn bar(&mut self, index: usize, peer: usize) {
        let until = self.now.after_ms(BARRED_MS);
        let node = &mut self.nodes[index];
        if !node.side.has(Mutant::AsksTheLiar) {
            node.sync.barred.insert(peer, until);
        }
    }

    pub(super) fn on_request(&mut self, from: usize, to: usize, id: u64, bytes: &[u8]) {
        if !self.connected(from, to) {
            return;
        }
        let Some(running) = self.nodes[to].running.as_mut() else {
            return;
        };
        let answer = match running.consensus.serve(bytes) {
            Ok(Some(answer)) => answer,
            Ok(None) => return,
            Err(stop) => return self.stop(to, &stop, None),
        };
        let answer = if self.lies(to, Lie::Blocks) {
            match self.wrong_answer(&answer) {
                Some(answer) => answer,
                None => return,
            }
        } else {
            answer
        };
        let event = Event::Response {
            from: to,
            to: from,
            id,
            bytes: answer,
        };
        self.carry(to, from, event);
    }

    /// Bytes of another block, certificates of other heights, half of it, or nothing.
    fn wrong_answer(&mut self, answer: &Bytes) -> Option<Bytes> {
        let mut blocks = wire::read_response(answer)?;
        let start = blocks.first()?.0.height;
        match self.chance.lies.below(4) {
            0 => return None,
            1 => return Some(answer.slice(..answer.len() / 2)),
            2 if blocks.len() > 1 => {
                let mut certificates: Vec<_> = blocks.iter().map(|(one, _)| one.clone()).collect();
                certificates.rotate_left(1);
                for (certificate, (own, _)) in certificates.into_iter().zip(&mut blocks) {
                    *own = certificate;
                }
            }
            _ => {
                for (_, block) in &mut blocks {
                    let mut bytes = block.to_vec();
                    let at = self.chance.lies.index(bytes.len());
                    bytes[at] ^= 1;
                    *block = bytes.into();
                }
            }
        }
        let blocks = blocks
            .into_iter()
            .map(|(certificate, block)| (certificate, block.to_vec()));
        Some(wire::response(start, blocks.collect()))
    }

    pub(super) fn on_response(&mut self, from: usize, to: usize, id: u64, bytes: &[u8]) {
        let connected = self.connected(from, to);
        let node = &mut self.nodes[to];
        if !connected || node.sync.waiting != Some((id, from)) {
            return;
        }
        node.sync.waiting = None;
        let Some(blocks) = wire::read_response(bytes).filter(|blocks| !blocks.is_empty()) else {
            self.bar(to, from);
            return self.ask_for_blocks(to);
        };
        for (certificate, block) in blocks {
            let height = certificate.height;
            let entry = (from, certificate, block);
            self.nodes[to].sync.blocks.insert(height, entry);
        }
        if let Some(tip) = self.nodes[to].tip() {
            self.feed_synced(to, tip.next());
        }
    }

    /// Gives a node the block that it has got for a height that starts.
    fn feed_synced(&mut self, index: usize, height: Height) {
        let node = &mut self.nodes[index];
        node.sync.blocks = node.sync.blocks.split_off(&height);
        let Some((from, certificate, block)) = node.sync.blocks.remove(&height) else {
            return;
        };
        let peer = self.founding.peers[from].clone();
        let input = Input::Synced {
            peer,
            certificate,
            block,
        };
        self.step(index, input);
    }

    pub(super) fn on_refused(
        &mut self,
        index: usize,
        peer: &str,
        height: Height,
        fault: SyncFault,
    ) {
        let Some(peer) = self.founding.node_of_peer(peer) else {
            return;
        };
        let line = format_args!("{index} refuses block {height} of {peer}: {fault:?}");
        self.trace.add(self.now, line);
        if fault == SyncFault::Peer {
            let blocks = &mut self.nodes[index].sync.blocks;
            blocks.retain(|_, (from, ..)| *from != peer);
            self.bar(index, peer);
            self.feed_soon(index);
        }
    }
}
