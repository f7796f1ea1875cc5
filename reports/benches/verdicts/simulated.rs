//! Simulated runs: a machine with noise from run to run, and a drift that never comes back.

/// Metrics of a run, as many as are named in advance.
pub const METRICS: usize = 6;

/// The order in which the arms of a comparison run.
#[derive(Clone, Copy)]
pub enum Order {
    /// Base and test back to back, which of them first drawn by lot for each pair.
    Shuffled,
    /// All of the base, then all of the test.
    Blocks,
}

/// How a machine scatters. Shares are of the value, so they add up as logarithms.
pub struct Machine {
    /// Standard deviation from run to run.
    pub noise: f64,
    /// Standard deviation of a step of the drift, a random walk of one step a run.
    pub drift: f64,
    /// Share of the variance of both that all metrics have in common.
    pub common: f64,
}

/// The runs of a comparison.
pub struct Runs {
    /// By pair, the logarithms of the metrics of the base's run.
    pub base: Vec<[f64; METRICS]>,
    /// Likewise of the test's.
    pub test: Vec<[f64; METRICS]>,
    /// Places of the base's runs in the order of all.
    pub base_positions: Vec<u32>,
    /// Places of the test's runs.
    pub test_positions: Vec<u32>,
}

impl Runs {
    /// By metric, ln(test / base) of each pair.
    pub fn effects(&self) -> [Vec<f64>; METRICS] {
        let pairs = || self.base.iter().zip(&self.test);
        std::array::from_fn(|metric| {
            pairs().map(|(base, test)| test[metric] - base[metric]).collect()
        })
    }
}

impl Machine {
    /// Runs a comparison in which the test adds `effect` to the logarithm of the first metric.
    pub fn compare(&self, order: Order, pairs: usize, effect: f64, random: &mut Random) -> Runs {
        let runs = self.runs(2 * pairs, random);
        let places = (0..pairs).map(|pair| match order {
            Order::Blocks => (pair, pairs + pair),
            Order::Shuffled if random.next().is_multiple_of(2) => (2 * pair, 2 * pair + 1),
            Order::Shuffled => (2 * pair + 1, 2 * pair),
        });
        let places: Vec<_> = places.collect();
        let changed = |&(_, test): &(usize, usize)| {
            let mut run: [f64; METRICS] = runs[test];
            run[0] += effect;
            run
        };
        Runs {
            base: places.iter().map(|&(base, _)| runs[base]).collect(),
            test: places.iter().map(changed).collect(),
            base_positions: places.iter().map(|&(base, _)| base as u32).collect(),
            test_positions: places.iter().map(|&(_, test)| test as u32).collect(),
        }
    }

    /// The logarithms of all metrics of so many runs, one after the other.
    fn runs(&self, count: usize, random: &mut Random) -> Vec<[f64; METRICS]> {
        let mut walk = [0.0; METRICS];
        let mut run = || {
            let (step, noise) = (self.scatter(random), self.scatter(random));
            for (walk, step) in walk.iter_mut().zip(step) {
                *walk += self.drift * step;
            }
            std::array::from_fn(|metric| walk[metric] + self.noise * noise[metric])
        };
        (0..count).map(|_| run()).collect()
    }

    /// A standard normal value for each metric, with the common part in all.
    fn scatter(&self, random: &mut Random) -> [f64; METRICS] {
        let common = random.normal();
        let own = (1.0 - self.common).sqrt();
        std::array::from_fn(|_| self.common.sqrt() * common + own * random.normal())
    }
}

/// Numbers by lot: SplitMix64 (Steele, Lea & Flood 2014).
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Above 0 and at most 1.
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// A standard normal value, by the method of Box & Muller (1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.share().ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.share()).cos()
    }
}
