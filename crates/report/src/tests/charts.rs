use std::collections::BTreeSet;
use std::time::Duration;

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor};
use pushbench_core::Contender;
use pushbench_metrics::judge::figures::summarise;
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase, Tally};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::Invalid;

use crate::charts::look::colour;
use crate::charts::style::layer_colour;
use crate::charts::{Chart, charts};
use crate::fixture;

fn chart<'a>(charts: &'a [Chart], name: &str) -> &'a Chart {
    charts.iter().find(|chart| chart.name == name).unwrap()
}

fn names(charts: &[Chart]) -> Vec<&str> {
    charts.iter().map(|chart| chart.name.as_str()).collect()
}

#[test]
fn every_transport_is_named_in_well_formed_xml() {
    let played: BTreeSet<_> =
        fixture::six().trials.iter().map(|trial| trial.id.contender).collect();
    let (six, broken_down) = (charts(&fixture::six()), charts(&fixture::broken_down()));
    let breakdown = broken_down.into_iter().filter(|chart| chart.name == "breakdown");
    for chart in six.into_iter().chain(breakdown) {
        let svg = chart.svg().unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<String> = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
            .collect();
        for contender in &played {
            let name = contender.name();
            assert!(texts.iter().any(|text| text == name), "{}: {name}", chart.name);
        }
        let root = document.root_element();
        assert!(root.attribute("viewBox").is_some() && root.attribute("aria-label").is_some());
        assert!(document.descendants().all(|node| node.attribute("id").is_none()));
    }
}

/// Texts begin and end inside the picture, by the measure of DejaVu, which is wide.
#[test]
fn no_text_is_clipped() {
    for record in [
        fixture::six(),
        fixture::sweep(),
        fixture::scale(),
        fixture::payloads(),
        fixture::ratios(),
        fixture::broken_down(),
    ] {
        for chart in charts(&record) {
            let svg = chart.svg().unwrap();
            let document = roxmltree::Document::parse(&svg).unwrap();
            let size =
                |name| -> f64 { document.root_element().attribute(name).unwrap().parse().unwrap() };
            let (width, height) = (size("width"), size("height"));
            for text in document.descendants().filter(|node| node.tag_name().name() == "text") {
                let place = |name| text.attribute(name).unwrap().parse::<f64>().unwrap();
                let bold = text.attribute("font-weight").is_some();
                let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
                let font = FontDesc::new(FontFamily::SansSerif, place("font-size") * 1.2, style);
                let ((left, _), (right, _)) = font.layout_box(text.text().unwrap().trim()).unwrap();
                let long = f64::from(right - left);
                let start = match text.attribute("text-anchor").unwrap() {
                    "start" => place("x"),
                    "end" => place("x") - long,
                    _ => place("x") - long / 2.0,
                };
                let inside = start >= 0.0 && start + long <= width;
                assert!(inside && place("y") < height - 8.0, "{}: {text:?}", chart.name);
            }
        }
    }
}

#[test]
fn a_bitmap_has_its_size_and_is_not_blank() {
    let record = fixture::quick();
    let charts = charts(&record);
    assert_eq!(names(&charts), ["latency", "age", "bytes", "cpu", "timeline"]);
    for chart in &charts {
        let bytes = chart.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let svg = chart.svg().unwrap();
        let size = format!("width=\"{}\" height=\"{}\"", info.width, info.height);
        assert!(svg.contains(&size) && info.width == 1_200);
        let colours: BTreeSet<&[u8]> = pixels.chunks_exact(3).collect();
        let websocket = [0xcc, 0x79, 0xa7];
        assert!(colours.len() > 50 && colours.contains(websocket.as_slice()), "{}", chart.name);
        assert!(bytes.len() < 150_000, "{} is {} bytes", chart.name, bytes.len());
    }
}

