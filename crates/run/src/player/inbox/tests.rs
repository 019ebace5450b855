use std::ops::ControlFlow;
use std::sync::mpsc::{Sender, channel};

use super::*;

/// A minute that no test waits for.
const LONG: Duration = Duration::from_secs(60);

/// Whoever lets a run go on.
fn go_on(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// An inbox for `servers` and `loads` processes, and what they send to.
fn inbox<'a>(
    listener: &'a mut Listener<'a>,
    servers: usize,
    loads: usize,
) -> (Sender<Message>, Inbox<'a>) {
    let (sender, messages) = channel();
    let mut inbox = Inbox::new(messages, listener, servers);
    inbox.expect_loads(loads);
    (sender, inbox)
}

fn measured(clients: u32) -> Output<LoadNews> {
    let measured = LoadMeasured { connected_at_start: clients, ..LoadMeasured::default() };
    Output::News(LoadNews::Finished(Box::new(measured)))
}

fn ended() -> Output<LoadNews> {
    Output::Ended("the process ended".to_owned())
}

fn died<T>(result: Result<T, TrialError>) -> String {
    match result {
        Err(TrialError::Invalid(Invalid::LoadDied { error })) => error,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("nobody died"),
    }
}

#[test]
fn a_load_process_that_dies_in_mid_run_leaves_the_others_figures() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 1, 3);
    sender.send(Message::Load(1, ended())).unwrap();
    inbox.wait_until(clock::now() + Duration::from_millis(20)).unwrap();
    for (index, clients) in [(2, 30), (0, 10)] {
        sender.send(Message::Load(index, measured(clients))).unwrap();
        sender.send(Message::Load(index, ended())).unwrap();
    }
    let loads = inbox.finished(LONG).unwrap();
    let clients: Vec<u32> = loads.iter().map(|load| load.connected_at_start).collect();
    assert_eq!(clients, [10, 30]);
    let error = "process 2 of 3: the process ended".to_owned();
    assert_eq!(inbox.ended_early(), [Invalid::LoadDied { error }]);
}

/// As where this process is kept from running while the window ends.
#[test]
fn what_is_said_early_is_not_lost() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 1, 1);
    sender.send(Message::Load(0, measured(7))).unwrap();
    sender.send(Message::Load(0, ended())).unwrap();
    inbox.wait_until(clock::now()).unwrap();
    assert_eq!(inbox.finished(LONG).unwrap().len(), 1);
    assert_eq!(inbox.ended_early(), []);
}

#[test]
fn the_only_load_process_leaves_none() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 1, 1);
    sender.send(Message::Load(0, ended())).unwrap();
    let error = died(inbox.wait_until(clock::now() + LONG));
    assert_eq!(error, "the process ended");
}

#[test]
fn one_that_dies_while_connecting_ends_the_trial_at_once() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 1, 2);
    let connected = LoadNews::Connected { clients: 5, error: None, attempts: Attempts::default() };
    sender.send(Message::Load(0, Output::News(connected))).unwrap();
    sender.send(Message::Load(1, ended())).unwrap();
    assert_eq!(died(inbox.connected(LONG)), "process 2 of 2: the process ended");
}

#[test]
fn what_the_processes_say_is_put_together_in_any_order() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 2, 2);
    for index in [1_u16, 0] {
        let address = SocketAddr::from(([127, 0, 0, 1], 8000 + index));
        let news = ServerNews::Listening { address };
        sender.send(Message::Server(index.into(), Output::News(news))).unwrap();
    }
    let ports: Vec<u16> = inbox.server_addresses().unwrap().iter().map(SocketAddr::port).collect();
    assert_eq!(ports, [8000, 8001]);
    for (index, clients, error) in [(1, 7, Some("refused".to_owned())), (0, 5, None)] {
        let mut attempts = Attempts::default();
        attempts.out(503);
        let news = LoadNews::Connected { clients, error, attempts };
        sender.send(Message::Load(index, Output::News(news))).unwrap();
    }
    let Connected { clients, error, attempts } = inbox.connected(LONG).unwrap();
    assert_eq!((clients, error.as_deref()), (12, Some("refused")));
    assert_eq!(attempts.out[&503], 2);
}

#[test]
fn a_process_that_says_nothing_is_named() {
    let mut go_on = go_on;
    let (sender, mut inbox) = inbox(&mut go_on, 1, 2);
    sender.send(Message::Load(0, measured(4))).unwrap();
    assert_eq!(inbox.finished(Duration::ZERO).unwrap().len(), 1);
    let error = "process 2 of 2: it does not finish in time".to_owned();
    assert_eq!(inbox.ended_early(), [Invalid::LoadDied { error }]);
}
