//! Roles that this program plays in a process of its own: the router, and who talks over it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, thread};

use pushbench_link::cross::CONGESTION;
use pushbench_link::process;
use pushbench_os::net::namespace::{enter, enter_user_namespace};
use pushbench_os::net::source::connect_from;
use pushbench_os::net::tcp_info::TcpInfo;

/// The variable that says which role this process has.
pub(crate) const ROLE: &str = "PUSHBENCH_LINK_TEST_ROLE";
/// That which says in which network.
pub(crate) const NETWORK: &str = "PUSHBENCH_LINK_TEST_NETWORK";

/// How long a socket waits, and a process lives, at most.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn wanted() -> Option<String> {
    std::env::var(ROLE).ok()
}

pub(crate) fn play(role: &str) -> ExitCode {
    let played = match role {
        "router" => router(),
        "refused" => refused(),
        "parent" => crate::rig::parent(),
        _ => talk(role),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{role}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn router() -> io::Result<()> {
    let orders = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // What went wrong is among its news.
    let _ = process::play(orders, io::stdout());
    Ok(())
}

/// In a user namespace that allows no more of them, asks for one more.
fn refused() -> io::Result<()> {
    if let Err(error) = enter_user_namespace() {
        return say(format!("skipped: {error}"));
    }
    fs::write("/proc/sys/user/max_user_namespaces", "0")?;
    say(enter_user_namespace().err().map(|error| error.to_string()).unwrap_or_default())
}

/// Enters a network, and says and hears there what `role` says.
fn talk(role: &str) -> io::Result<()> {
    let path = PathBuf::from(std::env::var_os(NETWORK).ok_or(io::ErrorKind::InvalidInput)?);
    enter(&path).map_err(io::Error::other)?;
    // Nobody waits for ever, even where a test fails.
    thread::spawn(|| {
        thread::sleep(PATIENCE);
        std::process::exit(99);
    });
    let parts: Vec<&str> = role.split(' ').collect();
    match parts[..] {
        ["echo", address] => echo(address),
        ["ping", source, target, count] => ping(source, target, number(count)?),
        ["source", address, bytes] => source(address, number(bytes)?),
        ["sink", source, target] => sink(source, target),
        ["pour", address] => pour(address),
        ["drink", source, target, seconds] => drink(source, target, number(seconds)?),
        ["burst", source, target, count] => burst(source, target, number(count)?),
        ["count", address, count] => count_to(address, number(count)?),
        ["idle", address] => idle(address),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Sends every datagram back.
fn echo(address: &str) -> io::Result<()> {
    let socket = datagrams(address)?;
    let mut buffer = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        socket.send_to(&buffer[..length], from)?;
    }
}

/// Sends `count` datagrams, each once the one before is back; says the shortest round trip in ms.
fn ping(source: &str, target: &str, count: u64) -> io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(ip(source)?, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(address(target)?)?;
    let mut shortest = Duration::MAX;
    for number in 0..count {
        let start = Instant::now();
        socket.send(&number.to_be_bytes())?;
        let mut back = [0; 16];
        let length = socket.recv(&mut back)?;
        shortest = shortest.min(start.elapsed());
        assert_eq!(&back[..length], number.to_be_bytes(), "another datagram came back");
    }
    say(format!("{}", shortest.as_secs_f64() * 1e3))
}

/// Sends so many bytes to the first who connects; says from where it did, and how many segments
/// were sent again.
fn source(address_: &str, bytes: u64) -> io::Result<()> {
    let listener = TcpListener::bind(address(address_)?)?;
    say("listens".to_owned())?;
    let (mut stream, from) = listener.accept()?;
    let mut left = bytes;
    let block = vec![7; 1 << 18];
    while left > 0 {
        let length = block.len().min(left as usize);
        stream.write_all(&block[..length])?;
        left -= length as u64;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    // The other end closes once it has all of it, so that nothing is under way any more.
    stream.read_to_end(&mut Vec::new())?;
    let info = TcpInfo::of(stream.as_fd())?;
    say(format!("{} {}", from.ip(), info.retransmits))
}

/// Reads to the end; says how many bytes came, how long connecting took in ms, and how many segments
/// were overtaken.
fn sink(source: &str, target: &str) -> io::Result<()> {
    let start = Instant::now();
    let mut stream = connection(source, target)?;
    let connected = start.elapsed();
    let mut count = 0;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            length => count += length,
        }
    }
    say(format!("{count} {} {}", connected.as_secs_f64() * 1e3, overtaken()?))
}

/// Segments that came to this network before one that was sent earlier (`TCPOFOQueue`,
/// Documentation/networking/snmp_counter.rst).
fn overtaken() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/self/net/netstat")?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut pairs = names.split(' ').zip(values.split(' '));
    let found = pairs.find(|(name, _)| *name == "TCPOFOQueue").ok_or(io::ErrorKind::NotFound)?;
    number(found.1)
}

/// Sends bytes to the first who connects, until that has enough.
fn pour(address_: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address(address_)?)?;
    say("listens".to_owned())?;
    let (mut stream, _) = listener.accept()?;
    // The machine's default may pause by itself, as BBR does each ten seconds to see the shortest delay.
    rustix::net::sockopt::set_tcp_congestion(&stream, CONGESTION)?;
    while stream.write_all(&[7; 1 << 16]).is_ok() {}
    Ok(())
}

