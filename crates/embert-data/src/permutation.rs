//! NumPy's `default_rng(seed).permutation(n)`, bit for bit. `shuffle(seed)` of `datasets` uses the same order.
//!
//! `SeedSequence` expands the seed, PCG64 (XSL-RR 128/64) draws random bits, masked rejection bounds them, and a
//! Fisher–Yates shuffle starts from the end.

/// Returns the numbers `0..len` in the order of NumPy's `default_rng(seed).permutation(len)`.
///
/// # Panics
///
/// Panics if `len` is 2^32 or more. For such lengths, NumPy draws 64-bit numbers.
///
/// ```
/// assert_eq!(embert_data::permutation(42, 25_000)[..3], [19923, 18453, 12236]);
/// ```
pub fn permutation(seed: u64, len: usize) -> Vec<usize> {
    assert!(u32::try_from(len).is_ok(), "a permutation of {len} rows is not supported");
    let mut order: Vec<usize> = (0..len).collect();
    Generator::new(seed).shuffle(&mut order);
    order
}

/// PCG64, seeded as in NumPy: state' = state·M + inc (mod 2^128).
///
/// Source: `numpy/random/src/pcg64/pcg64.h`; M. E. O'Neill, "PCG", 2014.
pub(crate) struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of a 64-bit draw, kept for the next 32-bit draw.
    upper_half: Option<u32>,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let [a, b, c, d] = seed_sequence(seed);
        let join = |high: u64, low: u64| (u128::from(high) << 64) | u128::from(low);
        let mut generator = Self { state: 0, increment: (join(c, d) << 1) | 1, upper_half: None };
        generator.step();
        generator.state = generator.state.wrapping_add(join(a, b));
        generator.step();
        generator
    }

    /// Draws a uniform number in `0..=highest`: NumPy's `random_interval`, which its `shuffle` calls.
    ///
    /// Draws as many low bits as `highest` has, again and again until the number is not above it.
    pub(crate) fn up_to(&mut self, highest: u32) -> u32 {
        let mask = u32::MAX.checked_shr(highest.leading_zeros()).unwrap_or(0);
        loop {
            let draw = self.next_u32() & mask;
            if draw <= highest {
                return draw;
            }
        }
    }

    /// Returns a random element.
    ///
    /// # Panics
    ///
    /// Panics if `choices` is empty.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.up_to(choices.len() as u32 - 1) as usize]
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.up_to(last as u32) as usize);
        }
    }

    fn step(&mut self) {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.upper_half.take() {
            return half;
        }
        let draw = self.next_u64();
        self.upper_half = Some((draw >> 32) as u32);
        draw as u32
    }
}

/// Ports NumPy's `SeedSequence(seed).generate_state(4, np.uint64)`, which is M. E. O'Neill's `seed_seq_fe`.
fn seed_sequence(seed: u64) -> [u64; 4] {
    let pool = entropy_pool(seed);
    let mut constant: u32 = 0x8b51_f9dd;
    let mut words = [0u32; 8];
    for (word, entropy) in words.iter_mut().zip(pool.iter().cycle()) {
        let mut value = entropy ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        value = value.wrapping_mul(constant);
        *word = value ^ (value >> 16);
    }
    std::array::from_fn(|i| u64::from(words[2 * i]) | (u64::from(words[2 * i + 1]) << 32))
}

fn entropy_pool(seed: u64) -> [u32; 4] {
    let mut constant: u32 = 0x43b0_d7e5;
    let mut hash = |value: u32| {
        let mut value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        value = value.wrapping_mul(constant);
        value ^ (value >> 16)
    };
    // A seed below 2^32 is one word of entropy. Missing words are hashed as zeros.
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(&mut hash);
    for source in 0..pool.len() {
        for target in 0..pool.len() {
            if source != target {
                pool[target] = mix(pool[target], hash(pool[source]));
            }
        }
    }
    pool
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
    mixed ^ (mixed >> 16)
}
