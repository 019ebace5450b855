mod simulated;

use pushbench_core::random;

use super::*;

const BOUNDS: Bounds = Bounds { least: 1, most: 1_000_000, within: 0.1 };

/// The end of a search, and its trials.
fn searched(mut trial: impl FnMut(u64) -> Outcome) -> (Found, u32) {
    let mut search = Search::new(BOUNDS);
    while let Some(load) = search.next() {
        search.take(trial(load));
    }
    (search.found().cloned().expect("a search ends"), search.trials)
}

fn missed(place: Place) -> Outcome {
    Outcome::Missed { limit: Limit::new(place, ""), took: None }
}

const CLEAR: Outcome = Outcome::Met { clearly: true, took: None };

/// A trial that meets the objective by that part of the limit.
fn took(part: f64) -> Outcome {
    Outcome::Met { clearly: part < 0.5, took: Some(part) }
}

#[test]
fn a_calm_system_takes_few_trials() {
    let (found, trials) = searched(|load| match load {
        0..=20 => CLEAR,
        _ => missed(Place::ServerCpu),
    });
    let Found::Between(20, 21 | 22, limit) = found else { panic!("{found:?}") };
    assert_eq!(limit.place, Place::ServerCpu);
    assert!(trials <= 33, "{trials}");
}

#[test]
fn one_that_misses_at_the_least_load_has_no_capacity() {
    let (found, trials) = searched(|_| missed(Place::Server));
    assert!(matches!(&found, Found::Misses(limit) if limit.place == Place::Server), "{found:?}");
    assert_eq!(trials, 4);
}

#[test]
fn the_limit_is_the_one_that_most_misses_met() {
    let mut tries = 0;
    let (found, _) = searched(|load| {
        tries += u32::from(load > 8);
        match load {
            0..=8 => CLEAR,
            _ if tries % 4 == 1 => missed(Place::Machine),
            _ => missed(Place::LoadGenerator),
        }
    });
    let Found::Between(8, 9, limit) = found else { panic!("{found:?}") };
    assert_eq!(limit.place, Place::LoadGenerator);
}

#[test]
fn what_cannot_be_is_not_tried_again() {
    let mut asked = Vec::new();
    let (found, _) = searched(|load| {
        if load <= 100 {
            return CLEAR;
        }
        asked.push(load);
        Outcome::Impossible(Limit::new(Place::System, "open files"))
    });
    let Found::Between(holds, fails, limit) = found else { panic!("{found:?}") };
    assert!(holds <= 100 && fails > 100 && fails as f64 <= holds as f64 * 1.1, "{holds} {fails}");
    assert_eq!(limit.place, Place::System);
    let once = asked.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(asked.len(), once, "{asked:?}");
}

#[test]
fn a_load_that_holds_to_the_end_of_the_search_is_confirmed() {
    let (found, trials) = searched(|_| CLEAR);
    assert_eq!(found, Found::AllHeld(1_000_000));
    // Twenty doublings, and two trials more at the last.
    assert_eq!(trials, 21 + 2);
}

#[test]
fn a_machine_on_which_the_least_load_no_longer_holds_settles_nothing() {
    let mut trials = 0;
    let (found, _) = searched(|_| {
        trials += 1;
        if trials <= 3 { CLEAR } else { missed(Place::Machine) }
    });
    assert!(matches!(found, Found::Unsettled(Some(4), _)), "{found:?}");
    // Three that held, two at each of 8, 4 and 2, and thrice the four with which the least load fails.
    assert_eq!(trials, 3 + 3 * 2 + 3 * 4);
}

#[test]
fn a_disturbance_while_loads_double_is_found_out_in_the_end() {
    let mut trials = 0;
    let (found, _) = searched(|load| {
        trials += 1;
        // From the fifth trial on the machine stands still for a while, and low loads do not show it.
        let disturbed = (5..15).contains(&trials) && load > 4;
        if load > 1_000 || disturbed { missed(Place::Unknown) } else { CLEAR }
    });
    let Found::Between(holds, fails, _) = found else { panic!("{found:?}") };
    assert!(holds >= 900 && fails <= 1_100, "{holds} {fails}");
}

/// Neither holding nor failing, over a wide stretch of loads.
#[test]
fn a_search_ends_where_nothing_is_sharp() {
    let mut longest = 0;
    for seed in 1..=500 {
        let mut tries = 0;
        let (found, trials) = searched(|load| {
            tries += 1;
            let chance = (load as f64 / 6.0).log2().clamp(0.0, 1.0);
            let misses = random::uniform(seed, 3, tries) < chance;
            if misses { missed(Place::LoadGenerator) } else { CLEAR }
        });
        let Found::Between(holds, fails, limit) = found else { panic!("{seed}: {found:?}") };
        assert!((4..=12).contains(&holds) && fails <= 16, "{seed}: {holds} {fails}");
        assert_eq!(limit.place, Place::LoadGenerator);
        longest += u32::from(trials >= TRIALS);
    }
    assert!(longest <= 5, "{longest}");
}

