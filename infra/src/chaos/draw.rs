//! Random numbers that can be drawn again: each follows from the seed, the kind of decision and its ordinal alone, so
//! that decisions of one kind do not shift those of another.
//!
//! They are the SHA-256 of those three. No generator is in the tree otherwise; a digest has no state to lock, and it
//! gives the same numbers for ever, which the seeded generators of crates do not promise across their versions.

use sha2::{Digest as _, Sha256};

/// What is drawn for one decision: numbers that are evenly distributed from 0 to 1, without 1, and independent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Draw {
    /// Whether it happens.
    pub(super) chance: f64,
    /// When it happens.
    pub(super) moment: f64,
}

/// The draw for that decision.
pub(super) fn draw(seed: u64, kind: &str, ordinal: u64) -> Draw {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(ordinal.to_be_bytes())
        .chain_update(kind)
        .finalize();
    Draw {
        chance: fraction(&digest[..8]),
        moment: fraction(&digest[8..16]),
    }
}

/// The first 53 bits, which is as many as a fraction of this type has.
fn fraction(bytes: &[u8]) -> f64 {
    let number = bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_fraction_is_zero_and_the_largest_is_below_one() {
        assert!(fraction(&[0; 8]).abs() < f64::EPSILON);
        let largest = fraction(&[255; 8]);
        assert!(largest < 1.0 && largest > 1.0 - 1e-15);
    }

    /// A run that somebody noted down is to be repeatable with any later version.
    #[test]
    fn draws_never_change() {
        let Draw { chance, moment } = draw(7, "kill", 0);
        assert!((chance - 0.817_258_207_114_915_6).abs() < 1e-15, "{chance}");
        assert!((moment - 0.921_659_968_637_382_4).abs() < 1e-15, "{moment}");
    }

    #[test]
    fn the_seed_the_kind_and_the_ordinal_matter() {
        let all = [
            draw(7, "kill", 0),
            draw(8, "kill", 0),
            draw(7, "throttle", 0),
            draw(7, "kill", 1),
        ];
        for (index, draw) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(draw), "{all:?}");
        }
    }

    #[test]
    fn both_numbers_are_evenly_distributed() {
        const DRAWS: u64 = 20_000;
        for number in [|draw: Draw| draw.chance, |draw: Draw| draw.moment] {
            for tenth in 0..10 {
                let from = f64::from(tenth) / 10.0;
                let inside = |ordinal: &u64| (from..from + 0.1).contains(&number(draw(1, "kill", *ordinal)));
                let share = (0..DRAWS).filter(inside).count() as f64 / DRAWS as f64;
                // Five standard deviations.
                assert!((share - 0.1).abs() < 0.011, "{from}: {share}");
            }
        }
    }
}
