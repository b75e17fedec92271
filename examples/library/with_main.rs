//! A library that spawns, under `#[goro::main]`: `cargo run --release --example library`.

#[goro::main]
async fn main() -> Result<(), goro::task::JoinError> {
    let verses = ["row, row, row your boat", "gently down the stream"];
    let tally = tally::tally(verses.map(str::to_owned)).await?;
    for (word, count) in tally {
        println!("{count} {word}");
    }
    Ok(())
}
