//! A ring of packets in memory that the kernel and this process share (`PACKET_RX_RING`, packet(7),
//! Documentation/networking/packet_mmap.rst).
//!
//! A packet socket's own queue is bounded by `SO_RCVBUF`, which an ordinary user may not raise; a
//! ring is as long as asked. It is of the second version, in which each packet is handed over at
//! once; the third gathers them by the block and the time.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_int, c_void, socklen_t};

use super::{set_socket_option, succeeded};

/// The bytes of a block, in which a whole number of frames lies: of any size up to this, which is
/// a power of two. Also a whole number of pages, of any architecture.
const BLOCK: usize = 1 << 17;

/// Frames that the kernel fills in turn. The socket it belongs to must outlive it.
#[derive(Debug)]
pub(crate) struct Ring {
    memory: NonNull<u8>,
    length: usize,
    frame: usize,
    next: usize,
}

// SAFETY: the memory belongs to this value alone on this side, and any thread may use it.
unsafe impl Send for Ring {}

impl Ring {
    /// Gives `socket` a ring of at least `packets` packets of at most `largest` bytes, each with
    /// its Ethernet header.
    ///
    /// # Errors
    ///
    /// The error of `setsockopt` or `mmap`; `ENOMEM` where so much memory is not to be had.
    pub(crate) fn new(socket: BorrowedFd<'_>, packets: usize, largest: usize) -> io::Result<Self> {
        let frame = (libc::TPACKET2_HDRLEN + largest + ALIGNMENT).next_power_of_two();
        let blocks = packets.saturating_mul(frame).div_ceil(BLOCK).max(1);
        let length = blocks.checked_mul(BLOCK).ok_or(io::ErrorKind::InvalidInput)?;
        if frame > BLOCK {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let version = libc::tpacket_versions::TPACKET_V2 as c_int;
        set_socket_option(socket, libc::SOL_PACKET, libc::PACKET_VERSION, version)?;
        ask_for(socket, blocks, length / frame, frame)?;
        let memory = map(socket, length)?;
        Ok(Self { memory, length, frame, next: 0 })
    }

    /// The next packet, from its network header on, handed to `read`; its frame is the kernel's
    /// again afterwards. `None` where none waits.
    ///
    /// A packet that did not fit its frame is handed over as far as it did, with `whole` false.
    pub(crate) fn take<R>(&mut self, read: impl FnOnce(&[u8], bool) -> R) -> Option<R> {
        // SAFETY: `next` is a multiple of `frame` below `length`, so a whole frame of the mapped
        // memory starts there, aligned for a `tpacket2_hdr`, whose first field is the status.
        let header = unsafe { self.memory.add(self.next) }.cast::<libc::tpacket2_hdr>();
        // SAFETY: the status is a `u32` that lives as long as the mapping, and that both sides
        // only touch as a whole.
        let status = unsafe { AtomicU32::from_ptr(&raw mut (*header.as_ptr()).tp_status) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the kernel has given the frame away with that status, so the header is filled
        // in and is not written to until the status is handed back.
        let filled = unsafe { header.read() };
        let (start, mac) = (usize::from(filled.tp_net), usize::from(filled.tp_mac));
        let kept = (filled.tp_snaplen as usize).saturating_sub(start.saturating_sub(mac));
        // Never beyond the frame, whatever the header says.
        let kept = kept.min(self.frame.saturating_sub(start));
        let start = start.min(self.frame);
        // SAFETY: the bytes lie within the frame, are initialised, as the mapping began zeroed, and
        // are this side's until the status below.
        let bytes =
            unsafe { std::slice::from_raw_parts(header.cast::<u8>().add(start).as_ptr(), kept) };
        let result = read(bytes, filled.tp_snaplen == filled.tp_len);
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = if self.next + self.frame < self.length { self.next + self.frame } else { 0 };
        Some(result)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, of that length, and nothing borrows from it.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.length) };
    }
}

/// Room for the address that stands before a packet, for the Ethernet header, and for alignment.
const ALIGNMENT: usize = 64;

fn ask_for(socket: BorrowedFd<'_>, blocks: usize, frames: usize, frame: usize) -> io::Result<()> {
    let number = |value: usize| u32::try_from(value).map_err(|_| io::ErrorKind::InvalidInput);
    let request = libc::tpacket_req {
        tp_block_size: number(BLOCK)?,
        tp_block_nr: number(blocks)?,
        tp_frame_size: number(frame)?,
        tp_frame_nr: number(frames)?,
    };
    let size = size_of::<libc::tpacket_req>() as socklen_t;
    let pointer: *const c_void = (&raw const request).cast();
    let (level, name) = (libc::SOL_PACKET, libc::PACKET_RX_RING);
    // SAFETY: `pointer` is a whole `tpacket_req` of `size` bytes, only read during the call.
    succeeded(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, size) })
}

fn map(socket: BorrowedFd<'_>, length: usize) -> io::Result<NonNull<u8>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    // SAFETY: a new mapping, at an address that the kernel picks, of memory that no Rust value
    // lies in.
    let memory =
        unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, socket.as_raw_fd(), 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(memory.cast()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
