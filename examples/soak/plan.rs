//! The command line: `soak MINUTES [--seed N] [--only PART]`, and faults to plant.

use std::time::Duration;

/// Faults that can be planted, each named like the invariant that it breaks.
pub const PLANTS: [&str; 15] = [
    "conservation",
    "order",
    "answers",
    "trees",
    "timers",
    "bytes",
    "endings",
    "panics",
    "lives",
    "bodies",
    "registry",
    "descriptors",
    "threads",
    "memory",
    "progress",
];

/// What `soak --help` prints.
pub const HELP: &str = "\
Runs everything at once for a while, and checks that nothing is lost, left over or grows.

Usage: soak MINUTES [--seed N] [--only PART]

The seed is printed, and random unless it is given. A line follows each minute. The program exits with 0 if all
invariants held, else with 1, having named those that did not. PART is one of: channels answers clock endings
panics sizes sockets stalls trees lives.

GORO_SOAK_PLANT plants a fault, to see that it is found. One of:
  conservation order answers trees timers bytes endings panics lives
  bodies registry descriptors threads memory progress
";

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub length: Duration,
    pub seed: Option<u64>,
    /// The one part of the load that runs.
    pub only: Option<String>,
    pub plant: Option<String>,
}

impl Plan {
    /// # Errors
    /// What is wrong with it; nothing, where help was asked for.
    pub fn parse(
        args: impl IntoIterator<Item = String>,
        plant: Option<String>,
    ) -> Result<Self, Option<String>> {
        let (mut minutes, mut seed, mut only) = (None, None, None);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--help" | "-h" => return Err(None),
                "--seed" => {
                    let number = args.next().and_then(|number| number.parse().ok());
                    seed = Some(number.ok_or_else(|| Some("--seed takes a number".to_owned()))?);
                }
                "--only" => {
                    let part = args.next().ok_or_else(|| Some("--only takes a part".to_owned()))?;
                    only = Some(part);
                }
                _ => minutes = Some(arg),
            }
        }
        let minutes = minutes.as_deref().map_or(Ok(1.0), str::parse::<f64>).ok();
        let minutes = minutes.filter(|minutes| (0.05..=100_000.0).contains(minutes));
        let wrong = || Some("MINUTES is a number from 0.05 to 100000".to_owned());
        let length = Duration::from_secs_f64(minutes.ok_or_else(wrong)? * 60.0);
        let known = |plant: &String| PLANTS.contains(&plant.as_str());
        if let Some(unknown) = plant.as_ref().filter(|plant| !known(plant)) {
            return Err(Some(format!("GORO_SOAK_PLANT={unknown} is no fault that can be planted")));
        }
        Ok(Self { length, seed, only, plant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str, plant: Option<&str>) -> Result<Plan, Option<String>> {
        Plan::parse(args.split_whitespace().map(str::to_owned), plant.map(str::to_owned))
    }

    #[test]
    fn minutes_seed_and_plant_are_read() {
        let plan = parse("65 --seed 7", Some("bytes")).unwrap();
        assert_eq!((plan.length.as_secs(), plan.seed), (3900, Some(7)));
        assert_eq!(plan.plant.as_deref(), Some("bytes"));
        assert_eq!(parse("", None).unwrap().length.as_secs(), 60);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in ["0", "-3", "soon", "1 --seed", "1 --seed x", "inf"] {
            assert!(matches!(parse(wrong, None), Err(Some(_))), "{wrong}");
        }
        assert!(matches!(parse("1", Some("what")), Err(Some(_))));
        assert_eq!(parse("-h", None), Err(None));
        assert!(
            HELP.split_whitespace().filter(|word| PLANTS.contains(word)).count() >= PLANTS.len()
        );
    }
}
