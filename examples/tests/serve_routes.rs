//! `serve`'s routes and errors over HTTP/1.1, and what a connection can be used for.

use crate::http::Connection;
use crate::program::Program;

fn served(check: impl FnOnce(&mut Connection)) {
    let (program, addr) = Program::serve(&[]);
    check(&mut Connection::open(addr).unwrap());
    program.interrupt();
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn every_route_answers() {
    served(|connection| {
        for (target, body) in [
            ("/", "goro serves: /work?ms=N /compute?n=N\n"),
            ("/?ignored", "goro serves: /work?ms=N /compute?n=N\n"),
            ("/work?ms=0", "slept for 0 ms\n"),
            ("/work?ms=25", "slept for 25 ms\n"),
            ("/compute?n=0", "0\n"),
            ("/compute?n=1000", "168\n"),
            ("/compute?n=10000000", "664579\n"),
            ("http://elsewhere/compute?n=100", "25\n"),
        ] {
            let answer = connection.get(target).unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{target}");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
    });
}

#[test]
fn work_takes_as_long_as_it_was_told() {
    served(|connection| {
        let begun = std::time::Instant::now();
        assert_eq!(connection.get("/work?ms=120").unwrap().status, 200);
        assert!(begun.elapsed() >= std::time::Duration::from_millis(120));
    });
}

#[test]
fn bad_numbers_get_400_and_the_fix() {
    served(|connection| {
        for (target, problem) in [
            ("/work", "ms is missing"),
            ("/work?ms=", "ms is not a number"),
            ("/work?ms=1.5", "ms is not a number"),
            ("/work?ms=-1", "ms is not a number"),
            ("/work?ms=60001", "ms is too large: give ms=N once, N a number from 0 to 60000"),
            ("/work?ms=1&ms=2", "ms is there more than once"),
            ("/compute", "n is missing"),
            ("/compute?n=ten", "n is not a number"),
            ("/compute?n=10000001", "n is too large: give n=N once, N a number from 0 to 10000000"),
            ("/compute?n=99999999999999999999", "n is too large"),
        ] {
            let answer = connection.get(target).unwrap();
            assert_eq!(answer.status, 400, "{target}");
            assert!(answer.body.starts_with(problem), "{target}: {}", answer.body);
        }
    });
}

#[test]
fn unknown_paths_get_404_and_wrong_methods_405() {
    served(|connection| {
        for target in ["/nothing", "/compute/", "/%2e"] {
            let answer = connection.get(target).unwrap();
            assert_eq!(answer.status, 404, "{target}");
            assert!(answer.body.contains("/compute?n=N"), "{}", answer.body);
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
            connection.request(method, "/work?ms=1").unwrap();
            let answer = connection.answer().unwrap();
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
        }
    });
}

/// The body of a refused request is not taken for the next request.
#[test]
fn a_body_that_nobody_wants_is_skipped() {
    served(|connection| {
        let post = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        connection.send(post).unwrap();
        assert_eq!(connection.answer().unwrap().status, 405);
        assert_eq!(connection.get("/compute?n=10").unwrap().body, "4\n");
    });
}

#[test]
fn head_gets_the_head_of_the_answer_alone() {
    served(|connection| {
        connection.request("HEAD", "/compute?n=1000").unwrap();
        let answer = connection.head().unwrap();
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("4")));
        // Were there a body, it would stand where the next answer is expected.
        assert_eq!(connection.get("/work?ms=1").unwrap().body, "slept for 1 ms\n");
    });
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    served(|connection| {
        for n in 0..500 {
            let answer = connection.get("/").unwrap();
            assert!(answer.status == 200 && !answer.is_last(), "request {n}");
        }
    });
}

/// In order, whatever each of them takes.
#[test]
fn pipelined_requests_are_answered_in_order() {
    served(|connection| {
        let get = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
        let round = ["/work?ms=20", "/compute?n=1000", "/", "/nothing", "/work?ms=1"].map(get);
        connection.send(round.concat().repeat(20)).unwrap();
        for _ in 0..20 {
            assert_eq!(connection.answer().unwrap().body, "slept for 20 ms\n");
            assert_eq!(connection.answer().unwrap().body, "168\n");
            assert!(connection.answer().unwrap().body.starts_with("goro"));
            assert_eq!(connection.answer().unwrap().status, 404);
            assert_eq!(connection.answer().unwrap().body, "slept for 1 ms\n");
        }
    });
}

#[test]
fn a_request_in_pieces_is_one_request() {
    served(|connection| {
        for byte in b"GET /compute?n=100 HTTP/1.1\r\nhost: x\r\n\r\n" {
            connection.send([*byte]).unwrap();
        }
        assert_eq!(connection.answer().unwrap().body, "25\n");
    });
}

/// The first bytes decide the version; these begin like HTTP/2's preface and are none.
#[test]
fn methods_that_begin_like_the_other_version_are_http_1() {
    for method in ["POST", "PRO", "PRI", "P"] {
        served(|connection| {
            connection.send(format!("{method} / HTTP/1.1\r\nhost: x\r\n\r\n")).unwrap();
            assert_eq!(connection.answer().unwrap().status, 405, "{method}");
        });
    }
}

#[test]
fn the_client_may_ask_to_close_and_old_clients_are_closed() {
    for head in ["GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"]
    {
        served(|connection| {
            connection.send(head).unwrap();
            assert_eq!(connection.answer().unwrap().status, 200);
            assert_eq!(connection.rest().unwrap(), b"");
        });
    }
}

/// The answer arrives, and the client may go on to send what nobody reads: a server that just closed
/// would answer that with a reset, which makes a client give up before it has seen the answer.
#[test]
fn a_head_that_is_too_large_gets_431() {
    for bytes in [33 * 1024, 64 * 1024, 300 * 1024] {
        served(|connection| {
            let filler = "a".repeat(bytes);
            connection.send(format!("GET / HTTP/1.1\r\nhost: x\r\nx: {filler}")).unwrap();
            let answer = connection.answer().unwrap();
            assert!(answer.status == 431 && answer.is_last(), "{bytes}: {answer:?}");
            for _ in 0..5 {
                connection.send(&filler[..1024]).unwrap();
            }
            assert_eq!(connection.rest().unwrap(), b"");
        });
    }
}

#[test]
fn too_many_headers_get_431_and_a_large_head_is_fine() {
    served(|connection| {
        let filler = "a".repeat(24 * 1024);
        connection.send(format!("GET / HTTP/1.1\r\nhost: x\r\nx: {filler}\r\n\r\n")).unwrap();
        assert_eq!(connection.answer().unwrap().status, 200);
        let many: String = (0..1000).map(|n| format!("x{n}: 1\r\n")).collect();
        connection.send(format!("GET / HTTP/1.1\r\n{many}\r\n")).unwrap();
        assert_eq!(connection.answer().unwrap().status, 431);
    });
}
