//! Bodies in chunks.

use pushbench_protocol::Malformed;
use pushbench_protocol::chunked::{ChunkedReader, LAST_CHUNK, Piece, push};

use super::however_cut;

/// The body, the bytes of framing, and the bytes behind its end, where it has one.
#[derive(Debug, PartialEq)]
struct Read {
    body: Vec<u8>,
    framing: usize,
    behind: usize,
    done: bool,
}

pub(super) fn holds(input: &[u8]) {
    if let Ok(read) = however_cut(input, read) {
        assert_eq!(read.body.len() + read.framing + read.behind, input.len());
        assert!(read.done || read.behind == 0, "input is left over before the end");
    }
    reads_back(input);
}

fn read(pieces: &[&[u8]]) -> Result<Read, Malformed> {
    let mut reader = ChunkedReader::default();
    let mut read = Read { body: Vec::new(), framing: 0, behind: 0, done: false };
    for mut piece in pieces.iter().copied() {
        while let Some(part) = reader.next(&mut piece)? {
            match part {
                Piece::Framing(bytes) => read.framing += bytes,
                Piece::Data(data) => read.body.extend_from_slice(data),
            }
        }
        read.behind += piece.len();
    }
    read.done = reader.is_done();
    Ok(read)
}

/// The input's lines as chunks are read as the input without line ends.
fn reads_back(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let mut wire = Vec::new();
    lines.iter().for_each(|line| push(&mut wire, line));
    wire.extend_from_slice(LAST_CHUNK);
    let body = lines.concat();
    let framing = wire.len() - body.len();
    wire.extend_from_slice(b"HTTP/1.1");
    assert_eq!(read(&[&wire]), Ok(Read { body, framing, behind: 8, done: true }));
}
