//! A library that spawns, and has no opinion about the runtime: it neither starts one nor asks for
//! one. It runs on whatever runtime its caller is on.

use std::collections::BTreeMap;

use goro::task::JoinError;

/// How often each word occurs.
pub type Tally = BTreeMap<String, usize>;

/// Counts the words of all texts, one task for each text.
///
/// # Errors
/// [`JoinError`] if the runtime ends meanwhile.
///
/// # Panics
/// With no runtime entered; the message says what to do.
pub async fn tally(texts: impl IntoIterator<Item = String>) -> Result<Tally, JoinError> {
    let tasks: Vec<_> =
        texts.into_iter().map(|text| goro::spawn(async move { words(&text) })).collect();
    let mut total = Tally::new();
    for task in tasks {
        for (word, count) in task.await? {
            *total.entry(word).or_default() += count;
        }
    }
    Ok(total)
}

fn words(text: &str) -> Tally {
    let mut tally = Tally::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
    {
        *tally.entry(word.to_lowercase()).or_default() += 1;
    }
    tally
}
