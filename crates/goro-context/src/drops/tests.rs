use super::*;
use core::cell::RefCell;
use goro_shim::thread;
use std::rc::Rc;

/// Pitfall 42: a million values, each owning the next, on a stack that holds a few thousand.
#[test]
fn a_million_nested_values_drop_on_a_small_stack() {
    struct Link {
        next: Option<Box<Link>>,
        count: Rc<Cell<u32>>,
    }
    impl Drop for Link {
        fn drop(&mut self) {
            self.count.set(self.count.get() + 1);
            if let Some(next) = self.next.take() {
                defer_local(next);
            }
        }
    }
    let small = thread::start("small stack".into(), Some(512 * 1024), || {
        let count = Rc::new(Cell::new(0));
        let link =
            |next: Option<Box<Link>>, _| Some(Box::new(Link { next, count: Rc::clone(&count) }));
        drop((0..1_000_000).fold(None, link));
        count.get()
    });
    assert_eq!(small.unwrap().join().unwrap(), 1_000_000);
}

/// Writes its name when dropped, after deferring its children.
struct Node {
    name: &'static str,
    children: Vec<Node>,
    log: Rc<RefCell<Vec<&'static str>>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        for child in self.children.drain(..) {
            defer_local(Box::new(child));
        }
        self.log.borrow_mut().push(self.name);
        if self.name.starts_with("bad") {
            std::panic::resume_unwind(Box::new(()));
        }
    }
}

struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn new() -> Self {
        Self(Rc::default())
    }
    fn node(&self, name: &'static str, children: Vec<Node>) -> Node {
        Node { name, children, log: Rc::clone(&self.0) }
    }
    fn taken(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

#[test]
fn values_drop_in_the_order_of_their_deferral_and_before_the_outermost_call_returns() {
    let log = Log::new();
    let a = log.node("a", vec![log.node("a1", vec![log.node("a11", vec![])])]);
    let root = log.node("root", vec![a, log.node("b", vec![log.node("b1", vec![])])]);
    defer_local(Box::new(root));
    assert_eq!(log.taken(), ["root", "a", "b", "a1", "b1", "a11"]);
    assert!(!is_active());
}

#[test]
fn a_destructor_that_panics_takes_nobody_with_it() {
    let log = Log::new();
    let bad = log.node("bad", vec![log.node("child", vec![])]);
    let root = log.node("bad root", vec![bad, log.node("good", vec![])]);
    defer_local(Box::new(root));
    assert_eq!(log.taken(), ["bad root", "bad", "good", "child"]);
    assert!(!is_active());
}

#[test]
fn a_scope_puts_drops_off_to_its_end() {
    let log = Log::new();
    let answer = scope(|| {
        assert!(is_active());
        defer_local(Box::new(log.node("first", vec![])));
        scope(|| defer_local(Box::new(log.node("second", vec![]))));
        assert!(log.taken().is_empty());
        7
    });
    assert_eq!(answer, 7);
    assert_eq!(log.taken(), ["first", "second"]);
}

#[test]
fn a_panic_in_a_scope_goes_on_after_the_drops() {
    let log = Log::new();
    let unwound = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
        scope(|| {
            defer_local(Box::new(log.node("bad", vec![])));
            defer_local(Box::new(log.node("good", vec![])));
            std::panic::resume_unwind(Box::new(5));
        });
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&5));
    assert_eq!(log.taken(), ["bad", "good"]);
    assert!(!is_active());
}

#[test]
fn sent_values_are_dropped_too() {
    let shared = goro_shim::global::Arc::new(());
    defer(Box::new(goro_shim::global::Arc::clone(&shared)));
    scope(|| defer(Box::new(goro_shim::global::Arc::clone(&shared))));
    assert_eq!(goro_shim::global::Arc::strong_count(&shared), 1);
}

#[test]
fn no_memory_is_held_between_outermost_calls() {
    scope(|| (0..100).for_each(|n| defer(Box::new(n))));
    assert_eq!(QUEUE.with(|queue| queue.waiting.borrow().capacity()), 0);
}
