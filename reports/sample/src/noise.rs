//! Noise that is the same each time.

/// Noise that is the same each time: samples must give the same bytes.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(workload: &str, policy: &str, pair: u32) -> Self {
        let seed =
            workload.bytes().chain(policy.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(seed.wrapping_add(u64::from(pair)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between `1 - spread` and `1 + spread`.
    pub(crate) fn around_one(&mut self, spread: f64) -> f64 {
        1.0 + spread * (2.0 * self.uniform() - 1.0)
    }
}
