//! Simulated runs: a machine with noise from run to run, and a drift that never comes back.

/// Metrics of a run, as many as are named in advance.
pub const METRICS: usize = 6;

/// The order in which the arms of a comparison run.
#[derive(Clone, Copy)]
pub enum Order {
    /// Rounds by twos: the first in an order by lot, the second that order backwards.
    ByTwos,
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

/// A comparison that is run.
#[derive(Clone, Copy)]
pub struct Plan {
    /// In which order.
    pub order: Order,
    /// Rounds.
    pub pairs: usize,
    /// What the test adds to the logarithm of its first metric.
    pub effect: f64,
    /// Whether the base runs once more in each round.
    pub noise: bool,
}

/// The logarithms of the metrics of a run, and its place in the order of all.
pub type Run = ([f64; METRICS], u32);

/// The runs of a comparison, arm by arm: base, test, and the base once more where that was asked.
pub struct Runs {
    /// By arm, then by round.
    pub arms: Vec<Vec<Run>>,
}

/// Place of the test among the arms.
const TEST: usize = 1;

impl Machine {
    /// Runs a comparison.
    pub fn compare(&self, plan: Plan, random: &mut Random) -> Runs {
        let arms = if plan.noise { 3 } else { 2 };
        let runs = self.runs(arms * plan.pairs, random);
        let mut order: Vec<usize> = Vec::new();
        let mut all: Vec<Vec<Run>> = vec![Vec::new(); arms];
        for round in 0..plan.pairs {
            if round % 2 == 0 {
                order = random.order(arms);
            } else {
                order.reverse();
            }
            for (at, &arm) in order.iter().enumerate() {
                let place = match plan.order {
                    Order::ByTwos => arms * round + at,
                    Order::Blocks => plan.pairs * arm + round,
                };
                let mut values = runs[place];
                values[0] += if arm == TEST { plan.effect } else { 0.0 };
                all[arm].push((values, place as u32));
            }
        }
        Runs { arms: all }
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

    /// The numbers below `count`, in an order by lot.
    fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<(u64, usize)> = (0..count).map(|one| (self.next(), one)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, one)| one).collect()
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
