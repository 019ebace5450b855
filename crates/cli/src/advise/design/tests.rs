use clap::Parser as _;
use pushbench_run::place::Spread;

use super::*;
use crate::advise::polls::least_bound;
use crate::args::{Cli, Command};

/// The workload and the flags of a command line.
fn asked(line: &str) -> (Workload, AdviseArgs) {
    let words = ["pushbench", "advise"].into_iter().chain(line.split(' '));
    let Command::Advise(args) = Cli::parse_from(words).command else { panic!("another command") };
    (Workload::of(&args).unwrap(), *args)
}

fn designed(line: &str) -> (Design, Plan) {
    let (workload, args) = asked(line);
    let design = Design::of(&workload, Effort::quick(&workload));
    let plan = design.plan(&workload, &args, Layout::loopback(Spread::default()));
    (design, plan)
}

fn period_ms(line: &str) -> Option<u128> {
    longest_period(&asked(line).0).map(|period| period.as_millis())
}

/// A tenth of the bound and a round trip are left for all else, and of the rest two digits.
#[test]
fn polls_have_the_longest_period_that_is_fresh_enough() {
    let of =
        |fresh: &str| period_ms(&format!("-c 10 -R 1/s --payload 64B --delivery latest {fresh}"));
    assert_eq!(of("--fresh 1s"), Some(900));
    assert_eq!(of("--fresh 10s"), Some(9_000));
    // 27 s less 80 ms.
    assert_eq!(of("--fresh 30s --delay 40ms"), Some(26_000));
    assert_eq!(of("--fresh 5ms"), None);
    assert_eq!(of("--fresh 50ms --delay 40ms"), None);
}

/// Polls each 10 ms at the fastest, of which a bound leaves a tenth, and 80 ms of a link: 0.01 / 0.9 and
/// 0.09 / 0.9. Of 120 MB a second they bring more than an answer holds.
#[test]
fn the_least_bound_is_that_of_the_shortest_period_and_has_one() {
    let of = |more: &str| {
        let (workload, _) = asked(&format!("-c 10 --fresh 5ms {more}"));
        assert_eq!(longest_period(&workload), None);
        least_bound(&workload).map(|bound| bound.as_secs_f64() * 1e3)
    };
    let near = |bound: Option<f64>, ms: f64| bound.is_some_and(|it| (it - ms).abs() < 0.01);
    assert!(near(of("-R 1/s --payload 64B"), 100.0 / 9.0));
    assert!(near(of("-R 1/s --payload 64B --delay 40ms"), 100.0));
    assert_eq!(of("-R 10k/s --payload 12KB"), None);
}

/// An answer holds a megabyte: of 10 kB a second that is 90 s.
#[test]
fn polls_that_want_every_message_leave_no_more_than_an_answer_holds() {
    assert_eq!(period_ms("-c 10 -R 1/s --payload 10KiB --fresh 10m"), Some(87_000));
}

#[test]
fn a_fast_workload_is_measured_as_it_is() {
    let (design, plan) = designed("-c 1k -R 10/s --payload 64B --fresh 1s");
    assert!(design.contenders.iter().all(|it| it.pace == 1.0 && it.clients == 1_000));
    assert_eq!((plan.points.len(), plan.trials.len()), (1, 4 * 6));
    assert_eq!(plan.points[0].poll_interval, Span(Duration::from_millis(900)));
}

/// Each 20 s a message, polls each 26 s: what fits into a window of 2.5 s is that much faster, and
/// messages keep a half second apart, over a link of 80 ms.
#[test]
fn a_slow_workload_is_measured_at_a_faster_pace() {
    let line = "-c 5k -R 0.05/s --payload 1KiB --fresh 30s --delay 40ms --tls --delivery latest";
    let (design, plan) = designed(line);
    for it in &design.contenders {
        let point = &plan.points[it.point(&plan.points) as usize - 1];
        assert!(it.pace > 20.0, "{it:?}");
        assert!((point.rate_hz / (0.05 * it.pace) - 1.0).abs() < 1e-9, "{it:?}");
        assert!(point.rate_hz < 1.0 / 0.44, "messages are apart: {it:?}");
        assert!(it.contender.name().ends_with("+tls"));
        if let Some(period) = it.poll_interval {
            let fast = point.poll_interval.0.as_secs_f64();
            assert!((period.as_secs_f64() / fast / it.pace - 1.0).abs() < 1e-6, "{it:?}");
        }
    }
    let trials = plan.trials.iter().filter(|id| id.round == 6);
    assert_eq!(trials.count(), 4, "each contender once in a round");
    let seconds = plan.total_estimate().as_secs_f64();
    assert!(seconds < 120.0, "{seconds}");
}

/// Polls by themselves are so many times as fast with so many times fewer clients: the server has as
/// many in a second.
#[test]
fn the_server_has_as_much_to_do_with_polls_as_it_will_have() {
    let (design, _) = designed("-c 900 -R 20/s --payload 64B --fresh 10s --delivery latest");
    let polled = design.contenders.iter().find(|it| it.poll_interval.is_some()).unwrap();
    assert!(polled.pace >= 7.0, "{polled:?}");
    let each_s = f64::from(polled.clients) * polled.pace;
    assert!((each_s / 900.0 - 1.0).abs() < 0.05, "{polled:?}");
    let others = design.contenders.iter().filter(|it| it.poll_interval.is_none());
    assert!(others.clone().count() == 3 && others.clone().all(|it| it.pace == 1.0));
}

#[test]
fn quick_takes_less_than_two_minutes_whatever_is_asked() {
    for line in [
        "-c 1k -R 10/s --payload 64B --fresh 1s",
        "-c 1k -R 20/s --payload 64B --fresh 10s --delivery latest",
        "-c 1k -R 0.5/s --payload 64B --fresh 2s",
        "-c 1M -R 3/m --payload 1MiB --fresh 1h",
        "-c 1 -R 1k/s --payload 64B --fresh 50ms",
        "-c 5k -R 0.05/s --payload 1KiB --fresh 30s --delay 40ms --tls",
    ] {
        let (_, plan) = designed(line);
        let seconds = plan.total_estimate().as_secs_f64();
        assert!(seconds < 115.0, "{line}: {seconds}");
    }
}

/// Of 20 messages a second a poll each 9 s brings the newest, and one each 1.1 s too: as many are
/// published for as many clients as at the user's pace. Where it brings all 180 of them it is to bring
/// 180 of those that come eight times as fast, and they are published for all clients.
#[test]
fn what_it_takes_to_publish_is_shared_by_as_many_as_it_will_be() {
    let line = "-c 900 -R 20/s --payload 64B --fresh 10s --delivery";
    let polled = |delivery: &str| {
        let (design, _) = designed(&format!("{line} {delivery}"));
        design.contenders.into_iter().find(|it| it.poll_interval.is_some()).unwrap()
    };
    let (latest, every) = (polled("latest"), polled("every"));
    assert!((latest.rate.hz() - 20.0).abs() < 1e-9, "{latest:?}");
    assert!((every.rate.hz() / 20.0 / every.pace - 1.0).abs() < 1e-9, "{every:?}");
    assert!(every.pace >= 7.0 && every.clients > latest.clients, "{every:?} {latest:?}");
}
