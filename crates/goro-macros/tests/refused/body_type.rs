//! A type error in the body is reported in the body, as if the attribute were not there.

mod stub {
    pub mod __private {
        pub fn main<F: Future>(_workers: Option<usize>, _future: F) -> F::Output {
            unreachable!("this program does not compile")
        }
    }
}

#[goro_macros::main(crate = "crate::stub")]
async fn main() -> Result<(), String> {
    let count: usize = "three";
    drop(count);
    Ok(())
}
