mod synthetic;

use pushbench_core::Contender;

use self::synthetic::{Case, Extra, Told};
use super::*;

/// A bound of one second, each message, and a tenth that matters.
const WISHES: Wishes =
    Wishes { fresh: Duration::from_secs(1), delivery: Delivery::Every, margin: 0.1 };

fn costs(server_cpu_us: f64, wire_bytes: f64) -> Costs {
    Costs { server_cpu_us: Some(server_cpu_us), wire_bytes: Some(wire_bytes), ..Costs::default() }
}

fn round(fresh_ms: f64, costs: Costs) -> Option<Round> {
    Some(Round { fresh_p99_us: Some(Bounded::Exactly(fresh_ms * 1e3)), lost: 0, costs })
}

fn candidate(contender: Contender, rounds: Vec<Option<Round>>) -> Candidate {
    Candidate { contender, rounds, is_composed: false, check: None }
}

/// Six rounds with these server CPU times and 100 bytes each, fresh after 20 ms.
fn with_cpu(contender: Contender, cpu: [f64; 6]) -> Candidate {
    candidate(contender, cpu.map(|us| round(20.0, costs(us, 100.0))).to_vec())
}

#[test]
fn the_cheaper_one_is_taken_with_what_the_other_costs_more() {
    // A drift of the machine by half hides a difference of 30 % from all but the rounds.
    let drift = [1.0, 1.5, 1.2, 0.9, 1.4, 1.1];
    let sse = with_cpu(Contender::SSE, drift.map(|drift| 10.0 * drift));
    let websocket = with_cpu(Contender::WEBSOCKET, drift.map(|drift| 13.0 * drift));
    let advice = advise(&[websocket, sse], &WISHES);
    let Answer::Take { best: 1, next: Some((0, dearer)), alike } = advice.answer else {
        panic!("{advice:?}");
    };
    assert_eq!((dearer.by, alike), (Cost::ServerCpu, Vec::new()));
    assert!((dearer.part.middle - 0.3).abs() < 1e-9 && (dearer.part.low - 0.3).abs() < 1e-9);
}

#[test]
fn what_does_not_matter_to_the_user_makes_no_winner() {
    let (sse, websocket) =
        (with_cpu(Contender::SSE, [10.0; 6]), with_cpu(Contender::WEBSOCKET, [10.8; 6]));
    let both = [sse, websocket];
    let Answer::Any { among, are_alike: true, .. } = advise(&both, &WISHES).answer else {
        panic!("8 % are less than a tenth");
    };
    assert_eq!(among, [0, 1]);
    let keen = Wishes { margin: 0.05, ..WISHES };
    assert!(matches!(advise(&both, &keen).answer, Answer::Take { best: 0, .. }));
}

#[test]
fn bytes_decide_where_cpu_does_not_and_money_before_both() {
    let of = |contender, bytes, money| {
        let costs = Costs { money, ..costs(10.0, bytes) };
        candidate(contender, vec![round(20.0, costs); 6])
    };
    let unpriced = [of(Contender::SSE, 200.0, None), of(Contender::WEBSOCKET, 100.0, None)];
    let advice = advise(&unpriced, &WISHES);
    let Answer::Take { best: 1, next: Some((0, dearer)), alike } = advice.answer else {
        panic!("{advice:?}");
    };
    assert_eq!((dearer.by, alike), (Cost::WireBytes, vec![0, 1]));
    let priced = [of(Contender::SSE, 200.0, Some(1.0)), of(Contender::WEBSOCKET, 100.0, Some(2.0))];
    let advice = advise(&priced, &WISHES);
    assert!(matches!(advice.answer, Answer::Take { best: 0, .. }), "{advice:?}");
    assert_eq!(advice.order, [Cost::Money]);
}

#[test]
fn one_noisy_round_does_not_unmake_what_is_fresh_nor_make_what_is_not() {
    let fresh = |rounds: [f64; 6]| {
        let rounds = rounds.map(|ms| round(ms, costs(10.0, 100.0))).to_vec();
        advise(&[candidate(Contender::SSE, rounds)], &WISHES).out[0]
    };
    assert_eq!(fresh([20.0, 21.0, 5_000.0, 19.0, 20.0, 22.0]), None);
    assert_eq!(fresh([980.0; 6]), None);
    let (stale, rounds) = ([1_200.0, 1_190.0, 900.0, 1_210.0, 1_200.0, 1_220.0], 6);
    assert_eq!(fresh(stale), Some(Out::Stale { fresh: 1, rounds }));
    // Near the bound a round over it may be what the next ones are.
    let near = [980.0, 970.0, 1_010.0, 960.0, 990.0, 985.0];
    assert_eq!(fresh(near), Some(Out::FreshnessNotShown { fresh: 5, rounds }));
}

