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
        let kinds: [(u64, Act); 8] = [
            (faults.crash, Self::arm_crash),
            (faults.all_crash, Self::crash_all),
            (faults.split, Self::partition),
            (faults.one_way, Self::cut_one_way),
            (faults.clog, Self::clog),
            (faults.clock, Self::clock),
            (faults.slow, Self::slow),
            (faults.stale, Self::stale),
        ];
        let total = kinds.iter().map(|(weight, _)| weight).sum::<u64>().max(1);
        let mut at = self.chance.faults.below(total);
        for (weight, act) in kinds {
            if at < weight {
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
        let wrong = |other: &&crate::node::Node| other.clock_ms != 0 && other.index != node;
        if self.nodes.iter().filter(wrong).count() + self.plan.liars.len()
            >= self.founding.faults_max()
            && self.nodes[node].clock_ms == 0
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
