//! Types that keep their rules wherever they come from: built here, or written by another program.

/// Implements `Serialize` and `Deserialize` for types that derive both with
/// `#[serde(remote = "Self")]`: what is read has to pass the type's own `check`, as what is built
/// here does.
///
/// The derived functions stay reachable inside the crate, so that a parser with better words for
/// its errors can read first and check then.
#[macro_export]
macro_rules! checked_when_read {
    ($($type:ty),+ $(,)?) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let read = <$type>::deserialize(reader)?;
                read.check().map_err(::serde::de::Error::custom)?;
                Ok(read)
            }
        }
    )+};
}

/// The text up to `most` characters, for an error that repeats what a stranger wrote.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
