//! What goes wrong, from the seed.

use super::{Event, World};

/// What a fault does to the world.
type Act = fn(&mut World);

impl World {
    /// Something goes wrong, and the next thing is planned.
    pub(super) fn on_fault(&mut self) {
        if self.healed {
            return;
        }
        let every = self.plan.faults.every_ms;
        let wait = self.chance.faults.between(every / 4, every * 7 / 4);
        self.after_ms(wait, Event::Fault);
        let faults = self.plan.faults;
        let kinds: [(&'static str, u64, Act); 12] = [
            ("crash", faults.crash, Self::arm_crash),
            ("all crash", faults.all_crash, Self::crash_all),
            ("split", faults.split, Self::partition),
            ("one way", faults.one_way, Self::cut_one_way),
            ("clog", faults.clog, Self::clog),
            ("clock", faults.clock, Self::clock),
            ("slow", faults.slow, Self::slow),
            ("old copy", faults.stale, Self::stale),
            ("full disk", faults.full, Self::fill),
            ("no quorum", faults.no_quorum, Self::crash_quorum),
            ("power", faults.power, Self::lose_power),
            ("signers", faults.signers, Self::pause_signers),
        ];
        let total = kinds.iter().map(|(_, weight, _)| weight).sum::<u64>();
        let mut at = self.chance.faults.below(total.max(1));
        for (kind, weight, act) in kinds {
            if at < weight {
                *self.record.faults.entry(kind).or_default() += 1;
                act(self);
                return;
            }
            at -= weight;
        }
    }

    fn some_node(&mut self) -> usize {
        self.chance.faults.index(self.nodes.len())
    }

    /// A process will die at one of the next places where it can.
    fn arm_crash(&mut self) {
        let node = self.some_node();
        let places = u32::try_from(self.chance.faults.between(1, 60)).unwrap_or(1);
        self.nodes[node].side.get().crash_in = Some(places);
        let line = format_args!("{node} will die at place {places}");
        self.trace.add(self.now, line);
    }

    fn crash_all(&mut self) {
        for node in self.alive() {
            self.crash(node, None);
            let wait = self.chance.faults.between(20, 2_000);
            self.after_ms(wait, Event::Restart(node));
        }
    }

    /// As many die as leave no quorum, and stay down for a while.
    fn crash_quorum(&mut self) {
        let mut nodes = self.alive();
        self.chance.faults.shuffle(&mut nodes);
        let down = self.chance.faults.between(2_000, 9_000);
        let total = self.set.1.total_power().0;
        let mut left: u64 = nodes.iter().map(|node| self.power_of(*node)).sum();
        for node in nodes {
            if 3 * left <= 2 * total {
                return;
            }
            if self.power_of(node) > 0 {
                left -= self.power_of(node);
                self.crash(node, None);
                let wait = down + self.chance.faults.below(1_000);
                self.after_ms(wait, Event::Restart(node));
            }
        }
    }

    /// Honest nodes with more than a third of the power, as chance picks them.
    fn more_than_a_third(&mut self) -> Vec<usize> {
        let mut nodes = self.alive();
        nodes.retain(|node| self.is_honest(*node) && self.power_of(*node) > 0);
        self.chance.faults.shuffle(&mut nodes);
        let total = self.set.1.total_power().0;
        let mut power = 0;
        nodes.retain(|node| {
            let enough = 3 * power > total;
            power += self.power_of(*node);
            !enough
        });
        nodes
    }

    /// Each of them loses power as soon as it has signed something.
    fn lose_power(&mut self) {
        let nodes = self.more_than_a_third();
        for node in &nodes {
            self.nodes[*node].side.get().power = crate::side::Power::Fails;
        }
        let line = format_args!("{nodes:?} will lose power");
        self.trace.add(self.now, line);
    }

    /// Their signers leave the next questions unanswered.
    fn pause_signers(&mut self) {
        let nodes = self.more_than_a_third();
        let questions = u32::try_from(self.chance.faults.between(1, 4)).unwrap_or(1);
        for node in &nodes {
            self.nodes[*node].side.get().unanswered = questions;
        }
        let line = format_args!("the signers of {nodes:?} pause");
        self.trace.add(self.now, line);
    }

    /// A disk of a node takes nothing more.
    fn fill(&mut self) {
        let node = self.some_node();
        self.nodes[node].fill_disk(&mut self.chance.faults);
        let line = format_args!("a disk of {node} is full");
        self.trace.add(self.now, line);
    }

    /// Two groups, of which one may be a quorum.
    fn partition(&mut self) {
        let mut nodes: Vec<usize> = (0..self.nodes.len()).collect();
        self.chance.faults.shuffle(&mut nodes);
        let at = self.chance.faults.between(1, nodes.len() as u64 - 1);
        let (first, second) = nodes.split_at(usize::try_from(at).unwrap_or(1));
        let until = self.now.after_ms(self.chance.faults.between(500, 8_000));
        self.links.split(first, second, true, until);
        let line = format_args!("{first:?} and {second:?} hear nothing of each other");
        self.trace.add(self.now, line);
    }

    fn cut_one_way(&mut self) {
        let (from, to) = (self.some_node(), self.some_node());
        if from != to {
            let until = self.now.after_ms(self.chance.faults.between(500, 8_000));
            self.links.split(&[from], &[to], false, until);
            let line = format_args!("{to} hears nothing of {from}");
            self.trace.add(self.now, line);
        }
    }

    /// Several nodes, one after the other; each comes back by itself, in another order.
    fn clog(&mut self) {
        for _ in 0..self.chance.faults.between(1, 3) {
            let node = self.some_node();
            let until = self.now.after_ms(self.chance.faults.between(200, 5_000));
            self.links.clog(node, until);
            self.trace.add(self.now, format_args!("{node} is clogged"));
        }
    }

    /// A clock that is wrong by up to an hour, in either direction. At most as many are as
    /// validators may lie.
    fn clock(&mut self) {
        let node = self.some_node();
        let right = self.nodes[node].clock_ms == 0 && self.is_honest(node);
        let more = self.bad_power() + self.power_of(node);
        if right
            && 3 * more >= self.least_power()
            && self.plan.mutant != Some(crate::mutants::Mutant::AnyTime)
        {
            return;
        }
        let magnitude = [100, 1_000, 60_000, 3_600_000];
        let magnitude = *self.chance.faults.pick(&magnitude).unwrap_or(&0);
        let offset = i64::try_from(self.chance.faults.below(2 * magnitude)).unwrap_or(0)
            - i64::try_from(magnitude).unwrap_or(0);
        self.nodes[node].clock_ms = offset;
        let line = format_args!("the clock of {node} is wrong by {offset} ms");
        self.trace.add(self.now, line);
    }

    fn slow(&mut self) {
        let node = self.some_node();
        self.nodes[node].slow_ms = self.chance.faults.below(400);
        self.trace.add(self.now, format_args!("{node} is slow"));
    }

    /// A node dies. Its database is copied, or is replaced by the copy that was made before.
    fn stale(&mut self) {
        let node = self.some_node();
        if self.nodes[node].running.is_none() {
            return;
        }
        self.crash(node, None);
        if self.chance.faults.chance(500) {
            self.nodes[node].copy();
        } else {
            self.nodes[node].stale = true;
        }
        let wait = self.chance.faults.between(20, 3_000);
        self.after_ms(wait, Event::Restart(node));
    }
}
