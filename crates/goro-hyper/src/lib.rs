//! hyper's runtime traits over goro: HTTP/1 and HTTP/2, servers and clients, with no other runtime
//! in the process.
//!
//! | hyper asks for | goro gives |
//! |---|---|
//! | [`hyper::rt::Read`], [`hyper::rt::Write`] | [`GoroIo`], round any futures-io stream |
//! | [`hyper::rt::Timer`], [`hyper::rt::Sleep`] | [`GoroTimer`] |
//! | [`hyper::rt::Executor`] | [`GoroExecutor`] |
//!
//! ```
//! use std::convert::Infallible;
//!
//! use goro_hyper::{GoroIo, GoroTimer};
//! use goro_net::{TcpListener, TcpStream};
//! use http_body_util::{BodyExt, Empty};
//! use hyper::body::Bytes;
//! use hyper::service::service_fn;
//! use hyper::{Request, Response};
//!
//! let runtime = goro_runtime::Runtime::new()?;
//! runtime.block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     goro_runtime::spawn(async move {
//!         let (stream, _) = listener.accept().await.unwrap();
//!         let greet = service_fn(|_| async {
//!             Ok::<_, Infallible>(Response::new("hello".to_owned()))
//!         });
//!         let mut http = hyper::server::conn::http1::Builder::new();
//!         http.timer(GoroTimer).serve_connection(GoroIo::new(stream), greet).await
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let (mut sender, connection) =
//!         hyper::client::conn::http1::handshake(GoroIo::new(stream)).await?;
//!     goro_runtime::spawn(connection);
//!     let request = Request::get("/").body(Empty::<Bytes>::new())?;
//!     let answer = sender.send_request(request).await?;
//!     assert_eq!(answer.into_body().collect().await?.to_bytes(), "hello");
//!     Ok(())
//! })
//! # .map_err(|error: Box<dyn std::error::Error>| error.to_string()).unwrap();
//! # Ok::<(), goro_runtime::BuildError>(())
//! ```
//!
//! Invariants:
//! 1. No tokio runtime is started, entered or needed. (hyper compiles tokio for its channels.)
//! 2. Time is the host's: under a simulated clock hyper's timeouts run by that clock.
//! 3. A timer is reset in place: no allocation, and no lock when it moves later.
//!
//! Left out: connection pools and version detection, which are hyper-util's; TLS, which is a
//! futures-io stream and goes into [`GoroIo`] like a socket.
#![forbid(unsafe_code)]

mod executor;
mod io;
mod timer;

pub use executor::GoroExecutor;
pub use io::GoroIo;
pub use timer::GoroTimer;
