//! Expressions looked for in a stream that comes in pieces.
//!
//! A search in a slice cannot tell whether a match at its end would go on, nor whether one has
//! begun there. An automaton can: from its state follows whether anything that may come could still
//! make a match of what came. So a match is told with its last byte and not with the next message,
//! and what is found does not hang on where the stream was cut.

use std::collections::HashMap;

use pushbench_core::rules::Pattern;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use thiserror::Error;

/// The most bytes that an automaton may take, and its making.
const SIZE_LIMIT: usize = 8 << 20;

/// How far behind the end of a match another is waited for that would be preferred to it.
const LOOK_AHEAD: usize = 64 << 10;

/// An expression that cannot be looked for in a stream.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ScannerError {
    /// One that asks what is beside it.
    #[error(
        "`{0}` has an anchor or a word boundary (^, $, \\b): with --joined there is no beginning and \
         no end of a message; name the bytes that are there, such as \\r\\n"
    )]
    LooksAround(String),
    /// One whose automaton is too large.
    #[error(
        "`{0}` is too large to be looked for in a stream; repeat less, or write (?-u) before it for \
         bytes instead of letters"
    )]
    TooLarge(String),
}

/// Expressions of which the leftmost match is looked for; of several at one place, the first.
#[derive(Debug)]
pub(super) struct Scanner {
    /// The class of each byte: those of one class lead to the same states.
    classes: Box<[u8; 256]>,
    /// How many classes there are.
    width: usize,
    /// The next state for each state and class.
    next: Vec<u32>,
    /// The facts about each state.
    states: Vec<State>,
}

/// A state of an automaton.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The expression that has matched up to here.
    matched: Option<u32>,
    /// There may be a longer match, or one that is preferred.
    open: bool,
    /// Nothing has begun: as at the start.
    idle: bool,
    /// Nothing will match any more.
    dead: bool,
}

/// The number of the state that a search begins in.
const START: u32 = 0;

/// A search that goes on with each piece.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Search {
    state: u32,
    /// How much of the stream since its start has been looked at.
    at: usize,
    /// The end of the best match so far, and its expression.
    last: Option<(usize, usize)>,
}

impl Search {
    /// The best match of a stream that does not go on: its end, and its expression.
    pub(super) const fn best(&self) -> Option<(usize, usize)> {
        self.last
    }
}

