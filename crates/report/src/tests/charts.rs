use std::collections::BTreeSet;

use plotters::style::{FontDesc, FontFamily, FontStyle};
use pushbench_core::Transport;
use pushbench_metrics::figures::summarise;

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
    let record = fixture::six();
    for chart in charts(&record) {
        let svg = chart.svg().unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<String> = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
            .collect();
        for transport in Transport::ALL {
            let name = transport.name();
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
    for record in [fixture::six(), fixture::sweep()] {
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
    assert_eq!(names(&charts), ["latency", "bytes", "cpu", "timeline"]);
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
    assert_eq!(charts.len(), 4 * 4 + 2);
    assert_eq!(names(&charts)[..5], ["latency-1", "bytes-1", "cpu-1", "timeline-1", "latency-2"]);
    assert_eq!(chart(&charts, "sweep-latency").title(), "Median latency against clients");
    let svg = chart(&charts, "sweep-bytes").svg().unwrap();
    for tick in ["5", "10", "20", "40"] {
        assert!(svg.contains(&format!("\n{tick}\n")), "{tick}");
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
    assert_eq!(bytes, "websocket moves 66 bytes per message, long-poll 5.6 times as many");
}

#[test]
fn what_was_not_measured_has_no_chart() {
    let mut record = fixture::quick();
    for trial in &mut record.trials {
        trial.resources.server_cpu = None;
        trial.resources.load_cpu = None;
    }
    assert_eq!(names(&charts(&record)), ["latency", "bytes", "timeline"]);
    record.trials.clear();
    assert!(charts(&record).is_empty() && summarise(&record).is_empty());
}
