use std::collections::{BTreeMap, BTreeSet, HashMap};

use pushbench_core::Contender;
use pushbench_metrics::judge::models::check::{Compared, Distance};
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase, Source, TcpipTally};
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::Invalid;

use crate::{csv, fixture};

/// The columns that users were promised, and behind them what came later.
const DESIGN: &str = "
scenario,point,transport,clients,rate_hz,payload_bytes,poll_interval_ms,trials,valid,
published,expected,delivered,lost,duplicated,reordered,superseded,
latency_mean_us,latency_p50_us,latency_p50_lo_us,latency_p50_hi_us,latency_p90_us,latency_p99_us,latency_p999_us,latency_max_us,
age_mean_us,connect_p50_us,requests,empty_responses,
payload_bytes_per_msg,framing_bytes_per_msg,http_bytes_per_msg,tls_bytes_per_msg,tcpip_bytes_per_msg,wire_bytes_per_msg,
server_cpu_us_per_msg,load_cpu_us_per_msg,server_rss_bytes_per_client,load_rss_bytes_per_client,
latency_p50_min_us,latency_p50_max_us,clients_connected,errors,reconnects,warnings,age_max_us
";

/// The lines of a file, by column.
fn lines(bytes: &[u8]) -> Vec<HashMap<String, String>> {
    ::csv::Reader::from_reader(bytes).deserialize().map(Result::unwrap).collect()
}

fn line<'a>(lines: &'a [HashMap<String, String>], of: &str) -> &'a HashMap<String, String> {
    lines.iter().find(|line| line["transport"] == of).unwrap()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

#[test]
fn the_header_is_the_one_that_users_were_promised() {
    let promised = DESIGN.replace('\n', "");
    let added = "late,long_poll_timeout_ms,cookie_bytes,speed,trials_used,tls_groups,\
                 tls_certificate,tls_versions,tls_cipher,tls_resumption,compression_level,\
                 compression_window_bits,compression_threshold_bytes,tls_handshakes,tls_resumed,\
                 tls_connect_up_bytes_per_handshake,tls_connect_down_bytes_per_handshake,\
                 message_bytes_per_msg,server_context_bytes_per_client,\
                 load_context_bytes_per_client,link,delay_ms,jitter_ms,loss_percent,loss_burst,\
                 down_bits_per_s,up_bits_per_s,queue,router_cpu_us_per_msg,ready_p50_us,\
                 load_down,load_up,cross_down_bits_per_s,cross_up_bits_per_s,ip_version,\
                 resumed_p50_us,latency_from,proxy_cpu_us_per_msg,proxy_rss_bytes_per_client,via,\
                 subject,talk,talk_rate_hz,room_size,said,fan_out_p50_us,fan_out_p99_us,disordered,\
                 heartbeat_ms,restart,restart_down_ms,churn_hz,churn_burst,reconnect,cut_off,not_back,\
                 back_p50_us,back_p99_us,back_max_us,opened_peak_per_s,server_peak_cores,messages_per_answer,\
                 client,backend_wire_bytes_per_msg,latency_p95_us,price,currency,cost_per_client_month,\
                 fresh_p99_us";
    let summary = String::from_utf8(csv::summary(&fixture::quick())).unwrap();
    assert_eq!(summary.lines().next(), Some(format!("{promised},{added}").as_str()));
    let trials = String::from_utf8(csv::trials(&fixture::quick())).unwrap();
    assert_eq!(
        trials.lines().next(),
        Some(format!("{promised},trial,order,attempt,invalid,{added}").as_str())
    );
}

