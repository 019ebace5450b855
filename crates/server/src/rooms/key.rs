//! Numbers of rooms.

/// A room's number, as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoomKey(u32);

impl RoomKey {
    /// The feed.
    pub(crate) const FEED: Self = Self(0);

    /// Those who hear themselves and nobody else.
    pub(crate) const ECHO: Self = Self(1);

    /// That of a place in a list.
    pub(crate) fn at(place: usize) -> Self {
        Self(u32::try_from(place).expect("rooms are bounded, and fewer than there are numbers"))
    }

    #[inline]
    pub(crate) const fn place(self) -> usize {
        self.0 as usize
    }
}
