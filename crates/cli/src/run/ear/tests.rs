use std::sync::mpsc::{Sender, channel};

use pushbench_core::scenario::Scenario;

use super::*;
use crate::args::OutputArgs;
use crate::layout::Layout;
use crate::plan::Plan;

/// A minute that no test waits for.
const LONG: Duration = Duration::from_secs(60);

fn progress() -> Progress {
    let layout = Layout::own(&Default::default(), None);
    let output = OutputArgs {
        out: "results".into(),
        json: false,
        no_progress: true,
        quiet: true,
        verbose: false,
    };
    Progress::new(&Plan::of(Scenario::default(), None, layout), &output)
}

/// An ear for `servers` and `loads` processes, and what they speak into.
fn ear(progress: &Progress, servers: usize, loads: usize) -> (Sender<Note>, Ear<'_>) {
    let (sender, notes) = channel();
    let ear = Ear::new(notes, progress, servers);
    ear.expect_loads(loads);
    (sender, ear)
}

fn measured(clients: u32) -> Said<LoadNews> {
    let measured = LoadMeasured { connected_at_start: clients, ..LoadMeasured::default() };
    Said::News(LoadNews::Finished(Box::new(measured)))
}

fn ended() -> Said<LoadNews> {
    Said::Ended("the process ended".to_owned())
}

fn died<T>(result: Result<T, Trouble>) -> String {
    match result {
        Err(Trouble::Invalid(Invalid::LoadDied { error })) => error,
        Err(trouble) => panic!("{trouble:?}"),
        Ok(_) => panic!("nobody died"),
    }
}

#[test]
fn a_load_process_that_dies_in_mid_run_leaves_the_others_figures() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 1, 3);
    sender.send(Note::Load(1, ended())).unwrap();
    ear.wait_until(clock::now() + Duration::from_millis(20)).unwrap();
    for (index, clients) in [(2, 30), (0, 10)] {
        sender.send(Note::Load(index, measured(clients))).unwrap();
        sender.send(Note::Load(index, ended())).unwrap();
    }
    let loads = ear.finished(LONG).unwrap();
    let clients: Vec<u32> = loads.iter().map(|load| load.connected_at_start).collect();
    assert_eq!(clients, [10, 30]);
    let error = "process 2 of 3: the process ended".to_owned();
    assert_eq!(ear.fallen(), [Invalid::LoadDied { error }]);
}

/// As where this process is kept from running while the window ends.
#[test]
fn what_is_said_early_is_not_lost() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 1, 1);
    sender.send(Note::Load(0, measured(7))).unwrap();
    sender.send(Note::Load(0, ended())).unwrap();
    ear.wait_until(clock::now()).unwrap();
    assert_eq!(ear.finished(LONG).unwrap().len(), 1);
    assert_eq!(ear.fallen(), []);
}

#[test]
fn the_only_load_process_leaves_none() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 1, 1);
    sender.send(Note::Load(0, ended())).unwrap();
    let error = died(ear.wait_until(clock::now() + LONG));
    assert_eq!(error, "the process ended");
}

#[test]
fn one_that_dies_while_connecting_ends_the_trial_at_once() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 1, 2);
    let connected = LoadNews::Connected { clients: 5, error: None, attempts: Attempts::default() };
    sender.send(Note::Load(0, Said::News(connected))).unwrap();
    sender.send(Note::Load(1, ended())).unwrap();
    assert_eq!(died(ear.connected(LONG)), "process 2 of 2: the process ended");
}

#[test]
fn what_the_processes_say_is_put_together_in_any_order() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 2, 2);
    for index in [1_u16, 0] {
        let address = SocketAddr::from(([127, 0, 0, 1], 8000 + index));
        let news = ServerNews::Listening { address };
        sender.send(Note::Server(index.into(), Said::News(news))).unwrap();
    }
    let ports: Vec<u16> = ear.server_addresses().unwrap().iter().map(SocketAddr::port).collect();
    assert_eq!(ports, [8000, 8001]);
    for (index, clients, error) in [(1, 7, Some("refused".to_owned())), (0, 5, None)] {
        let mut attempts = Attempts::default();
        attempts.out(503);
        let news = LoadNews::Connected { clients, error, attempts };
        sender.send(Note::Load(index, Said::News(news))).unwrap();
    }
    let connected = ear.connected(LONG).unwrap();
    assert_eq!((connected.clients, connected.error.as_deref()), (12, Some("refused")));
    assert_eq!(connected.attempts.out[&503], 2);
}

#[test]
fn a_process_that_says_nothing_is_named() {
    let progress = progress();
    let (sender, ear) = ear(&progress, 1, 2);
    sender.send(Note::Load(0, measured(4))).unwrap();
    assert_eq!(ear.finished(Duration::ZERO).unwrap().len(), 1);
    let error = "process 2 of 2: it does not finish in time".to_owned();
    assert_eq!(ear.fallen(), [Invalid::LoadDied { error }]);
}