#[test]
fn a_bound_of_freshness_says_what_it_can() {
    let with = |fresh_p99_us| {
        let of_round = Round { fresh_p99_us, lost: 0, costs: costs(10.0, 100.0) };
        advise(&[candidate(Contender::SSE, vec![Some(of_round); 6])], &WISHES).out[0]
    };
    let (stale, not_shown) = (
        Some(Out::Stale { fresh: 0, rounds: 6 }),
        Some(Out::FreshnessNotShown { fresh: 0, rounds: 6 }),
    );
    assert_eq!(with(Some(Bounded::AtLeast(2e6))), stale);
    assert_eq!(with(Some(Bounded::AtLeast(2e5))), not_shown);
    assert_eq!(with(None), not_shown);
}

#[test]
fn who_loses_messages_or_has_no_valid_rounds_is_out_with_the_reason() {
    let good = with_cpu(Contender::SSE, [50.0; 6]);
    let mut lossy = with_cpu(Contender::WEBSOCKET, [10.0; 6]);
    lossy.rounds[3].as_mut().unwrap().lost = 2;
    let mut invalid = with_cpu(Contender::LONG_POLL, [10.0; 6]);
    invalid.rounds[0] = None;
    let advice = advise(&[good, lossy.clone(), invalid.clone()], &WISHES);
    assert!(matches!(advice.answer, Answer::Take { best: 0, next: None, .. }));
    let expected =
        [None, Some(Out::Lost { messages: 2 }), Some(Out::Invalid { valid: 5, rounds: 6 })];
    assert_eq!(advice.out, expected);
    assert_eq!(advise(&[lossy, invalid.clone()], &WISHES).answer, Answer::NoneMeets);
    assert_eq!(advise(&[invalid], &WISHES).answer, Answer::NotJudged);
    assert_eq!(advise(&[], &WISHES).answer, Answer::NotJudged);
}

/// Tallies of what was told of made up rounds whose truth is known.
#[derive(Debug, Default)]
struct Tally {
    cases: u32,
    right: u32,
    none: u32,
    wrong: u32,
}

impl Tally {
    fn add(&mut self, told: Told) {
        self.cases += 1;
        *(match told {
            Told::Right => &mut self.right,
            Told::NoDifference => &mut self.none,
            Told::Wrong => &mut self.wrong,
        }) += 1;
    }

    fn share(&self, part: u32) -> f64 {
        f64::from(part) / f64::from(self.cases)
    }
}

/// Each kind of case, by 600 seeds: two and four contenders, six and nine rounds, a cost that is what the
/// others have or that is better by one, two or four times the smallest difference that the rounds can
/// show; all, all but one that is not fresh, all but one that is invalid. The table is printed with
/// `--nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "the table is what a person asks for")]
fn what_is_told_of_made_up_rounds_is_true() {
    let mut all = Tally::default();
    for better in [0_u32, 1, 2, 4] {
        for contenders in [2, 4] {
            for extra in [Extra::None, Extra::Stale, Extra::Invalid] {
                let mut tally = Tally::default();
                for seed in 1..=600 {
                    let case = Case { seed, better, contenders, extra };
                    let (candidates, truth) = case.made_up();
                    let told = truth.told(&advise(&candidates, &WISHES).answer);
                    tally.add(told.unwrap_or_else(|| panic!("named one that is out: {case:?}")));
                    all.add(told.expect("as above"));
                }
                println!("better by {better}, {contenders} contenders, {extra:?}: {tally:?}");
                let is_choice = contenders > 2 || extra == Extra::None;
                if better == 0 && is_choice {
                    assert!(tally.share(tally.none) >= 0.93, "{tally:?}");
                }
                if better == 4 {
                    assert!(tally.share(tally.right) >= 0.95, "{contenders} {extra:?} {tally:?}");
                }
            }
        }
    }
    println!("all: {all:?}");
    assert!(all.share(all.wrong) <= 0.01, "{all:?}");
}
