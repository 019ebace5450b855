//! Text in UTF-8 that arrives in pieces, checked and not kept (RFC 3629).

use thiserror::Error;

/// Text that is not UTF-8.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("the text is not UTF-8")]
pub struct Utf8Error;

/// Checks one text after another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utf8Reader {
    /// The start of a character that the last piece ended within.
    partial: [u8; 4],
    length: u8,
}

impl Utf8Reader {
    /// Takes the next piece of the text.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] as soon as no more bytes could make it UTF-8.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Utf8Error> {
        if self.length == 0 && piece.is_ascii() { Ok(()) } else { self.check(piece) }
    }

    /// The text ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] where it ends within a character.
    #[inline]
    pub const fn finish(&mut self) -> Result<(), Utf8Error> {
        if self.length == 0 {
            return Ok(());
        }
        self.length = 0;
        Err(Utf8Error)
    }

    #[cold]
    fn check(&mut self, mut piece: &[u8]) -> Result<(), Utf8Error> {
        while self.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            let length = usize::from(self.length);
            // A character has at most four bytes, and one that has them all is judged below.
            self.partial[length] = byte;
            match std::str::from_utf8(&self.partial[..=length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return Err(Utf8Error),
                Err(_) => self.length += 1,
            }
        }
        let Err(error) = std::str::from_utf8(piece) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(Utf8Error);
        }
        let tail = &piece[error.valid_up_to()..];
        self.partial[..tail.len()].copy_from_slice(tail);
        // At most three.
        self.length = tail.len() as u8;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], step: usize) -> Result<(), Utf8Error> {
        let mut reader = Utf8Reader::default();
        text.chunks(step).try_for_each(|piece| reader.push(piece))?;
        reader.finish()
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_standard_library_however_the_text_is_cut(
            text in ".{0,30}", noise in prop::collection::vec(any::<u8>(), 0..3),
            at in 0_usize..60, step in 1_usize..12,
        ) {
            let mut bytes = text.into_bytes();
            let at = at.min(bytes.len());
            bytes.splice(at..at, noise);
            prop_assert_eq!(read(&bytes, step).is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }

    #[test]
    fn surrogates_long_forms_and_halves_are_refused() {
        for text in [&b"\xed\xa0\x80"[..], b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\xe2\x82", b"\x80"]
        {
            for step in 1..5 {
                assert_eq!(read(text, step), Err(Utf8Error), "{}", text.escape_ascii());
            }
        }
        let mut reader = Utf8Reader::default();
        assert_eq!((reader.push(b"\xe2"), reader.finish()), (Ok(()), Err(Utf8Error)));
        assert_eq!(reader.push(b"\x82"), Err(Utf8Error), "the next text is its own");
    }
}