/// Whoever reads one file alone must tell its lines apart, whatever setting the run varied.
#[test]
fn each_setting_that_points_vary_tells_the_lines_of_every_file_apart() {
    let lists = [
        ("clients = [2, 3]", "clients", ["2", "3"]),
        ("rate = [\"5/s\", \"10/s\"]", "rate_hz", ["5", "10"]),
        ("payload = [\"64B\", \"100B\"]", "payload_bytes", ["64", "100"]),
        ("poll_interval = [\"100ms\", \"1s\"]", "poll_interval_ms", ["100", "1000"]),
        ("long_poll_timeout = [\"1500ms\", \"30s\"]", "long_poll_timeout_ms", ["1500", "30000"]),
        ("cookie_bytes = [0, 400]", "cookie_bytes", ["0", "400"]),
        ("[feed]\nspeed = [1.0, 2.5]", "speed", ["1", "2.5"]),
    ];
    for (list, column, expected) in lists {
        let record = fixture::broken_down_run(&format!(
            "duration = \"1s\"\nruns = 1\ntransports = [\"sse\"]\nfloor = true\n{list}"
        ));
        let files = [
            csv::summary(&record),
            csv::trials(&record),
            csv::bytes(&record),
            csv::breakdown(&record),
            csv::series(&record),
            csv::models(&record),
            crate::floor::csv(&record),
        ];
        for file in files {
            let seen: BTreeSet<(String, String)> = lines(&file)
                .iter()
                .map(|line| (line["point"].clone(), line[column].clone()))
                .collect();
            let expected = ["1", "2"].into_iter().zip(expected);
            let expected = expected.map(|(point, value)| (point.to_owned(), value.to_owned()));
            assert_eq!(seen, expected.collect(), "{list}: {}", String::from_utf8_lossy(&file));
        }
    }
}

/// A message in clear was not sealed with any cipher, nor one without a coding compressed at any
/// level.
#[test]
fn a_setting_of_the_stack_is_that_of_who_has_it() {
    let lists = [
        ("[tls]\ngroups = [\"X25519\", \"secp256r1:X25519\"]", "tls_groups"),
        ("[tls]\ncertificate = [\"p256\", \"rsa-2048\"]", "tls_certificate"),
        ("[tls]\nversions = [\"1.3:1.2\", \"1.2\"]", "tls_versions"),
        ("[tls]\ncipher = [\"any\", \"aes-128-gcm\"]", "tls_cipher"),
        ("[tls]\nresumption = [true, false]", "tls_resumption"),
        ("[compression]\nlevel = [1, 9]", "compression_level"),
        ("[compression]\nwindow_bits = [9, 15]", "compression_window_bits"),
        ("[compression]\nthreshold = [0, 1024]", "compression_threshold_bytes"),
    ];
    for (list, column) in lists {
        let record = fixture::broken_down_run(&format!(
            "duration = \"1s\"\nruns = 1\ntransports = [\"sse\", \"sse+tls+gzip\"]\n{list}"
        ));
        let files = [
            csv::summary(&record),
            csv::trials(&record),
            csv::bytes(&record),
            csv::breakdown(&record),
            csv::series(&record),
            csv::models(&record),
        ];
        let (_, values) = list.split_once('[').unwrap().1.split_once('[').unwrap();
        let values = values.trim_end_matches(']').replace('"', "");
        for file in files {
            let of = |transport: &str| -> BTreeSet<(String, String)> {
                let lines = lines(&file);
                let ours = lines.iter().filter(|line| line["transport"] == transport);
                ours.map(|line| (line["point"].clone(), line[column].clone())).collect()
            };
            let values = values.split(", ").map(str::to_owned);
            let points = || ["1", "2"].map(str::to_owned).into_iter();
            assert_eq!(of("sse+tls+gzip"), points().zip(values).collect(), "{list}");
            assert_eq!(of("sse"), points().map(|it| (it, String::new())).collect(), "{list}");
        }
    }
}

/// A setting that points come to have is a column from the first day.
#[test]
fn nothing_that_a_point_is_lacks_a_column() {
    let point = serde_json::to_value(&fixture::quick().points[0]).unwrap();
    let columns = crate::settings::columns(0);
    for key in point.as_object().unwrap().keys() {
        let is_told = columns.split(',').any(|column| column.starts_with(key.as_str()));
        assert!(is_told || ["id", "label"].contains(&key.as_str()), "no column for {key}");
    }
}

