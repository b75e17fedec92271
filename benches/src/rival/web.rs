//! HTTP as each runtime's users serve it: hyper, with its traits over goro, tokio or smol.
use std::convert::Infallible;
use std::future::Future;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

use super::{Fixed, Goro, Rival, Smol, Tokio};

/// A rival that serves HTTP.
pub trait Web: Rival {
    /// Answers all requests of a connection.
    fn serve(stream: Self::Stream) -> impl Future<Output = ()> + Send + 'static;
}

async fn greet(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"Hello, World!"))))
}

macro_rules! serve {
    ($($rival:ty, $io:path;)*) => {$(
        impl Web for $rival {
            async fn serve(stream: Self::Stream) {
                // A client that goes is an error to hyper, and none here.
                let _ = http1::Builder::new().serve_connection($io(stream), service_fn(greet)).await;
            }
        }
    )*};
}

serve! {
    Goro, goro_hyper::GoroIo::new;
    Tokio, hyper_util::rt::TokioIo::new;
    Smol, smol_hyper::rt::FuturesIo::new;
    Fixed, smol_hyper::rt::FuturesIo::new;
}