#[test]
fn points_have_their_own_charts_and_common_ones() {
    let record = fixture::sweep();
    let charts = charts(&record);
    assert_eq!(charts.len(), 4 * 5 + 5, "too few samples for a p99");
    assert_eq!(names(&charts)[..5], ["latency-1", "age-1", "bytes-1", "cpu-1", "timeline-1"]);
    assert_eq!(chart(&charts, "sweep-latency").title(), "Median latency against clients");
    let svg = chart(&charts, "sweep-bytes").svg().unwrap();
    for tick in ["5", "10", "20", "40"] {
        assert!(svg.contains(&format!("\n{tick}\n")), "{tick}");
    }
}

/// The point of 10 clients has no valid trial of one transport: its line ends at the point before and goes
/// on at the one behind. Those of others go through.
#[test]
fn a_line_is_broken_where_a_point_was_left_out() {
    let paths = |record: &RunRecord| {
        let svg = chart(&charts(record), "sweep-latency").svg().unwrap();
        let colour = "#009e73";
        let document = roxmltree::Document::parse(&svg).unwrap();
        let lines = document.descendants().filter(|node| {
            let stroke = node.attribute("stroke").unwrap_or_default();
            let is_wide = node.attribute("stroke-width").is_some_and(|width| width != "1");
            node.tag_name().name() == "polyline" && is_wide && stroke.eq_ignore_ascii_case(colour)
        });
        let corners =
            lines.map(|line| line.attribute("points").unwrap().split_whitespace().count());
        // The key of the legend and a bar at each point have two ends each.
        let mut corners: Vec<usize> = corners.collect();
        corners.sort_unstable();
        corners
    };
    let mut record = fixture::sweep();
    let whole = paths(&record);
    assert_eq!(whole.last(), Some(&4), "{whole:?}");
    let left_out = |trial: &&mut pushbench_metrics::record::TrialRecord| {
        trial.id.point == 2 && trial.id.contender == Contender::SSE
    };
    let stalled = Invalid::MachineStalled { worst: Duration::from_millis(240), share: 0.0 };
    record.trials.iter_mut().filter(left_out).for_each(|trial| trial.invalid.push(stalled.clone()));
    let broken = paths(&record);
    assert_eq!(broken.first(), Some(&1), "the point before stands alone: {broken:?}");
    assert_eq!(broken.last(), Some(&2), "{broken:?}");
}

#[test]
fn latency_over_a_setting_stands_beside_its_model() {
    let record = fixture::run(
        "name = \"far\"\nclients = 5\nduration = \"2s\"\nruns = 2\n[link]\ndelay = [\"0ms\", \"50ms\"]",
    );
    let charts = charts(&record);
    let sweep = chart(&charts, "sweep-latency");
    assert_eq!(sweep.title(), "Median latency against one-way delay");
    let svg = sweep.svg().unwrap();
    for text in ["thin: model", "one-way delay", "50 ms", "median latency (logarithmic)"] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
}

#[test]
fn a_title_claims_what_the_trials_separate() {
    let record = fixture::quick();
    let charts = charts(&record);
    let latency = chart(&charts, "latency").title();
    assert!(latency.starts_with("websocket and sse deliver in about 0.4"), "{latency}");
    assert!(latency.ends_with("short-poll in 500 ms"), "{latency}");
    let bytes = chart(&charts, "bytes").title();
    assert_eq!(bytes, "short-poll moves 113 bytes per message, long-poll 4.7 times as many");
}

#[test]
fn bytes_of_a_browser_are_drawn_as_two_parts() {
    let svg = chart(&charts(&fixture::browsed(100, 52)), "bytes").svg().unwrap();
    assert!(svg.contains("all above TCP") && svg.contains("TCP/IP headers"), "{svg}");
    assert!(svg.contains("152 B") && svg.contains("on the wire"), "{svg}");
}