/// Loads that hold take a thousandth of their load, in a burst five times as much, in which those
/// above 64 miss.
fn in_burst(load: u64, is_disturbed: bool) -> Outcome {
    let part = load as f64 / 1_000.0;
    match load {
        0..=64 if is_disturbed => took(part * 5.0),
        0..=1_000 if !is_disturbed => took(part),
        _ => missed(Place::ServerCpu),
    }
}

#[test]
fn a_control_that_is_worse_than_before_shows_that_a_load_misses_by_the_machine() {
    let mut search = Search::new(BOUNDS);
    // 1 to 64, then 128 twice and its control four times.
    while let Some(load) = search.next() {
        search.take(in_burst(load, (8..=13).contains(&(search.trials + 1))));
        assert_ne!(search.answer(128), Some(false), "after {} trials", search.trials);
    }
    assert_eq!(search.tried()[&128].missed, 0, "{:?}", search.tried());
    let Some(Found::Between(holds, fails, _)) = search.found() else { panic!("{search:?}") };
    assert!(*holds >= 900 && *fails <= 1_100, "{holds} {fails}");
}

#[test]
fn a_machine_that_stays_worse_settles_nothing_and_the_search_ends() {
    let mut trials = 0;
    let (found, all) = searched(|load| {
        trials += 1;
        in_burst(load, trials >= 8)
    });
    let Found::Unsettled(Some(64), limit) = found else { panic!("{found:?}") };
    assert_eq!(limit.place, Place::Machine);
    assert_eq!(all, TRIALS);
}

#[test]
fn what_holds_and_what_fails_are_tried_in_turns_in_the_end() {
    for ceiling in 20..40 {
        let mut loads = Vec::new();
        let (found, _) = searched(|load| {
            loads.push(load);
            if load <= ceiling { CLEAR } else { missed(Place::ServerCpu) }
        });
        let Found::Between(holds, fails, _) = found else { panic!("{found:?}") };
        let last = &loads[loads.len() - 6..];
        assert!(last == [holds, holds, fails, holds, fails, holds], "{ceiling}: {loads:?}");
        // Four times when it failed, and twice in turns.
        assert_eq!(
            loads.iter().filter(|tried| **tried == fails).count(),
            6,
            "{ceiling}: {loads:?}"
        );
    }
}

/// A search from 1 to 2 clients whose first trial met the objective clearly.
fn of_two() -> Search {
    let mut search = Search::new(Bounds { most: 2, ..BOUNDS });
    search.take(CLEAR);
    search
}

const BARELY: Outcome = Outcome::Met { clearly: false, took: None };

#[test]
fn a_load_that_meets_the_objective_barely_is_tried_again() {
    let mut search = of_two();
    search.take(BARELY);
    assert_eq!((search.next(), search.answer(2)), (Some(2), None));
    search.take(BARELY);
    assert_eq!(search.answer(2), Some(true));
}

#[test]
fn a_load_is_the_answer_once_more_of_its_trials_meet_the_objective_than_do_not() {
    let mut search = of_two();
    let misses = || missed(Place::ServerCpu);
    // The third is of the control.
    for outcome in [misses(), misses(), CLEAR, misses(), BARELY, BARELY, BARELY] {
        assert_eq!(search.found(), None);
        search.take(outcome);
    }
    let tally = search.tried()[&2];
    assert_eq!((tally.met, tally.missed, search.next()), (3, 3, Some(2)));
    search.take(BARELY);
    assert_eq!(search.found(), Some(&Found::AllHeld(2)));
}

#[test]
fn a_load_that_held_is_no_answer_with_three_misses_and_no_more_that_met() {
    let mut search = of_two();
    let miss = || missed(Place::ServerCpu);
    for outcome in [BARELY, BARELY, miss(), miss(), CLEAR] {
        search.take(outcome);
    }
    assert_eq!((search.next(), search.answer(2)), (Some(2), Some(true)));
    for outcome in [miss(), miss(), CLEAR] {
        search.take(outcome);
    }
    assert_eq!(search.answer(2), Some(false));
}

