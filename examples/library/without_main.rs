//! The same library without `#[goro::main]`: the program holds a runtime and calls it from plain
//! code. `cargo run --release --example library_without_main`.

use goro::runtime::Runtime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new()?;
    let verses = ["row, row, row your boat", "gently down the stream"];
    let tally = runtime.block_on(tally::tally(verses.map(str::to_owned)))?;
    for (word, count) in tally {
        println!("{count} {word}");
    }
    Ok(())
}
