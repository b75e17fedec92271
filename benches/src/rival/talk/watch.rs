//! A number that one changes and many look at: goro's, and tokio's, which runs anywhere.
use std::future::Future;

use goro::watch as goros;
use tokio::sync::watch as tokios;

/// A watch.
pub trait Watch: 'static {
    /// The side that changes the number.
    type Dial: Send + 'static;
    /// The side that looks at the number.
    type Eye: Clone + Send + 'static;

    /// One at 0.
    fn at_zero() -> (Self::Dial, Self::Eye);

    /// Sets the number.
    fn turn(dial: &Self::Dial, number: u64);

    /// Waits for another number.
    fn look(eye: &mut Self::Eye) -> impl Future<Output = u64> + Send;
}

macro_rules! watches {
    ($($name:ident of $home:ident, $about:literal;)*) => {$(
        #[doc = $about]
        pub struct $name;

        impl Watch for $name {
            type Dial = $home::Sender<u64>;
            type Eye = $home::Receiver<u64>;

            fn at_zero() -> (Self::Dial, Self::Eye) {
                $home::channel(0)
            }

            #[inline]
            fn turn(dial: &Self::Dial, number: u64) {
                dial.send(number).expect("somebody looks");
            }

            #[inline]
            async fn look(eye: &mut Self::Eye) -> u64 {
                eye.changed().await.expect("somebody turns");
                *eye.borrow_and_update()
            }
        }
    )*};
}

watches! {
    OfGoro of goros, "goro's.";
    OfTokio of tokios, "tokio's.";
}
