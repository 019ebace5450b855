//! Memory for packets, by sizes of powers of two, which is given out again and again.

/// The smallest place: an ACK with time stamps has 52 bytes in IPv4, a small message about 120.
const SMALLEST: usize = 128;

/// Sizes of places: the last is that of the largest IP packet.
const SIZES: usize = 10;

/// Bytes of memory that are fetched at a time. What is there is never moved, as it would be if it grew
/// in one piece: copying a hundred megabytes is a stall.
const CHUNK: usize = 128 << 10;

/// Where a packet's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    size: u8,
    place: u32,
    length: u32,
}

#[derive(Debug, Default)]
struct Places {
    chunks: Vec<Box<[u8]>>,
    free: Vec<u32>,
}

/// Places for packets.
#[derive(Debug)]
pub(super) struct Slots {
    sizes: [Places; SIZES],
    /// Bytes that may still be fetched.
    left: usize,
}

impl Slots {
    /// None yet, and at most `limit` bytes of them.
    pub(super) fn new(limit: usize) -> Self {
        Self { sizes: std::array::from_fn(|_| Places::default()), left: limit }
    }

    /// A place with the bytes of `packet`; `None` where there is no room, or it is no IP packet.
    pub(super) fn fill(&mut self, packet: &[u8]) -> Option<Slot> {
        let size = size_for(packet.len());
        if size >= SIZES {
            return None;
        }
        let place = self.sizes[size].free.pop().or_else(|| self.fetch(size))?;
        let slot = Slot { size: size as u8, place, length: packet.len() as u32 };
        self.place(slot).copy_from_slice(packet);
        Some(slot)
    }

    /// The bytes of the packet there.
    pub(super) fn bytes(&self, slot: Slot) -> &[u8] {
        let (chunk, start) = position(slot);
        let chunks = &self.sizes[usize::from(slot.size)].chunks;
        &chunks[chunk][start..start + slot.length as usize]
    }

    /// Gives a place back.
    pub(super) fn free(&mut self, slot: Slot) {
        self.sizes[usize::from(slot.size)].free.push(slot.place);
    }

    fn place(&mut self, slot: Slot) -> &mut [u8] {
        let (chunk, start) = position(slot);
        let chunks = &mut self.sizes[usize::from(slot.size)].chunks;
        &mut chunks[chunk][start..start + slot.length as usize]
    }

    /// Fetches memory for places of a size, and gives out one of them.
    fn fetch(&mut self, size: usize) -> Option<u32> {
        self.left = self.left.checked_sub(CHUNK)?;
        let places = &mut self.sizes[size];
        let count = CHUNK / (SMALLEST << size);
        let first = u32::try_from(places.chunks.len() * count).ok()?;
        places.chunks.push(vec![0; CHUNK].into_boxed_slice());
        // The list of free places never grows beyond all there are.
        places.free.reserve(places.chunks.len() * count);
        places.free.extend((first + 1..first + count as u32).rev());
        Some(first)
    }
}

/// The number of the smallest size that holds `bytes`.
const fn size_for(bytes: usize) -> usize {
    let bytes = if bytes < SMALLEST { SMALLEST } else { bytes };
    (bytes.next_power_of_two() / SMALLEST).trailing_zeros() as usize
}

/// The chunk of a place, and where it begins there.
const fn position(slot: Slot) -> (usize, usize) {
    let each = SMALLEST << slot.size;
    let count = CHUNK / each;
    (slot.place as usize / count, slot.place as usize % count * each)
}