/// A number of clients is no sum over trials.
#[test]
fn connected_clients_are_those_of_one_trial() {
    let mut record = fixture::quick();
    let of = |record: &RunRecord, column: &str| {
        let lines = lines(&csv::summary(record));
        line(&lines, "websocket")[column].clone()
    };
    assert_eq!(
        (of(&record, "clients_connected"), of(&record, "trials_used")),
        ("40".into(), "3".into())
    );
    fixture::trial_mut(&mut record, Contender::WEBSOCKET, 2).connected = 38;
    assert_eq!(of(&record, "clients_connected"), "40", "the usual one");
    fixture::trial_mut(&mut record, Contender::WEBSOCKET, 1).invalid.push(Invalid::AuditUnbalanced);
    assert_eq!(
        (of(&record, "clients_connected"), of(&record, "trials_used")),
        ("38".into(), "2".into())
    );
    let used: Vec<String> = lines(&csv::trials(&record))
        .iter()
        .filter(|line| line["transport"] == "websocket")
        .map(|line| line["trials_used"].clone())
        .collect();
    assert_eq!(used, ["0", "1", "1"]);
}

#[test]
fn a_run_without_trials_still_has_headers() {
    let record = RunRecord { trials: Vec::new(), ..fixture::quick() };
    for file in [csv::summary(&record), csv::trials(&record), csv::bytes(&record)] {
        assert_eq!(String::from_utf8(file).unwrap().lines().count(), 1);
    }
}

#[test]
fn a_summary_is_of_the_valid_trials() {
    let record = fixture::quick();
    let lines = lines(&csv::summary(&record));
    let names: Vec<&str> = lines.iter().map(|line| line["transport"].as_str()).collect();
    assert_eq!(names, ["short-poll", "long-poll", "sse", "websocket"]);

    let websocket = line(&lines, "websocket");
    assert_eq!((websocket["trials"].as_str(), websocket["valid"].as_str()), ("3", "true"));
    assert_eq!(websocket["published"], (3 * 40).to_string());
    assert_eq!(websocket["expected"], (3 * 40 * 40).to_string());
    assert_eq!(websocket["delivered"], websocket["expected"]);
    assert_eq!(
        (websocket["poll_interval_ms"].as_str(), websocket["rate_hz"].as_str()),
        ("1000", "10")
    );
    assert_eq!(number(&websocket["framing_bytes_per_msg"]), 2.0);
    let [low, p50, high] = ["latency_p50_min_us", "latency_p50_us", "latency_p50_max_us"]
        .map(|c| number(&websocket[c]));
    assert!(low <= p50 && p50 <= high && low > 300.0 && high < 500.0);
    // Three trials have a range and no interval; without TLS its bytes are measured, and none.
    assert_eq!(
        (websocket["latency_p50_lo_us"].as_str(), websocket["tls_bytes_per_msg"].as_str()),
        ("", "0.00")
    );
    assert_eq!((websocket["lost"].as_str(), websocket["warnings"].as_str()), ("0", ""));

    let long_poll = line(&lines, "long-poll");
    assert_eq!((long_poll["trials"].as_str(), long_poll["valid"].as_str()), ("3", "false"));
    assert_eq!(long_poll["published"], (2 * 40).to_string());
    // The repeat stands for the trial that it repeats.
    assert_eq!(line(&lines, "sse")["valid"], "true");
    let warnings = &line(&lines, "short-poll")["warnings"];
    assert_eq!(
        warnings,
        "the publisher was 1.2 ms late or more in one of a hundred cases; the publisher was 1.5 ms late or more in one of a hundred cases"
    );
}

#[test]
fn six_trials_have_an_interval() {
    let lines = lines(&csv::summary(&fixture::six()));
    let sse = line(&lines, "sse");
    let [low, p50, high] =
        ["latency_p50_lo_us", "latency_p50_us", "latency_p50_hi_us"].map(|c| number(&sse[c]));
    assert!(low <= p50 && p50 <= high);
}

#[test]
fn trials_come_in_their_order_with_what_became_of_them() {
    let record = fixture::quick();
    let lines = lines(&csv::trials(&record));
    assert_eq!(lines.len(), 13);
    let repeat = lines.last().unwrap();
    let place = ["transport", "trial", "order", "attempt", "valid"].map(|c| repeat[c].as_str());
    assert_eq!(place, ["sse", "2", "13", "2", "true"]);
    let invalid: Vec<_> = lines.iter().filter(|line| line["valid"] == "false").collect();
    assert_eq!(invalid.len(), 2);
    assert!(invalid.iter().all(|line| line["invalid"] == "the machine stalled for up to 240.0 ms"));
}

