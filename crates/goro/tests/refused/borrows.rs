//! A task, and a job, may outlive whoever starts it: neither may borrow.

fn main() {
    let name = String::from("borrowed");
    drop(goro::spawn(async { println!("{name}") }));
    drop(goro::spawn_blocking(|| println!("{name}")));
}
