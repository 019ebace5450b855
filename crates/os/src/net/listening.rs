//! Whether somebody listens for connections of TCP in a network, as /proc tells of a process in it
//! (proc_pid_net(5)).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// `TCP_LISTEN` of net/tcp_states.h.
const LISTENING: &str = "0A";

/// Whether the process `pid` has come to the network at `namespace`, and somebody listens there.
#[must_use]
pub fn listens_in(pid: u32, namespace: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let process = Path::new("/proc").join(pid.to_string());
    let (there, wanted) = (inode(&process.join("ns/net")), inode(namespace));
    there.is_some()
        && there == wanted
        && ["net/tcp", "net/tcp6"].into_iter().any(|table| {
            let text = fs::read_to_string(process.join(table));
            text.is_ok_and(|text| has_listener(&text))
        })
}

/// Whether a table of sockets has one that listens: its fourth column is the state.
fn has_listener(table: &str) -> bool {
    table.lines().skip(1).any(|line| line.split_whitespace().nth(3) == Some(LISTENING))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_this_network_is_seen() {
        let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = std::process::id();
        assert!(listens_in(own, Path::new("/proc/self/ns/net")));
        assert!(!listens_in(own, Path::new("/proc/self/ns/pid")), "that is no network of its");
        assert!(!listens_in(own, Path::new("/proc/self/ns/none")));
    }

    #[test]
    fn only_the_state_says_so() {
        let head = "  sl  local_address rem_address   st tx_queue\n";
        let line = |state| format!("{head}   0: 0100007F:0A0A 0100007F:0A0A {state} 00000000\n");
        assert!(has_listener(&line("0A")));
        assert!(!has_listener(&line("01")) && !has_listener(head) && !has_listener(""));
    }
}