#[test]
fn what_a_dead_trial_did_not_measure_is_empty() {
    let mut record = fixture::quick();
    for trial in record.trials.iter_mut().filter(|t| t.id.contender == Contender::SSE) {
        trial.measured = Measured::default();
        trial.invalid.push(Invalid::LoadDied { error: "killed".to_owned() });
    }
    for lines in [lines(&csv::summary(&record)), lines(&csv::trials(&record))] {
        let sse = line(&lines, "sse");
        let fields = ["published", "delivered", "lost", "requests", "latency_p50_us", "errors"];
        assert!(fields.iter().all(|field| sse[*field].is_empty()), "{sse:?}");
        assert_eq!(sse["valid"], "false");
    }
}

#[test]
fn bytes_sum_to_the_ledger() {
    let record = fixture::quick();
    let lines = lines(&csv::bytes(&record));
    for contender in [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::WEBSOCKET] {
        let trials: Vec<_> = record
            .trials
            .iter()
            .filter(|trial| trial.id.contender == contender && trial.is_valid())
            .collect();
        let ours = || {
            let socket = lines.iter().filter(|line| line["layer"] != "tcpip");
            socket.filter(|line| line["transport"] == contender.name())
        };
        let sum = |direction: &str| -> f64 {
            ours().filter(|line| line["direction"] == direction).map(|l| number(&l["bytes"])).sum()
        };
        let (up, down) = trials.iter().fold((0, 0), |(up, down), trial| {
            let ledger = &trial.measured.ledger;
            (up + ledger.socket_up, down + ledger.socket_down)
        });
        assert_eq!((sum("up"), sum("down")), (up as f64, down as f64), "{contender}");
        assert_eq!(
            ours().count(),
            Phase::ALL.len() * Direction::ALL.len() * Layer::AT_SOCKET.len()
        );
        for line in ours() {
            assert_eq!(line["bytes_per_msg"].is_empty(), line["phase"] != "window");
            let of_packets = ["source", "packets", "retransmitted_bytes"].map(|c| line[c].as_str());
            assert_eq!(of_packets, ["counted", "", ""]);
        }
    }
}

/// Bytes of TCP and IP in the trials' ledgers, as `bytes.csv` has them.
#[test]
fn lines_of_tcp_and_ip_have_their_own_sources_and_packets() {
    let record = fixture::six();
    let lines = lines(&csv::bytes(&record));
    let played: BTreeSet<_> = record.trials.iter().map(|trial| trial.id.contender).collect();
    for contender in played {
        let mut expected: BTreeMap<[&str; 3], TcpipTally> = BTreeMap::new();
        for trial in record.trials.iter().filter(|trial| trial.id.contender == contender) {
            for row in trial.measured.ledger.tcpip() {
                let key = [row.phase.name(), row.direction.name(), row.source.name()];
                expected.entry(key).or_default().merge(&row.tally);
            }
        }
        let is_ours = |line: &&HashMap<String, String>| {
            line["transport"] == contender.name() && line["layer"] == "tcpip"
        };
        let ours: Vec<_> = lines.iter().filter(is_ours).collect();
        assert_eq!(ours.len(), expected.len(), "{contender}");
        for line in ours {
            let key = ["phase", "direction", "source"].map(|c| line[c].as_str());
            let tally = expected[&key];
            let of_packets = ["bytes", "packets", "retransmitted_bytes"].map(|c| number(&line[c]));
            let tallied = [tally.bytes(), tally.packets, tally.retransmitted_bytes];
            assert_eq!(of_packets, tallied.map(|n| n as f64), "{contender} {key:?}");
            assert_eq!(line["bytes_per_msg"].is_empty(), line["phase"] != "window");
        }
        assert!(expected.contains_key(&["window", "down", "kernel"]));
        assert!(expected.contains_key(&["close", "up", "modelled"]));
    }
}

