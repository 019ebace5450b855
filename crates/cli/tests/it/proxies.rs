//! Proxies between clients and server: what passes them is delivered whole, what does not is a finding
//! with its remedy, and nothing is left of them. Of a proxy that is not installed the tests say so.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::contender::Security;
use pushbench_core::proxy::ProxyName;
use pushbench_run::program;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::{Serving, column, numbers, outcome, pushbench};

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the proxy of that name is installed; says so where it is not.
fn is_installed(name: &str) -> bool {
    let program = name.parse::<ProxyName>().unwrap().program(Security::Clear);
    let missing = program::missing(&program);
    if let Some(need) = missing {
        eprintln!("skipped: {name} is not installed; {}", need.hint);
    }
    missing.is_none()
}

/// A short run via `via` by `transports`: its exit status, record and words.
fn run(folder: &Path, via: &str, transports: &[&str]) -> (i32, Value, String) {
    let mut args = vec!["run", "--via", via, "-c", "5", "-R", "20/s", "-w", "200ms", "-d", "600ms"];
    args.extend(["--poll-interval", "200ms", "--runs", "1", "--json"]);
    transports.iter().for_each(|transport| args.extend(["-t", transport]));
    let (status, stdout, errors) = outcome(folder, &args);
    let record = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    (status, record, errors)
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn every_transport_passes_nginx_whole_and_its_cost_is_its_own() {
    if !is_installed("nginx") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let transports = ["short-poll", "long-poll", "sse", "websocket", "websocket+tls"];
    let (status, record, errors) = run(folder.path(), "nginx", &transports);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "valid"), ["true"; 5]);
    assert_eq!(column(folder.path(), "via"), ["nginx"; 5]);
    assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
    for name in ["proxy_cpu_us_per_msg", "server_cpu_us_per_msg", "delivered"] {
        assert!(numbers(folder.path(), name).iter().all(|value| *value > 0.0), "{name}");
    }
    // In clear behind the proxy, whatever is before it; a payload of 64 bytes and headers at least.
    let behind = numbers(folder.path(), "backend_wire_bytes_per_msg");
    assert!(behind.iter().all(|bytes| *bytes >= 64.0 + 40.0), "{behind:?}");
    // A message on a WebSocket is the same frame on both sides of it, in a packet and perhaps an acknowledgement.
    let before = numbers(folder.path(), "wire_bytes_per_msg")[3];
    assert!((0.6..1.6).contains(&(behind[3] / before)), "{before} before it, {behind:?} behind");
    for trial in record["trials"].as_array().unwrap() {
        assert_eq!(trial["resources"]["server_processes"], 1);
        let proxy = &trial["proxy"];
        assert_eq!(proxy["name"], "nginx");
        let version = proxy["version"].as_str().unwrap();
        let named = proxy["named"]["server"].as_str().unwrap();
        assert!(named.contains(version), "{named} {version}");
        assert_eq!(trial["warnings"].to_string().matches("\"proxy\"").count(), 0);
    }
}

#[test]
fn what_nginx_breaks_by_default_is_a_finding_with_the_lines_that_help() {
    if !is_installed("nginx") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (status, record, errors) = run(folder.path(), "nginx-default", &["sse", "websocket"]);
    // Each of them is told, so that it is no failure of the measurement.
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "transport"), ["sse", "websocket"]);
    assert_eq!(column(folder.path(), "valid"), ["true", "true"]);
    // In HTTP/1.0 events come whole, and one by one.
    assert_eq!(column(folder.path(), "delivered")[0], column(folder.path(), "expected")[0]);
    assert_eq!(column(folder.path(), "clients_connected")[1], "0");
    assert_eq!(column(folder.path(), "latency_p50_us")[1], "");
    let told = &column(folder.path(), "warnings")[1];
    assert!(told.contains("426 Upgrade Required"), "{told}");
    let told = fs::read_to_string(folder.path().join("results/latest/report.md")).unwrap();
    let told = told.replace('\\', "");
    for line in "nginx-default".parse::<ProxyName>().unwrap().missing_lines() {
        assert!(told.contains(line), "{line}: {told}");
    }
    let trials = record["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 2, "a finding is not repeated");
}

/// HAProxy tells the kernel that more will follow, which waits 200 ms for it, unless told otherwise.
#[test]
fn what_haproxy_holds_back_by_default_is_a_finding() {
    if !is_installed("haproxy") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told = |via| {
        let (status, _, errors) = run(folder.path(), via, &["sse"]);
        assert_eq!(status, 0, "{errors}");
        assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
        column(folder.path(), "warnings").remove(0)
    };
    let by_default = told("haproxy-default");
    // Of a machine that is too busy to tell, that is told in its place.
    let is_told =
        by_default.contains("haproxy-default (") && by_default.contains(" at a time, each ");
    assert!(is_told || by_default.contains("late"), "{by_default}");
    assert!(!told("haproxy").contains(" at a time, each "));
}

