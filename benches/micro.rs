//! Times of single calls on the way of a message: encode, parse, record.

use divan::{Bencher, black_box};
use pushbench_benches::path::Path;
use pushbench_benches::reads;
use pushbench_core::{Contender, Delivery, MonoInstant, Sender, Seq};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase, Tally};
use pushbench_metrics::observe::measure::Measure as _;
use pushbench_metrics::observe::observer::{Arrival, Observer as _, Window};
use pushbench_metrics::observe::recorder::Recorder;

/// Messages that are prepared before a time is taken.
const PREPARED: u64 = 4096;

const TRANSPORTS: [Contender; 4] =
    [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::SSE, Contender::WEBSOCKET];

fn main() {
    divan::main();
}

/// What the server does once for each message.
mod encode {
    use super::*;

    #[divan::bench]
    fn payload() -> bytes::Bytes {
        reads::payload(black_box(Seq(123_456)))
    }

    #[divan::bench]
    fn websocket_frame(bencher: Bencher<'_, '_>) {
        let payload = reads::payload(Seq(123_456));
        bencher.bench_local(|| reads::frame(black_box(&payload)));
    }

    #[divan::bench]
    fn sse_chunk(bencher: Bencher<'_, '_>) {
        let payload = reads::payload(Seq(123_456));
        bencher.bench_local(|| reads::event(black_box(Seq(123_456)), black_box(&payload)));
    }

    #[divan::bench]
    fn batch_of_one(bencher: Bencher<'_, '_>) {
        let (payload, mut body) = (reads::payload(Seq(123_456)), Vec::with_capacity(1024));
        bencher.bench_local(|| {
            body.clear();
            pushbench_protocol::batch::push(&mut body, black_box(&payload));
            body.len()
        });
    }
}

/// What the load generator does with each read, without a measure: session, and next request.
mod parse {
    use super::*;

    #[divan::bench(args = TRANSPORTS)]
    fn one_message(bencher: Bencher<'_, '_>, contender: Contender) {
        let inputs: Vec<_> =
            (1..=PREPARED).map(|seq| reads::message(contender, Seq(seq))).collect();
        let (mut path, mut next) = (Path::new(contender, PREPARED, ()), 0);
        bencher.bench_local(|| {
            next = next % PREPARED + 1;
            path.read(black_box(&inputs[next as usize - 1]), Seq(next))
        });
    }

    #[divan::bench]
    fn hundred_messages_in_a_poll(bencher: Bencher<'_, '_>) {
        let input = reads::answer(Seq(1), Seq(100));
        let mut path = Path::new(Contender::SHORT_POLL, PREPARED, ());
        bencher.bench_local(|| path.read(black_box(&input), Seq(100)));
    }

    #[divan::bench]
    fn hundred_frames_in_a_read(bencher: Bencher<'_, '_>) {
        let input: Vec<u8> =
            (1..=100).flat_map(|seq| reads::message(Contender::WEBSOCKET, Seq(seq))).collect();
        let mut path = Path::new(Contender::WEBSOCKET, PREPARED, ());
        bencher.bench_local(|| path.read(black_box(&input), Seq(100)));
    }
}

/// What is kept of each message.
mod record {
    use super::*;

    /// Messages in a window, after which a new recorder begins.
    const WINDOW: u64 = 1_000_000;

    fn recorder() -> Recorder {
        let mut recorder = Recorder::new(1, Delivery::Every);
        let (start, end) = (MonoInstant(0), MonoInstant(WINDOW * 1_000));
        recorder.set_window(Window { start, end, first: Seq(1), last: Seq(WINDOW) });
        recorder
    }

    #[divan::bench]
    fn arrival(bencher: Bencher<'_, '_>) {
        let (mut all, mut number) = (recorder(), 0);
        bencher.bench_local(|| {
            if number == WINDOW {
                (all, number) = (recorder(), 0);
            }
            number += 1;
            let due = MonoInstant(number * 1_000);
            let at = MonoInstant(due.0 + 150_000);
            let (sender, seq) = (Sender::FEED, Seq(number));
            all.arrived(black_box(&Arrival { client: 0, sender, seq, due, at }));
        });
        black_box(all.finish());
    }

    #[divan::bench]
    fn bytes_moved(bencher: Bencher<'_, '_>) {
        let (mut all, tally) = (recorder(), tally());
        bencher.bench_local(|| {
            all.moved(Phase::Window, MonoInstant(1_000), black_box(&tally));
        });
        black_box(all.finish());
    }

    #[divan::bench]
    fn ledger_add(bencher: Bencher<'_, '_>) {
        let (mut ledger, tally) = (Ledger::default(), tally());
        bencher.bench_local(|| ledger.add(black_box(Phase::Window), black_box(&tally)));
        black_box(ledger);
    }

    #[divan::bench]
    fn histogram(bencher: Bencher<'_, '_>) {
        let (mut histogram, mut micros) = (LatencyHistogram::default(), 0);
        bencher.bench_local(|| {
            micros = (micros + 7) % 100_000;
            histogram.record(black_box(std::time::Duration::from_micros(micros)));
        });
        black_box(histogram);
    }

    fn tally() -> Tally {
        let mut tally = Tally::default();
        tally.add(Direction::Down, Layer::Payload, 64);
        tally.add(Direction::Down, Layer::Framing, 2);
        tally
    }
}
