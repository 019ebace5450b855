use super::*;

#[test]
fn names_round_trip_and_unknown_ones_list_the_choice() {
    for contender in Contender::all() {
        assert_eq!(contender.name().parse(), Ok(contender));
    }
    let error = "websockets".parse::<Contender>().unwrap_err().to_string();
    assert!(
        error.starts_with("unknown transport `websockets`") && error.ends_with("sse, websocket")
    );
}

#[test]
fn names_and_their_order_are_those_of_the_files_that_users_have() {
    assert_eq!(
        names(),
        "short-poll, short-poll-close, short-poll-conditional, long-poll, sse, websocket"
    );
    assert!(Contender::all().is_sorted(), "they sort as they are listed");
}
