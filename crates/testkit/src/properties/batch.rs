//! Batches: the bodies of polls.

use pushbench_protocol::batch::{BatchError, BatchReader, Piece, encoded_len, push};

use super::however_cut;

/// Messages with the start of one that was cut short, and the bytes that were framing.
type Read = (Vec<Vec<u8>>, usize);

pub(super) fn holds(input: &[u8]) {
    let (read, whole) = however_cut(input, read);
    if let Ok((messages, framing)) = read {
        assert_eq!(framing + messages.concat().len(), input.len(), "each byte is one or the other");
        assert!(whole || !input.is_empty());
    }
    reads_back(input);
}

/// The outcome of reading, and whether the body may end there.
fn read(pieces: &[&[u8]]) -> (Result<Read, BatchError>, bool) {
    let mut reader = BatchReader::default();
    let (mut messages, mut framing) = (vec![Vec::new()], 0);
    for mut piece in pieces.iter().copied() {
        loop {
            match reader.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Piece::Framing(bytes))) => framing += bytes,
                Ok(Some(Piece::Payload(bytes, last))) => {
                    let message = messages.last_mut().expect("there is always one");
                    message.extend_from_slice(bytes);
                    if last {
                        messages.push(Vec::new());
                    }
                }
                Err(error) => return (Err(error), false),
            }
        }
    }
    (Ok((messages, framing)), reader.finish().is_ok())
}

/// A batch of the input's lines is read as those lines.
fn reads_back(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let mut body = Vec::new();
    for line in &lines {
        let before = body.len();
        push(&mut body, line);
        assert_eq!(body.len() - before, encoded_len(line.len()));
    }
    let (Ok((mut messages, _)), true) = read(&[&body]) else { panic!("a batch is not read") };
    assert_eq!(messages.pop(), Some(Vec::new()));
    assert_eq!(messages, lines);
}
