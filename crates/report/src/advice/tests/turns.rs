//! Turns: rates and bounds from which on the answer is another.

use super::*;

/// Polls cost 80 µs each second whatever the rate, and sse 10 µs a message: 8 messages a second cost the
/// same, and at ten polls each 720 ms, which 0.9 of 800 are. Of bytes 400 against 188 a message: 2.1.
#[test]
fn a_rate_below_which_a_push_is_cheaper_than_a_poll_is_told() {
    let text = four(Delivery::Latest).text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("Take short-poll each 900ms"), "{text}");
    assert!(
        text.contains(
            "below 8 messages/s sse takes less server CPU than short-poll each 900ms; at your rate it \
             does below a freshness of 800ms"
        ),
        "{text}"
    );
    assert!(text.contains("below 2.1 messages/s sse takes fewer bytes"), "{text}");
    assert!(
        !four(Delivery::Every).text(Screen::NONE).contains("- below"),
        "polls bring each message"
    );
}

#[test]
fn a_rate_above_which_a_poll_is_cheaper_than_a_push_is_told() {
    let mut dear = four(Delivery::Latest);
    dear.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 150.0, 4_000.0);
    dear.advice = advise(&dear.candidates, &dear.wishes);
    let text = dear.text(Screen::NONE).replace("\n  ", " ");
    // 150 µs are those of 15 messages, and of polls each 900 ms × 1.5, which 0.9 of 1.5 s are.
    assert!(
        text.contains("above 15 messages/s short-poll each 900ms takes less server CPU"),
        "{text}"
    );
    assert!(text.contains("from a freshness of 1500ms on"), "{text}");
}

/// [`four`] under `every`, with polls so dear that they lose: 150 µs, and of 4,000 bytes a second 1,000 of
/// messages.
fn dear_polls() -> Advised {
    let mut all = four(Delivery::Every);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 150.0, 4_000.0);
    for round in all.candidates[0].rounds.iter_mut().flatten() {
        round.costs.message_bytes = Some(1_000.0);
    }
    all.advice = advise(&all.candidates, &all.wishes);
    all
}

/// Bytes: 3,000 for asking are the 700 that websocket takes more for messages at 4.29 times the rate, and
/// at 4.29 times the period: 900 ms × 4.29 / 0.9. CPU: not before 150 / 101 = 1.485 times either.
#[test]
fn where_each_message_counts_a_poll_is_cheaper_in_bytes_from_a_rate_on_and_in_cpu_not_before_one() {
    let text = dear_polls().text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "above 43 messages/s short-poll each 900ms takes fewer bytes than websocket; at your rate it does \
         from a freshness of 4300ms on",
        "up to 14 messages/s at least, and up to a freshness of 1400ms, websocket takes less server CPU \
         than short-poll each 900ms",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// At 400 kB a second a poll each 3.86 s would find 1.5 MB.
#[test]
fn no_freshness_is_told_at_which_a_poll_would_find_more_than_an_answer_holds() {
    let mut all = dear_polls();
    for round in all.candidates.iter_mut().flat_map(|it| it.rounds.iter_mut()).flatten() {
        round.costs.message_bytes = Some(400e3);
        round.costs.wire_bytes = round.costs.wire_bytes.map(|bytes| bytes + 399e3);
    }
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("above 43 messages/s short-poll each 900ms takes fewer bytes"), "{text}");
    assert!(!text.contains("fewer bytes than websocket; at your rate"), "{text}");
}

/// Rounds of 14.9, 14.1 and 15.6 messages a second.
#[test]
fn a_turn_has_the_interval_of_its_rounds() {
    let mut dear = dear_polls();
    dear.wishes.delivery = Delivery::Latest;
    for (round, noise) in dear.candidates[0].rounds.iter_mut().flatten().zip([0.95, 1.05]) {
        round.costs.server_cpu_us = round.costs.server_cpu_us.map(|us| us * noise);
    }
    let text = dear.text(Screen::NONE).replace("\n  ", " ");
    let turn = "above 15 [14–16] messages/s short-poll each 900ms takes less server CPU";
    assert!(text.contains(turn), "{text}");
}

/// Rounds of up to 1,200 ms × 1.01, which to two digits is 1,300: from there on all of them keep to the
/// bound, and it costs the least.
#[test]
fn the_bound_from_which_on_a_stale_one_is_to_be_taken_is_told() {
    let mut all = four(Delivery::Every);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 1_200.0, 50.0, 400.0);
    all.candidates[1] = candidate(Contender::LONG_POLL, 1_500.0, 300.0, 3_600.0);
    all.advice = advise(&all.candidates, &all.wishes);
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "from a freshness of 1300ms on short-poll each 900ms is fresh enough, and then the one to take",
        "from a freshness of 1600ms on long-poll is fresh enough, and then not the cheapest",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_bound_that_polls_can_keep_to_is_told_where_none_was_measured() {
    let mut pushed = four(Delivery::Every);
    pushed.candidates.remove(0);
    pushed.courses.remove(0);
    pushed.polls_from = Some(Duration::from_micros(100_001));
    pushed.advice = advise(&pushed.candidates, &pushed.wishes);
    let text = pushed.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("from a freshness of 100ms on polls can be fresh enough"), "{text}");
}

/// Polls each 900 ms that are 893 ms behind: an answer may take 107 ms, to two digits 110.
#[test]
fn the_delay_is_told_from_which_on_polls_are_to_ask_more_often() {
    let text = four(Delivery::Every).text(Screen::NONE).replace("\n  ", " ");
    let told =
        "of delay each way short-poll each 900ms is not fresh enough, and is to ask more often";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("over 110ms [98ms–110ms] of delay"), "{text}");
}

/// A message each 900 ms in place of ten a second is 11.1 µs and 189 bytes a second of websocket, and the poll
/// takes 80 µs and 400 bytes.
#[test]
fn a_stream_as_slow_as_the_polls_is_told_where_only_the_newest_counts() {
    let told = "a server that pushes the newest each 900ms instead, one in place of 9, is as fresh: sse \
                then takes less server CPU and fewer bytes than these polls";
    let text = |delivery| four(delivery).text(Screen::NONE).replace("\n  ", " ");
    assert!(text(Delivery::Latest).contains(told), "{}", text(Delivery::Latest));
    assert!(!text(Delivery::Every).contains("pushes the newest"), "each message is wanted");
}

/// A websocket takes 1,300 bytes a second more than polls each 900 ms, so that 1,170 more on each of these
/// make them alike.
#[test]
fn headers_that_would_make_a_stream_the_smaller_are_told() {
    let text = four(Delivery::Every).text(Screen::NONE).replace("\n  ", " ");
    let told = "from 1,200 B more of headers on each request";
    assert!(text.contains(told) && text.contains("websocket takes fewer bytes than"), "{text}");
    let mut small = four(Delivery::Every);
    small.candidates[3] = candidate(Contender::WEBSOCKET, 10.0, 101.0, 8_000.0);
    small.candidates[2] = candidate(Contender::SSE, 10.0, 101.0, 8_000.0);
    assert!(!small.text(Screen::NONE).contains("of headers on each"), "no request has so many");
}
