//! The links between nodes.

use std::collections::BTreeSet;

use crate::clock::Moment;
use crate::plan::Weather;
use crate::rng::Rng;

/// When a message arrives, once or twice; never, if it is lost.
pub type Arrivals = [Option<Moment>; 2];

/// All links.
#[derive(Clone, Debug)]
pub struct Links {
    /// As it is now.
    pub weather: Weather,
    /// Directions that carry nothing.
    cut: BTreeSet<(usize, usize)>,
    /// Until when a node's messages wait.
    clogged: Vec<Moment>,
    /// When cut links are mended.
    mended: Moment,
}

impl Links {
    /// Between so many nodes.
    pub fn new(nodes: usize, weather: Weather) -> Self {
        Self {
            weather,
            cut: BTreeSet::new(),
            clogged: vec![Moment::default(); nodes],
            mended: Moment::default(),
        }
    }

    /// Cuts every direction between two groups, or only the one from the first to the second.
    pub fn split(&mut self, first: &[usize], second: &[usize], both: bool, until: Moment) {
        for from in first {
            for to in second {
                self.cut.insert((*from, *to));
                if both {
                    self.cut.insert((*to, *from));
                }
            }
        }
        self.mended = self.mended.max(until);
    }

    /// Mends what is due.
    pub fn mend(&mut self, now: Moment) {
        if self.mended <= now {
            self.cut.clear();
        }
    }

    /// Mends everything.
    pub fn heal(&mut self) {
        self.cut.clear();
        self.clogged.fill(Moment::default());
        self.weather = Weather::FAIR;
    }

    /// Lets a node's messages wait.
    pub fn clog(&mut self, node: usize, until: Moment) {
        self.clogged[node] = self.clogged[node].max(until);
    }

    /// When a message that is sent now arrives.
    pub fn carry(&self, rng: &mut Rng, from: usize, to: usize, now: Moment) -> Arrivals {
        let weather = &self.weather;
        let mut leaves = now.max(self.clogged[from]).max(self.clogged[to]);
        if self.cut.contains(&(from, to)) {
            if !weather.holds {
                return [None, None];
            }
            leaves = leaves.max(self.mended);
        }
        if rng.chance(weather.loss) {
            return [None, None];
        }
        let first = Some(arrival(rng, weather, leaves));
        let second = rng
            .chance(weather.twice)
            .then(|| arrival(rng, weather, leaves));
        [first, second]
    }
}

fn arrival(rng: &mut Rng, weather: &Weather, leaves: Moment) -> Moment {
    let mut ms = weather.latency_ms + rng.below(weather.jitter_ms + 1);
    if rng.chance(weather.late) {
        ms *= 10;
    }
    // Two messages rarely come at the same moment.
    Moment(leaves.after_ms(ms).0 + rng.below(1_000))
}