#[test]
fn the_layers_of_the_window_sum_to_the_wire() {
    // One trial each, so that a median of sums is the sum of medians.
    let record = fixture::run("clients = 5\nduration = \"1s\"\nruns = 1");
    let (summary, bytes) = (lines(&csv::summary(&record)), lines(&csv::bytes(&record)));
    for row in &summary {
        let ours = bytes.iter().filter(|line| line["transport"] == row["transport"]);
        let in_window = ours.filter(|line| line["phase"] == "window");
        let sum: f64 = in_window.map(|line| number(&line["bytes_per_msg"])).sum();
        let layers = ["payload", "framing", "http", "tls", "tcpip"];
        let columns: f64 = layers.map(|l| number(&row[&format!("{l}_bytes_per_msg")])).iter().sum();
        let wire = number(&row["wire_bytes_per_msg"]);
        assert!((wire - sum).abs() < 0.05 && (wire - columns).abs() < 0.05, "{row:?}");
    }
}

/// A trial that captured packets does not hide what the kernel counted of the others.
#[test]
fn each_trial_says_which_of_its_sources_count() {
    let mut record = fixture::run("clients = 5\nduration = \"1s\"\nruns = 2");
    let tally = TcpipTally { packets: 7, header_bytes: 364, retransmitted_bytes: 0 };
    let trial = fixture::trial_mut(&mut record, Contender::SSE, 1);
    let ledger = &mut trial.measured.ledger;
    ledger.add_tcpip(Phase::Window, Direction::Down, Source::Captured, &tally);
    let lines = lines(&csv::bytes(&record));
    let packets = |source: &str| {
        let in_window = lines.iter().filter(|line| {
            line["transport"] == "sse" && line["phase"] == "window" && line["direction"] == "down"
        });
        let ours = in_window.filter(|line| line["source"] == source && line["layer"] == "tcpip");
        ours.map(|line| number(&line["packets"])).sum::<f64>()
    };
    // The second trial's: five clients, ten messages.
    assert_eq!((packets("captured"), packets("kernel")), (7.0, 50.0));
}

#[test]
fn what_tcp_and_ip_added_has_no_line_where_nobody_counted() {
    let record = fixture::without_tcpip(fixture::quick());
    assert!(lines(&csv::bytes(&record)).iter().all(|line| line["layer"] != "tcpip"));
    let summary = lines(&csv::summary(&record));
    let empty = ["tcpip_bytes_per_msg", "wire_bytes_per_msg"].map(|c| summary[0][c].as_str());
    assert_eq!(empty, ["", ""]);
}

#[test]
fn series_have_a_line_for_each_second_of_each_trial() {
    let lines = lines(&csv::series(&fixture::quick()));
    assert_eq!(lines.len(), 13 * 4);
    let delivered: f64 = lines[..4].iter().map(|line| number(&line["delivered"])).sum();
    assert_eq!(delivered, 40.0 * 40.0);
    assert_eq!((lines[1]["second"].as_str(), lines[1]["order"].as_str()), ("1", "1"));
}

#[test]
fn models_stand_beside_what_was_measured() {
    let mut record = fixture::quick();
    let trial = fixture::trial_mut(&mut record, Contender::SHORT_POLL, 1);
    trial.check.distance = Some(Distance { ks: 0.012, p: Some(0.25) });
    trial.check.missed = Some(Compared { measured: 0.5, expected: 0.51, p: None });
    let file = csv::models(&record);
    let lines = lines(&file);
    let of = |quantity: &str| {
        let ours = |line: &&HashMap<String, String>| {
            line["quantity"] == quantity
                && line["transport"] == "short-poll"
                && line["trial"] == "1"
        };
        lines.iter().find(ours).unwrap()
    };
    let mean = of("latency_mean_us");
    assert_eq!(mean["expected"], "500420.0000");
    assert!((number(&mean["measured"]) / 500_000.0 - 1.0).abs() < 0.1);
    let distance = of("latency_ks_distance");
    assert_eq!((distance["measured"].as_str(), distance["p"].as_str()), ("0.0120", "0.250"));
    let missed = of("missed_share");
    assert_eq!((missed["expected"].as_str(), missed["p"].as_str()), ("0.5100", ""));
    assert!(lines.iter().all(|line| line["quantity"] != "empty_share"));
}