impl Scanner {
    /// A search for these expressions.
    pub(super) fn new(patterns: &[&Pattern]) -> Result<Self, ScannerError> {
        let syntax = syntax::Config::new().utf8(false);
        for pattern in patterns {
            let text = pattern.as_str();
            let looks = syntax::parse_with(text, &syntax)
                .is_ok_and(|hir| !hir.properties().look_set().is_empty());
            if looks {
                return Err(ScannerError::LooksAround(text.to_owned()));
            }
        }
        let too_large = || {
            let all: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
            ScannerError::TooLarge(all.join("` with `"))
        };
        let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
        let automaton = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Unanchored)
                    .match_kind(MatchKind::LeftmostFirst)
                    .dfa_size_limit(Some(SIZE_LIMIT))
                    .determinize_size_limit(Some(2 * SIZE_LIMIT)),
            )
            .syntax(syntax)
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE_LIMIT)))
            .build_many(&texts)
            .map_err(|_| too_large())?;
        let start = automaton
            .start_state_forward(&Input::new(b"").anchored(Anchored::No))
            .map_err(|_| too_large())?;
        Ok(Self::of(&automaton, start))
    }

    /// The same automaton as a table of its own, in which each state says what follows from it.
    fn of(automaton: &dense::DFA<Vec<u32>>, start: StateID) -> Self {
        let (mut numbers, mut found) = (HashMap::from([(start, START)]), vec![start]);
        let (mut rows, mut at): (Vec<[u32; 256]>, usize) = (Vec::new(), 0);
        while let Some(&state) = found.get(at) {
            at += 1;
            let mut row = [0; 256];
            for (byte, to) in (0..=u8::MAX).zip(&mut row) {
                let next = automaton.next_state(state, byte);
                *to = *numbers.entry(next).or_insert_with(|| {
                    found.push(next);
                    // As many as the limit on size lets there be.
                    (found.len() - 1) as u32
                });
            }
            rows.push(row);
        }
        let matched = |state: &StateID| {
            let end = automaton.next_eoi_state(*state);
            automaton.is_match_state(end).then(|| automaton.match_pattern(end, 0).as_u32())
        };
        let matched: Vec<Option<u32>> = found.iter().map(matched).collect();
        let dead: Vec<bool> = found.iter().map(|state| automaton.is_dead_state(*state)).collect();
        let states = facts(&rows, &matched, &dead);
        Self::packed(&rows, states)
    }

    /// Bytes that lead from each state to the same one become a class.
    fn packed(rows: &[[u32; 256]], states: Vec<State>) -> Self {
        let mut classes = Box::new([0; 256]);
        let mut columns: HashMap<Vec<u32>, u8> = HashMap::new();
        let mut firsts: Vec<usize> = Vec::new();
        for (byte, class) in classes.iter_mut().enumerate() {
            let column: Vec<u32> = rows.iter().map(|row| row[byte]).collect();
            *class = *columns.entry(column).or_insert_with(|| {
                firsts.push(byte);
                // There are no more classes than bytes.
                (firsts.len() - 1) as u8
            });
        }
        let next = rows.iter().flat_map(|row| firsts.iter().map(|&byte| row[byte])).collect();
        Self { classes, width: firsts.len(), next, states }
    }

    /// The state behind a byte.
    #[inline]
    fn step(&self, state: u32, byte: u8) -> u32 {
        self.next[state as usize * self.width + usize::from(self.classes[usize::from(byte)])]
    }

    /// Goes on in `stream`, which is the one that the search began with and perhaps more: the end of
    /// the first match, and its expression, once nothing that comes can change it.
    pub(super) fn advance(&self, search: &mut Search, stream: &[u8]) -> Option<(usize, usize)> {
        while let Some(&byte) = stream.get(search.at) {
            search.state = self.step(search.state, byte);
            search.at += 1;
            let state = self.states[search.state as usize];
            if state.dead {
                return search.last;
            }
            if let Some(matched) = state.matched {
                search.last = Some((search.at, matched as usize));
                if !state.open {
                    return search.last;
                }
            }
            if search.last.is_some_and(|(end, _)| search.at - end >= LOOK_AHEAD) {
                return search.last;
            }
        }
        None
    }

    /// Whether nothing has begun that could become a match.
    pub(super) fn is_idle(&self, search: &Search) -> bool {
        search.last.is_none() && self.states[search.state as usize].idle
    }

    /// Whether there is any match in the stream, of which `piece` comes now.
    pub(super) fn is_found(&self, search: &mut Search, piece: &[u8]) -> bool {
        piece.iter().any(|&byte| {
            search.state = self.step(search.state, byte);
            self.states[search.state as usize].matched.is_some()
        })
    }
}

/// The facts about each state.
fn facts(rows: &[[u32; 256]], matched: &[Option<u32>], dead: &[bool]) -> Vec<State> {
    // The automaton tells a match a byte late, by a state of which nothing else need come.
    let goes_on = |state: usize| {
        matched[state].is_some() || rows[state].iter().any(|&next| !dead[next as usize])
    };
    let alive: Vec<bool> = (0..rows.len()).map(|state| !dead[state] && goes_on(state)).collect();
    (0..rows.len())
        .map(|state| State {
            matched: matched[state],
            open: rows[state].iter().any(|&next| alive[next as usize]),
            idle: matched[state].is_none() && rows[state] == rows[START as usize],
            dead: !alive[state],
        })
        .collect()
}
