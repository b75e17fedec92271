//! Whether a thread is blocked reading standard input: then nothing that this process does will end
//! that, and whoever waits for the thread would wait for a key to be pressed.
//!
//! Told by what the kernel says the thread is in. Where it says nothing (other systems, other
//! processors, a /proc that is not there), the answer is no, and the thread is waited for.

/// Whether the thread with this id is inside a read of descriptor 0.
pub(crate) fn is_read_by(thread: u32) -> bool {
    let Some(read) = READ else { return false };
    let path = format!("/proc/self/task/{thread}/syscall");
    std::fs::read_to_string(path).is_ok_and(|line| is_such(&line, read))
}

/// The number of the system call, where it is known.
const READ: Option<u32> = if !cfg!(target_os = "linux") {
    None
} else if cfg!(target_arch = "x86_64") {
    Some(0)
} else if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
    Some(63)
} else {
    None
};

/// `NUMBER ARGUMENT..`, the arguments in hexadecimal; or `running`.
fn is_such(line: &str, read: u32) -> bool {
    let mut words = line.split_whitespace();
    words.next().and_then(|number| number.parse().ok()) == Some(read) && words.next() == Some("0x0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood() {
        assert!(is_such("0 0x0 0x5580 0x2000 0x0 0x0 0x0 0x7ffd 0x7f1e\n", 0));
        assert!(is_such("63 0x0 0x5580", 63));
        for other in
            ["running\n", "0 0x3 0x5580", "202 0x0 0x80", "", "0", "-1 0x7ffd 0x7f1e", "x 0x0"]
        {
            assert!(!is_such(other, 0), "{other}");
        }
    }

    #[test]
    fn no_such_thread_reads_nothing() {
        assert!(!is_read_by(u32::MAX));
    }
}
