//! Counting primes: the work that `/compute` gives to the blocking pool.
//!
//! A sieve of Eratosthenes over odd numbers, one segment of 32 KiB after the other, so that what it
//! touches stays in the first-level cache whatever the limit is.

/// Odd numbers in a segment; one byte each.
const SEGMENT: usize = 32 * 1024;

/// How many primes there are below `limit`.
pub fn count_below(limit: u64) -> u64 {
    if limit <= 2 {
        return 0;
    }
    // The odd number at index `i` is `2 * i + 1`; index 0 stands for 2, which is the only even one.
    let odds = usize::try_from(limit / 2).unwrap_or(usize::MAX);
    let mut sieving = small_primes(limit.isqrt());
    let mut is_prime = vec![true; SEGMENT.min(odds)];
    let mut count = 0;
    for start in (0..odds).step_by(SEGMENT) {
        let length = SEGMENT.min(odds - start);
        let segment = &mut is_prime[..length];
        segment.fill(true);
        for (prime, next) in &mut sieving {
            while *next < length {
                segment[*next] = false;
                *next += *prime;
            }
            // Where its next multiple stands in the segment that follows.
            *next -= length;
        }
        count += segment.iter().map(|&prime| u64::from(prime)).sum::<u64>();
    }
    count
}

/// The odd primes up to `limit`, each with the index of its square among the odd numbers.
fn small_primes(limit: u64) -> Vec<(usize, usize)> {
    let mut primes: Vec<(usize, usize)> = Vec::new();
    for candidate in (3..=usize::try_from(limit).unwrap_or(usize::MAX)).step_by(2) {
        let mut divisors = primes.iter().take_while(|(prime, _)| prime * prime <= candidate);
        if divisors.all(|(prime, _)| candidate % prime != 0) {
            primes.push((candidate, candidate * candidate / 2));
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::{SEGMENT, count_below};

    /// Each limit below `end`, with the number of primes below it, found by trial division.
    fn by_trial(end: u64) -> impl Iterator<Item = (u64, u64)> {
        (0..end).scan(0, |count, limit| {
            let below = *count;
            let is_prime = limit >= 2 && (2..=limit.isqrt()).all(|d| limit % d != 0);
            *count += u64::from(is_prime);
            Some((limit, below))
        })
    }

    #[test]
    fn small_limits_agree_with_trial_division() {
        for (limit, count) in by_trial(3000) {
            assert_eq!(count_below(limit), count, "below {limit}");
        }
    }

    #[test]
    fn limits_round_the_segments_edges_agree_with_trial_division() {
        let segment = 2 * SEGMENT as u64;
        let near_edge = |limit: u64| limit > 9 && (limit + 4) % segment < 8;
        let near_edges = by_trial(2 * segment + 4).filter(|(limit, _)| near_edge(*limit));
        let checked = near_edges.inspect(|&(limit, count)| {
            assert_eq!(count_below(limit), count, "below {limit}");
        });
        assert_eq!(checked.count(), 16);
    }

    #[test]
    fn powers_of_ten_have_their_known_counts() {
        let known = [(1_000, 168), (10_000, 1_229), (1_000_000, 78_498), (10_000_000, 664_579)];
        for (limit, count) in known {
            assert_eq!(count_below(limit), count, "below {limit}");
        }
    }
}
