//! `headers.csv` and `claim.csv`. A column that is empty was not measured; a 0 was.

use pushbench_metrics::record::headers::{
    Claim, ContenderBytes, Exchange, HeaderCase, HeadersRecord, Level, Traffic,
};

use super::claim;
use crate::csv::Sheet;

/// The columns of `headers.csv`.
const COLUMNS: &str = "profile,cookie_bytes,delivery,transport,source,exchanges,usual,extra_acks,\
request_characters,request_bytes,response_characters,response_bytes,framing_bytes,payload_bytes,\
added_characters,added_bytes,tcp_bytes,ip_bytes,ethernet_bytes,packets,segments,pure_acks,\
ratio_characters,ratio_bytes,ratio_tcp,ratio_ip,ratio_ethernet,\
open_ethernet_bytes,open_segments,\
first_request_characters,first_request_bytes,first_response_characters,first_response_bytes,\
first_ethernet_bytes,first_segments,close_ethernet_bytes,close_segments,\
tls_bytes,tls_client_hello_bytes,tls_server_handshake_bytes,tls_client_finished_bytes,\
tls_ticket_bytes,tls_record_bytes,tls_alert_bytes,\
first_tls_client_hello_bytes,first_tls_server_handshake_bytes,first_tls_client_finished_bytes,\
first_tls_ticket_bytes";

/// The columns of `claim.csv`.
const CLAIM_COLUMNS: &str = "use_case,clients,figure,bit_per_s,origin";

/// `headers.csv`: a line for each case and transport.
pub(super) fn exchanges(record: &HeadersRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[COLUMNS]);
    for case in &record.cases {
        for row in &case.rows {
            sheet.line(fields(record, case, row));
        }
    }
    sheet.finish()
}

fn fields(record: &HeadersRecord, case: &HeaderCase, row: &ContenderBytes) -> Vec<String> {
    let Exchange { request, response, payload, framing, traffic } = &row.exchange;
    let mut fields = vec![
        case.profile.clone(),
        case.cookie_bytes.to_string(),
        case.delivery.to_string(),
        row.contender.name().to_owned(),
        record.source.name().to_owned(),
    ];
    let counts = [
        row.exchanges.into(),
        row.usual.into(),
        row.extra_acks,
        request.characters,
        request.bytes,
        response.characters,
        response.bytes,
        *framing,
        *payload,
    ];
    fields.extend(counts.map(|count: u64| count.to_string()));
    fields.extend(Level::ALL.map(|level| row.exchange.at(level).to_string()));
    fields.push(traffic.packets.map_or_else(String::new, |packets| packets.to_string()));
    fields.extend([traffic.segments, traffic.acks].map(|count| count.to_string()));
    let ratio =
        |level| case.ratio(row, level).map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    fields.extend(Level::ALL.map(ratio));
    fields.extend(once(row));
    fields.extend(tls(row));
    fields
}

/// Bytes of TLS, of each exchange and of the connection's first handshake.
fn tls(row: &ContenderBytes) -> impl Iterator<Item = String> {
    let (each, first) = (&row.exchange.traffic.tls, &row.opening().tls);
    let first = first.parts().into_iter().take(4);
    [each.total()].into_iter().chain(each.parts()).chain(first).map(|bytes| bytes.to_string())
}

/// Bytes of a connection once.
fn once(row: &ContenderBytes) -> Vec<String> {
    let counts = |traffic: &Traffic| {
        [traffic.ethernet_bytes(), traffic.segments].map(|count| count.to_string())
    };
    let apart = |traffic: &Option<Traffic>| traffic.as_ref().map(counts).unwrap_or_default();
    let Exchange { request, response, traffic, .. } = &row.subscription;
    let heads = [request.characters, request.bytes, response.characters, response.bytes];
    let mut fields = apart(&row.open).to_vec();
    fields.extend(heads.map(|count| count.to_string()));
    fields.extend(counts(traffic));
    fields.extend(apart(&row.close));
    fields
}

/// `claim.csv`: a line for each use case and figure.
pub(super) fn claim(claim: &Claim) -> Vec<u8> {
    let mut sheet = Sheet::new(&[CLAIM_COLUMNS]);
    for line in claim::lines(claim) {
        for (of, cell) in claim.use_cases.iter().zip(&line.cells) {
            sheet.line([
                of.name.as_str(),
                &of.clients.to_string(),
                line.key,
                &format!("{:.0}", cell.bits),
                cell.origin.name(),
            ]);
        }
    }
    sheet.finish()
}