/// curl knows HTTP/1.0, and shares no code with us.
#[test]
fn curl_reads_events_in_http_1_0() {
    if program::find("curl").is_none() {
        return eprintln!("skipped: curl is not installed; apt install curl");
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--rate", "100/s"]);
    let mut curl = Command::new("curl");
    curl.args(["-isN", "--http1.0", "--max-time", "0.5"]).arg(format!("{}/feed/sse", server.url));
    let said = curl.output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.contains("x-accel-buffering: no") && !head.contains("chunked"), "{head}");
    let mut events = body.split("\n\n").collect::<Vec<_>>();
    // The last may have been cut.
    events.pop();
    assert!(events.len() > 2, "{body}");
    for event in events {
        assert!(event.starts_with("id: ") && event.contains("\ndata: "), "{event:?}");
    }
}

/// The ports that somebody listens on.
fn listeners() -> BTreeSet<String> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let listens = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next()?.to_owned();
        (fields.nth(1)? == "0A").then_some(local)
    };
    lines.filter_map(listens).collect()
}

/// The authorities that this system trusts, as far as programs add to them.
fn trusted() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in ["/usr/local/share/ca-certificates", "/etc/ssl/certs"] {
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let content = fs::read(file.path()).unwrap_or_default();
            files.push((file.path().display().to_string(), content));
        }
    }
    files.sort();
    files
}

#[test]
fn proxies_touch_nothing_but_their_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    for name in
        ["nginx", "haproxy", "apache", "caddy"].into_iter().filter(|name| is_installed(name))
    {
        let before = (listeners(), trusted());
        let args = ["run", "--via", name, "-t", "sse", "-t", "sse+tls", "-c", "2", "-R", "20/s"];
        let more = ["-w", "100ms", "-d", "200ms", "--runs", "1", "-q"];
        let mut command = pushbench(folder.path(), &[&args[..], &more[..]].concat());
        command.env("HOME", &home).env("XDG_DATA_HOME", &home).env("XDG_CONFIG_HOME", &home);
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"), "{name}");
        assert!(trusted() == before.1, "{name} changed whom this system trusts");
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "{name} wrote into the home folder");
        // What other tests listen on meanwhile goes as well.
        wait_until("its ports are free", || listeners().is_subset(&before.0));
    }
}

/// The processes that descend from `pid`.
fn descendants(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

#[test]
fn nothing_is_left_of_a_proxy_whose_run_was_killed() {
    if !is_installed("nginx") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut run = pushbench(folder.path(), &["run", "--via", "nginx", "-t", "sse", "-d", "60s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proxies = || descendants(run.id()).into_iter().filter(|pid| name(*pid) == "nginx");
    // Master and worker.
    wait_until("the proxy starts", || proxies().count() == 2);
    let all = descendants(run.id());
    kill_process(Pid::from_child(&run), Signal::KILL).unwrap();
    run.wait().unwrap();
    wait_until("all of it ends", || {
        !all.iter().any(|pid| Path::new(&format!("/proc/{pid}/exe")).exists())
    });
}

#[test]
fn a_proxy_that_ends_in_mid_run_is_named_and_its_trial_is_played_again() {
    if !is_installed("nginx") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let args = ["run", "--via", "nginx", "-t", "sse", "-c", "2", "-w", "0s", "-d", "1s"];
    let more = ["-R", "20/s", "--runs", "1", "--json"];
    let run = pushbench(folder.path(), &[&args[..], &more[..]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let of_the_load = || descendants(run.id()).into_iter().any(has_clients);
    wait_until("its clients connect", of_the_load);
    let master = descendants(run.id()).into_iter().find(|pid| name(*pid) == "nginx").unwrap();
    kill_process(Pid::from_raw(master.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let ended = run.wait_with_output().unwrap();
    let record: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let trials = record["trials"].as_array().unwrap();
    assert!(ended.status.success() && trials.len() == 2, "{record}");
    let told = trials[0]["invalid"].to_string();
    assert!(told.contains("program-failed") && told.contains("signal: 9"), "{told}");
    assert_eq!(trials[1]["invalid"].to_string(), "[]");
}

/// Whether a process is a worker of nginx that has the connections of two clients, and those behind.
fn has_clients(pid: u32) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    let sockets = targets.filter(|to| to.to_string_lossy().starts_with("socket:")).count();
    // Beside the one that it listens on and those to its master.
    name(pid) == "nginx" && sockets >= 6
}

#[test]
fn proxies_that_are_not_there_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (status, _, errors) = outcome(folder.path(), &["run", "--via", "squid"]);
    assert!(status == 2 && errors.contains("nginx, nginx-default, haproxy"), "{status} {errors}");
    // Caddy is not where administrators' programs are.
    let mut named = pushbench(folder.path(), &["run", "--via", "caddy", "--dry-run"]);
    let named = named.env("PATH", "/nowhere").output().unwrap();
    let told = String::from_utf8_lossy(&named.stderr);
    assert!(named.status.code() == Some(2) && told.contains("apt install caddy"), "{told}");
    let mut listed = pushbench(folder.path(), &["run", "proxies", "--dry-run"]);
    let listed = listed.env("PATH", "/nowhere").output().unwrap();
    let told = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success() && told.contains("left out: via caddy"), "{told}");
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("via caddy"));
}
