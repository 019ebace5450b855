//! Bodies and streams in gzip.

use pushbench_core::deflate::DeflateSettings;
use pushbench_protocol::gzip::{GzipError, GzipReader, GzipWriter, HEADER, Sum, push_trailer};

use super::however_cut;

/// The most bytes that a body may have here.
const LIMIT: u64 = 10_000;

pub(super) fn holds(input: &[u8]) {
    // How it fails may depend on the cut: a fault behind the first byte too many is seen, or is not.
    let whole = however_cut(input, |pieces| body(pieces, 64).ok());
    for room in [1, 4096] {
        assert_eq!(body(&[input], room).ok(), whole, "{room} bytes at a time");
    }
    if let Some(text) = whole {
        let (mut writer, mut again) = (GzipWriter::new(DeflateSettings::default()), Vec::new());
        writer.push_body(&text, &mut again);
        assert_eq!(body(&[&again], 64), Ok(text));
    }
    any_part_of_a_stream_is_a_body(input);
}

fn body(pieces: &[&[u8]], room: usize) -> Result<Vec<u8>, GzipError> {
    let (mut reader, mut text, mut buffer) = (GzipReader::new(LIMIT), Vec::new(), vec![0; room]);
    for mut input in pieces.iter().copied() {
        while let Some(data) = reader.next(&mut input, &mut buffer)? {
            text.extend_from_slice(data);
            assert!(text.len() as u64 <= LIMIT, "{} bytes are beyond the limit", text.len());
        }
        assert!(input.is_empty(), "{} bytes were left", input.len());
    }
    reader.finish().map(|()| text)
}

/// The input's lines as a stream's blocks: from wherever on, and however long, they are a body
/// between a header and a trailer.
fn any_part_of_a_stream_is_a_body(input: &[u8]) {
    let mut writer = GzipWriter::new(DeflateSettings::default());
    let lines: Vec<&[u8]> = input.split_inclusive(|&byte| byte == b'\n').take(8).collect();
    let mut all = vec![Sum::default()];
    let mut blocks = Vec::new();
    for line in &lines {
        let mut block = Vec::new();
        let sum = writer.push_block(line, &mut block);
        all.push(all[all.len() - 1].then(sum));
        blocks.push(block);
    }
    for start in 0..lines.len() {
        let mut wire = [&HEADER[..], &blocks[start..].concat()].concat();
        push_trailer(all[lines.len()].since(all[start]), &mut wire);
        let text = lines[start..].concat();
        let expected =
            if text.len() as u64 > LIMIT { Err(GzipError::TooLarge(LIMIT)) } else { Ok(text) };
        assert_eq!(body(&[&wire], 512), expected, "from block {start}");
    }
}
