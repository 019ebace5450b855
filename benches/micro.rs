//! Times of single calls on the way of a message: encode, parse, hear, record.

use divan::{Bencher, black_box};
use pushbench_benches::path::Path;
use pushbench_benches::reads;
use pushbench_core::{Contender, Delivery, Link, MonoInstant, Sender, Seq};
use pushbench_link::schedule::Schedule;
use pushbench_link::{Addressing, Prefix, Router, Side};
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

/// Messages of clients as the server reads them: of 64 bytes, as most talk is, and larger.
mod hear {
    use pushbench_protocol::frame::client::{ClientReader, Said};
    use pushbench_protocol::frame::{Opcode, push_message};

    use super::*;

    #[divan::bench(args = [64, 1_024, 12_288])]
    fn a_frame_of_text(bencher: Bencher<'_, '_>, bytes: usize) {
        let (mut frame, mut reader) = (Vec::new(), ClientReader::default());
        push_message(&mut frame, Opcode::Text, &vec![b'x'; bytes], [1, 2, 3, 4]);
        bencher.with_inputs(|| frame.clone()).bench_local_refs(|frame| {
            let mut input = black_box(&mut frame[..]);
            match reader.next(&mut input, usize::MAX) {
                Ok(Some(Said::Message { payload, .. })) => payload.len(),
                _ => 0,
            }
        });
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

/// What the router of an emulated network does with each packet.
mod link {
    use super::*;

    /// Packets that wait: 10,000 each second for ten seconds.
    const WAITING: u64 = 100_000;
    const DELAY_NS: u64 = 10_000_000_000;

    /// A segment of TCP in IPv4 from a client's address, 10.1.0.1, to the server's, 10.0.0.1: 100
    /// bytes.
    fn segment() -> Vec<u8> {
        let mut packet =
            vec![0x45, 0, 0, 100, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 1, 0, 1, 10, 0, 0, 1];
        packet.extend([
            0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0,
        ]);
        packet.resize(100, b'x');
        packet
    }

    /// One in and one out. Jitter, in microseconds, has packets of different lines be due in another
    /// order than they came.
    #[divan::bench(args = [0, 1_000, 1_000_000], sample_size = 10_000)]
    fn schedule_with_100_000_waiting(bencher: Bencher<'_, '_>, jitter_us: u64) {
        let (mut schedule, packet) = (Schedule::new(1 << 30), segment());
        let push = |schedule: &mut Schedule<u8>, number: u64| {
            let jitter = pushbench_core::random::bits(1, 1, number) % (jitter_us * 1_000 + 1);
            let due = MonoInstant(number * (DELAY_NS / WAITING) + jitter);
            assert!(schedule.push(due, 0, black_box(&packet)));
        };
        (0..WAITING).for_each(|number| push(&mut schedule, number));
        let mut number = WAITING;
        bencher.bench_local(|| {
            push(&mut schedule, number);
            number += 1;
            let taken = schedule.pop(MonoInstant(u64::MAX)).expect("some wait");
            let first = schedule.bytes(&taken)[0];
            schedule.release(taken);
            first
        });
    }

    /// A whole way: read, offered to its line, kept, counted, taken out. Each client in its turn.
    #[divan::bench(args = [1, 1_000], sample_size = 10_000)]
    fn router_with_100_000_waiting(bencher: Bencher<'_, '_>, clients: u32) {
        let prefix = Prefix::new([10, 1, 0, 0].into(), 16).expect("16 bits of 32");
        let addressing = Addressing { server: [10, 0, 0, 1].into(), prefix, clients };
        let link: Link = serde_json::from_str("{\"delay\": \"10s\", \"up\": \"1Gbit/s\"}")
            .expect("it is a link");
        let (mut router, mut packet) = (Router::new(&link, addressing, 1), segment());
        let mut number = 0;
        let mut come = |router: &mut Router| {
            number += 1;
            let client = (number % u64::from(clients)) as u16 + 1;
            packet[14..16].copy_from_slice(&client.to_be_bytes());
            packet[24..28].copy_from_slice(&(number as u32 * 60).to_be_bytes());
            let now = MonoInstant(number * (DELAY_NS / WAITING));
            router.packet(now, Side::Clients, black_box(&packet));
            now
        };
        (0..WAITING - 1).for_each(|_| _ = come(&mut router));
        bencher.bench_local(|| {
            let now = come(&mut router);
            while let Some(due) = router.take_due(now) {
                black_box(router.bytes(&due));
                router.sent(due, now);
            }
        });
    }
}