#[test]
fn bytes_show_the_layers_that_were_counted() {
    let texts = |record: &RunRecord| -> (String, String, String) {
        let charts = charts(record);
        let bytes = chart(&charts, "bytes");
        (bytes.svg().unwrap(), bytes.title().to_owned(), bytes.caption.to_string())
    };
    let mut record = fixture::quick();
    let (svg, _, caption) = texts(&record);
    assert!(svg.contains("TCP/IP headers") && !svg.contains("\nTLS\n"));
    assert!(svg.contains("on the wire, at the IP layer") && caption.contains("IP layer"));

    // A single trial without it, and no sum is of all layers any more.
    fixture::without_tcpip_of(fixture::trial_mut(&mut record, Contender::SSE, 1));
    let (svg, title, caption) = texts(&record);
    assert!(svg.contains("at the socket") && !svg.contains("TCP/IP headers"));
    assert!(caption.contains("TCP and IP come on top"));
    assert_eq!(title, "websocket moves 66 bytes per message, long-poll 5.6 times as many");

    let mut record = fixture::quick();
    let mut tally = Tally::default();
    tally.add(Direction::Down, Layer::Tls, 22_000);
    for trial in record.trials.iter_mut().filter(|trial| trial.id.contender == Contender::SSE) {
        trial.measured.ledger.add(Phase::Window, &tally);
    }
    assert!(texts(&record).0.contains("\nTLS\n"));
}

/// By luma, of which a black-and-white print is made.
#[test]
fn layers_differ_in_lightness_and_from_all_transports() {
    let luma = |layer: Layer| {
        let RGBColor(red, green, blue) = layer_colour(layer);
        (f64::from(red) * 0.299 + f64::from(green) * 0.587 + f64::from(blue) * 0.114).round()
    };
    for one in Layer::ALL {
        for other in Layer::ALL.into_iter().filter(|other| *other != one) {
            assert!((luma(one) - luma(other)).abs() >= 20.0, "{one:?} {other:?}");
        }
        assert!(Contender::all().all(|contender| colour(contender) != layer_colour(one)));
    }
}

/// The rate follows from the clients, so that it is no setting that is held.
#[test]
fn what_grows_with_the_clients_is_shown_at_every_point() {
    let record = fixture::scale();
    let charts = charts(&record);
    let names = names(&charts);
    for name in ["sweep-latency-p99", "sweep-server-cpu", "sweep-load-cpu", "sweep-memory"] {
        assert!(names.contains(&name), "{names:?}");
        let svg = chart(&charts, name).svg().unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<&str> =
            document.descendants().filter_map(|node| node.text()).map(str::trim).collect();
        for clients in ["5", "10", "20", "40"] {
            assert!(texts.contains(&clients), "{name} lacks {clients}: {texts:?}");
        }
    }
}

/// Bare loops are in the charts of CPU, and in words below each table.
#[test]
fn the_floor_stands_beside_what_is_held_against_it() {
    let record = fixture::scale();
    let charts = charts(&record);
    let svg = |name| chart(&charts, name).svg().unwrap();
    for (name, key) in [("sweep-server-cpu", "loop of writes"), ("sweep-load-cpu", "loop of reads")]
    {
        assert!(svg(name).contains(&format!("floor: a bare {key}")), "{name}");
    }
    assert!(!svg("sweep-memory").contains("floor"));
    // At point 2 the median of three trials is 9,000 + 2 × 100 + 2 × 500 µs for 2,000 messages.
    let table = crate::terminal_table(&record, crate::Screen::NONE);
    let line = "Floor: a message costs a bare loop of writes 5.10 µs and one of reads 3.60 µs";
    assert!(table.contains(line), "{table}");
    // It is that of nobody who is in TLS.
    let mut secured = record.clone();
    secured.scenario.contenders = vec!["websocket+tls".parse().unwrap()];
    let line = "Floor: a message, in clear and as it is, costs a bare loop";
    assert!(crate::terminal_table(&secured, crate::Screen::NONE).contains(line), "{table}");
    let svg = chart(&self::charts(&secured), "sweep-load-cpu").svg().unwrap();
    assert!(svg.contains("floor, in clear: a bare loop of reads"));
    let csv = String::from_utf8(crate::floor::csv(&record)).unwrap();
    assert!(csv.starts_with(crate::floor::FLOOR_COLUMNS), "{csv}");
    assert!(csv.contains("\n2,10,2,true,2000,5.100,3.600,,100,64,1000,30000,0,1,"), "{csv}");
    let without = RunRecord { floors: Vec::new(), ..record };
    assert!(!crate::terminal_table(&without, crate::Screen::NONE).contains("Floor"));
}

