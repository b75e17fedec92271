//! `serve`'s command line: help, mistakes, and ports that cannot be had.

use std::net::TcpListener;

use crate::program::{Ended, Program};

#[test]
fn help_names_every_flag_and_route() {
    let Ended { code, out, err } = Program::run("serve", &["--help"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for word in [
        "--addr",
        "--workers",
        "--header-timeout",
        "--drive",
        "--connections",
        "/work?ms=N",
        "/compute?n=N",
    ] {
        assert!(out.contains(word), "{word} is not in:\n{out}");
    }
}

#[test]
fn a_wrong_flag_ends_with_2_and_says_what_is_right() {
    for (args, words) in [
        (&["--nonsense"][..], "there is no option \"--nonsense\""),
        (&["--addr"], "--addr needs a value"),
        (&["--workers", "0"], "--workers wants a number from 1 to 1024"),
        (&["--drive", "soon"], "--drive wants seconds"),
    ] {
        let Ended { code, out, err } = Program::run("serve", args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(words) && err.lines().count() == 1, "{args:?}: {err}");
    }
}

#[test]
fn a_port_in_use_ends_with_1_and_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let Ended { code, out, err } = Program::run("serve", &["--addr", &addr]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains(&addr) && err.contains("--addr") && err.lines().count() == 1, "{err}");
}