#[test]
fn misses_since_the_least_load_failed_are_the_machines() {
    let mut search = of_two();
    for _ in 0..6 {
        search.take(missed(Place::ServerCpu));
    }
    let missed = [1, 2].map(|load| search.tried()[&load].missed);
    assert_eq!((search.next(), missed, search.limit(2)), (Some(1), [0, 0], None));
}

#[test]
fn a_control_waits_for_a_while_and_then_the_load_above_is_tried_again() {
    let mut search = Search::new(Bounds { most: 2, ..BOUNDS });
    for outcome in [took(0.1), missed(Place::ServerCpu), missed(Place::ServerCpu)] {
        search.take(outcome);
    }
    for _ in 0..5 {
        assert_eq!(search.next(), Some(1));
        search.take(took(0.3));
    }
    assert_eq!((search.next(), search.tried()[&2].missed), (Some(2), 0));
}

#[test]
fn of_limits_that_as_many_misses_met_the_first_is_told() {
    let mut search = of_two();
    search.take(missed(Place::LoadGenerator));
    search.take(missed(Place::ServerCpu));
    assert_eq!(search.limit(2).map(|limit| limit.place), Some(Place::LoadGenerator));
    search.take(CLEAR);
    search.take(missed(Place::ServerCpu));
    assert_eq!(search.limit(2).map(|limit| limit.place), Some(Place::ServerCpu));
}

#[test]
fn a_load_that_was_not_tried_again_in_the_end_is_no_limit() {
    // 128 fails, and 90; then the machine is slow for good, which the loads that hold show.
    let mut trials = 0;
    let mut search = Search::new(BOUNDS);
    while let Some(load) = search.next() {
        trials += 1;
        let disturbance = if trials > 20 { 5.0 } else { 1.0 };
        search.take(match load {
            0..=64 => took(load as f64 / 1_000.0 * disturbance),
            _ => missed(Place::ServerCpu),
        });
    }
    assert_eq!(search.answer(128), Some(false));
    assert!(matches!(search.found(), Some(Found::Unsettled(Some(_), _))), "{:?}", search.found());
}

#[test]
fn answers_are_known_of_each_load_that_the_end_decides() {
    let mut search = Search::new(BOUNDS);
    while let Some(load) = search.next() {
        search.take(match load {
            0..=20 => CLEAR,
            21..=30 => missed(Place::ServerCpu),
            _ => Outcome::Impossible(Limit::new(Place::System, "open files")),
        });
    }
    let Some(&Found::Between(holds, fails, _)) = search.found() else { panic!("{search:?}") };
    let known = [holds, fails, fails + 1].map(|load| search.answer(load));
    assert_eq!(known, [Some(true), Some(false), Some(false)]);
    // What cannot be was no trial.
    assert_eq!(search.tried()[&32], Tally::default());
    let mut search = of_two();
    search.take(missed(Place::Server));
    assert_eq!(search.answer(2), None);
    let mut search = Search::new(BOUNDS);
    while search.next().is_some() {
        search.take(missed(Place::Server));
    }
    assert_eq!(search.answer(1), Some(false));
}

#[test]
fn misses_are_forgotten_where_the_control_missed_because_the_machine_was_disturbed() {
    // The second and the third trial behind the least load are of a stall, control included.
    let mut search = of_two();
    for outcome in [missed(Place::ServerCpu), missed(Place::ServerCpu), missed(Place::Machine)] {
        search.take(outcome);
    }
    assert_eq!((search.next(), search.tried()[&2].missed), (Some(1), 2));
    search.take(CLEAR);
    assert_eq!((search.next(), search.tried()[&2].missed), (Some(2), 0));
    assert_eq!(search.limit(2), None);
    // A control that misses for another reason once says nothing of the machine.
    for outcome in [missed(Place::ServerCpu), missed(Place::ServerCpu), missed(Place::ServerCpu)] {
        search.take(outcome);
    }
    search.take(CLEAR);
    assert_eq!((search.next(), search.tried()[&2].missed), (Some(2), 2));
    // The machine may be known to be what disturbed it, also where it misses by little.
    let mut search = of_two();
    let stalled = Outcome::Missed { limit: Limit::new(Place::Machine, ""), took: Some(1.1) };
    for outcome in [missed(Place::ServerCpu), missed(Place::ServerCpu), stalled, took(0.9)] {
        search.take(outcome);
    }
    assert_eq!((search.next(), search.tried()[&2].missed), (Some(2), 0));
}

#[test]
fn middles_are_round_and_inside() {
    for (holds, fails, expected) in
        [(16, 32, 23), (1_024, 2_048, 1_400), (100, 112, 106), (1, 3, 2), (20, 22, 21)]
    {
        assert_eq!(middle(holds, fails), expected, "{holds} {fails}");
    }
}