#[test]
fn a_sweep_of_payloads_shows_the_payload_itself() {
    let record = fixture::payloads();
    let charts = charts(&record);
    let sweep = chart(&charts, "sweep-bytes");
    assert_eq!(sweep.title(), "From 10 KiB on, no transport adds more than 10 % to the payload");
    let svg = sweep.svg().unwrap();
    // One unit on an axis.
    for text in ["the payload itself", "10 B", "65,536 B", "10,000 B", "payload size"] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
    assert!(sweep.caption.contains("line of dashes"));
    // Who counted less than all may not say that little is added.
    let socket = self::charts(&fixture::without_tcpip(record));
    assert_eq!(chart(&socket, "sweep-bytes").title(), "Bytes per message against payload size");
    let other = self::charts(&fixture::sweep());
    assert_eq!(chart(&other, "sweep-bytes").title(), "Bytes per message against clients");
    assert!(!chart(&other, "sweep-bytes").svg().unwrap().contains("the payload itself"));
}

#[test]
fn a_run_over_ratios_stands_on_its_models() {
    let record = fixture::ratios();
    let charts = charts(&record);
    let sweeps: Vec<&str> =
        names(&charts).into_iter().filter(|name| name.starts_with("sweep")).collect();
    let of_ratios = ["sweep-age", "sweep-missed", "sweep-empty", "sweep-cpu"];
    assert_eq!(sweeps, [&["sweep-bytes", "sweep-client-bytes"], &of_ratios[..]].concat());
    for name in ["sweep-age", "sweep-missed", "sweep-empty"] {
        let svg = chart(&charts, name).svg().unwrap();
        assert!(svg.contains("thin: model"), "{name}");
        for ratio in ["0.1", "1", "10"] {
            assert!(svg.contains(&format!("\n{ratio}\n")), "{name}: {ratio}");
        }
    }
    let empty = chart(&charts, "sweep-empty").svg().unwrap();
    assert!(empty.contains("short-poll") && !empty.contains("websocket"));
    assert!(!chart(&charts, "sweep-cpu").svg().unwrap().contains("thin: model"));

    // Where each message is to arrive there is nothing to miss.
    let mut every = record;
    every.scenario.delivery = pushbench_core::Delivery::Every;
    assert!(!names(&self::charts(&every)).contains(&"sweep-missed"));
}

#[test]
fn the_model_is_drawn_beside_what_was_measured() {
    let mut record = fixture::quick();
    let legend = |record: &RunRecord| {
        chart(&charts(record), "latency").svg().unwrap().contains("thin: model")
    };
    assert!(legend(&record));
    record.trials.iter_mut().for_each(|trial| trial.check = Default::default());
    assert!(!legend(&record));
}

#[test]
fn what_was_not_measured_has_no_chart() {
    let mut record = fixture::quick();
    for trial in &mut record.trials {
        trial.resources.server_cpu = None;
        trial.resources.load_cpu = None;
    }
    assert_eq!(names(&charts(&record)), ["latency", "age", "bytes", "timeline"]);
    record.trials.clear();
    assert!(charts(&record).is_empty() && summarise(&record).is_empty());
}

#[test]
fn where_messages_were_superseded_titles_say_of_how_many_figures_are() {
    let record = fixture::latest();
    let charts = charts(&record);
    let end = "short-poll delivered 10.0 % of them";
    let bytes = chart(&charts, "bytes");
    assert_eq!(bytes.title(), format!("Bytes per message that arrived; {end}"));
    let cpu = chart(&charts, "cpu");
    assert_eq!(cpu.title(), format!("CPU time per message that arrived; {end}"));
    assert!(bytes.caption.ends_with(&format!("Of the messages, {end}.")), "{}", bytes.caption);
    assert!(cpu.caption.ends_with(&format!("Of the messages, {end}.")), "{}", cpu.caption);
}
