//! From a request that was read to its answer.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Version};

use super::ending::Ending;
use super::primes;
use super::routes::{self, Action, Refusal};
use super::server::Site;
use super::traffic::{InHand, Traffic};

/// An answer; all of them are a line of text.
pub type Answer = Response<Full<Bytes>>;

/// Answers the requests of one connection.
#[derive(Debug)]
pub struct Desk {
    pub site: Arc<Site>,
    pub ending: Ending,
    pub traffic: Arc<Traffic>,
    pub client: SocketAddr,
}

impl Desk {
    /// Answers a request. The future always does; its `Result` is hyper's wish.
    pub fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Answer, Infallible>> + Send {
        // The body, if there is one, is dropped unread: no route wants any.
        let (request, _) = request.into_parts();
        // Made before the future is polled, which it never is if the client has gone by then.
        let in_hand = self.traffic.begin();
        let promise = Promise { request, desk: self, kept: false, _in_hand: in_hand };
        async move {
            let answer = promise.desk.work_out(&promise.request).await;
            Ok(promise.keep(answer))
        }
    }

    async fn work_out(&self, request: &Parts) -> Answer {
        let Parts { method, uri, .. } = request;
        match routes::route(method, uri.path(), uri.query()) {
            Ok(Action::Greet) => text(StatusCode::OK, "goro serves: /work?ms=N /compute?n=N\n"),
            Ok(Action::Work(duration)) => self.unless_cut_off(work(duration)).await,
            Ok(Action::Compute(limit)) => self.unless_cut_off(compute(limit)).await,
            Err(refusal) => refused(&refusal),
        }
    }

    /// Waits for the answer, but not beyond the moment after which the process could not send it.
    async fn unless_cut_off(&self, answer: impl Future<Output = Answer>) -> Answer {
        match select(pin!(answer), self.ending.cut_off()).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                let text = text(StatusCode::SERVICE_UNAVAILABLE, "the server is ending\n");
                with(text, RETRY_AFTER, "1")
            }
        }
    }
}

async fn work(duration: Duration) -> Answer {
    goro::time::sleep(duration).await;
    text(StatusCode::OK, format!("slept for {} ms\n", duration.as_millis()))
}

async fn compute(limit: u64) -> Answer {
    match goro::spawn_blocking(move || primes::count_below(limit)).await {
        Ok(count) => text(StatusCode::OK, format!("{count}\n")),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("not counted: {error}\n")),
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let answer = text(refusal.status(), format!("{refusal}\n"));
    match refusal {
        Refusal::WrongMethod => with(answer, ALLOW, routes::ALLOWED),
        Refusal::BadQuery(_) | Refusal::NoSuchPath => answer,
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    with(answer, CONTENT_TYPE, "text/plain; charset=utf-8")
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

/// A request that is owed an answer. Dropped before it is kept, the client has gone: hyper drops
/// what answers a request when its connection or stream ends.
struct Promise {
    request: Parts,
    desk: Arc<Desk>,
    kept: bool,
    _in_hand: InHand,
}

impl Promise {
    fn keep(mut self, mut answer: Answer) -> Answer {
        let Desk { site, traffic, .. } = &*self.desk;
        if self.request.version <= Version::HTTP_11 && traffic.is_last_answer() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        site.count_answer();
        self.kept = true;
        answer
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.kept {
            let Desk { site, traffic, client, .. } = &*self.desk;
            traffic.abandon();
            let Parts { method, uri, .. } = &self.request;
            site.log.line(format_args!("{client} is gone before the answer to {method} {uri}"));
        }
    }
}
