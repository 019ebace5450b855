//! Responses on a connection.

use pushbench_protocol::deflate::Offer;
use pushbench_protocol::http::{CutShort, Piece, ResponseError, ResponseHead, ResponseReader};

use super::however_cut;

/// The responses of a connection, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Read {
    responses: Vec<(ResponseHead, Vec<u8>)>,
    /// The bytes of heads, of framing and of bodies.
    layers: [usize; 3],
    /// The last head's `ETag`.
    kept: Vec<u8>,
    complete: usize,
    end: Option<Result<bool, CutShort>>,
    error: Option<ResponseError>,
}

pub(super) fn holds(input: &[u8]) {
    let read = however_cut(input, read);
    if read.error.is_none() {
        assert_eq!(read.layers.iter().sum::<usize>(), input.len(), "each byte is of one layer");
        let complete = read.complete + usize::from(read.end == Some(Ok(true)));
        let open = read.responses.len() - complete;
        assert!(open == 0 || (open == 1 && read.end == Some(Err(CutShort))), "{open} are open");
    }
    for (head, body) in &read.responses {
        assert!(head.status >= 200 || head.status == 101, "an interim response is none");
        assert_eq!(head.upgrade.is_some(), head.status == 101);
        let bodiless = matches!(head.status, 101 | 204 | 304);
        assert!(!bodiless || body.is_empty(), "a {} has a body", head.status);
        if let Some(upgrade) = &head.upgrade {
            for offer in [None, Some(&Offer::BROWSER)] {
                let _ = upgrade.check("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", offer, &[]);
            }
        }
    }
}

fn read(pieces: &[&[u8]]) -> Read {
    let (mut reader, mut read) = (ResponseReader::keeping("ETag"), Read::default());
    for mut input in pieces.iter().copied() {
        loop {
            match reader.next(&mut input) {
                Ok(None) => break,
                Ok(Some(piece)) => read.take(piece),
                Err(error) => {
                    // How much of a head was counted before depends on the pieces.
                    read.layers = [0; 3];
                    read.error = Some(error);
                    return read;
                }
            }
        }
    }
    read.kept = reader.kept().to_vec();
    read.end = Some(reader.finish());
    read
}

impl Read {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::HeadPart(bytes) => self.layers[0] += bytes,
            Piece::Head(head, bytes) => {
                self.layers[0] += bytes;
                self.responses.push((head, Vec::new()));
            }
            Piece::Framing(bytes) => self.layers[1] += bytes,
            Piece::Data(data) => {
                self.layers[2] += data.len();
                let (_, body) = self.responses.last_mut().expect("a body follows a head");
                body.extend_from_slice(data);
            }
            Piece::End => self.complete += 1,
        }
    }
}