/// Reads for so many seconds from the fourth on; says how many bytes came in a second.
fn drink(source: &str, target: &str, seconds: u64) -> io::Result<()> {
    let mut stream = connection(source, target)?;
    let mut read_until = |end: Instant| -> io::Result<u64> {
        let mut count = 0;
        let mut buffer = vec![0; 1 << 16];
        while Instant::now() < end {
            count += stream.read(&mut buffer)? as u64;
        }
        Ok(count)
    };
    let start = Instant::now() + Duration::from_secs(3);
    read_until(start)?;
    let begun = Instant::now();
    let count = read_until(start + Duration::from_secs(seconds))?;
    say(format!("{}", count as f64 / begun.elapsed().as_secs_f64()))
}

/// A connection that is open.
fn connection(source: &str, target: &str) -> io::Result<TcpStream> {
    let stream: TcpStream = connect_from(ip(source)?, address(target)?)?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    wait_for_connection(&stream)?;
    Ok(stream)
}

fn wait_for_connection(stream: &TcpStream) -> io::Result<()> {
    let mut fds = [rustix::event::PollFd::new(stream, rustix::event::PollFlags::OUT)];
    rustix::event::poll(&mut fds, None)?;
    stream.take_error()?.map_or(Ok(()), Err)
}

/// Sends so many datagrams as fast as it can.
fn burst(source: &str, target: &str, count: u64) -> io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(ip(source)?, 0))?;
    for number in 0..count {
        socket.send_to(&number.to_be_bytes(), address(target)?)?;
    }
    say("sent".to_owned())
}

/// Receives so many datagrams, and says so.
fn count_to(address: &str, count: u64) -> io::Result<()> {
    let socket = datagrams(address)?;
    for _ in 0..count {
        socket.recv(&mut [0; 2048])?;
    }
    say("all".to_owned())
}

/// Has a socket that nobody reads from.
fn idle(address: &str) -> io::Result<()> {
    let _socket = datagrams(address)?;
    wait()
}

/// Lives until its input ends.
fn wait() -> io::Result<()> {
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn datagrams(text: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address(text)?)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    say("listens".to_owned())?;
    Ok(socket)
}

pub(crate) fn say(line: String) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

fn address(text: &str) -> io::Result<SocketAddr> {
    text.parse().map_err(io::Error::other)
}

fn ip(text: &str) -> io::Result<IpAddr> {
    text.parse().map_err(io::Error::other)
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(io::Error::other)
}
