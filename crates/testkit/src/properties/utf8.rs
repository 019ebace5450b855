//! Text that arrives in pieces.

use pushbench_protocol::utf8::{Utf8Error, Utf8Reader};

use super::however_cut;

/// The reader and the standard library agree on what is text, and on what may become text.
pub(super) fn holds(input: &[u8]) {
    let (so_far, whole) = however_cut(input, read);
    match std::str::from_utf8(input) {
        Ok(_) => assert_eq!((so_far, whole), (Ok(()), Ok(()))),
        Err(error) => {
            assert_eq!(so_far.is_err(), error.error_len().is_some());
            assert_eq!(whole, Err(Utf8Error));
        }
    }
}

/// Whether the pieces may be the start of a text, and whether they are all of one.
fn read(pieces: &[&[u8]]) -> (Result<(), Utf8Error>, Result<(), Utf8Error>) {
    let mut reader = Utf8Reader::default();
    let so_far = pieces.iter().try_for_each(|piece| reader.push(piece));
    (so_far, so_far.and_then(|()| reader.finish()))
}
