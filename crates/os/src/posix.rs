//! The few calls for which there is no safe API: the CPU clock of another process, a thread's
//! scheduling class, socket options that are structures, packets by the batch, bytes with their
//! kernel's stamp, namespaces, devices, and a ring of packets that the kernel fills.
//!
//! Nothing else may be unsafe in this workspace, so this module holds as little as it can, and
//! knows nothing of what the bytes mean.

pub(crate) mod network;
pub(crate) mod ring;

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

/// The kernel's number for the CPU clock of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CpuClockId(libc::clockid_t);

impl CpuClockId {
    /// The CPU clock of process `pid`.
    ///
    /// # Errors
    ///
    /// `ESRCH` where `pid` is no process, or is a thread other than its process's first.
    pub(crate) fn of(pid: libc::pid_t) -> io::Result<Self> {
        let mut id: libc::clockid_t = 0;
        // SAFETY: `id` is a valid, writable `clockid_t` for the whole call, which keeps no
        // pointer to it.
        let errno = unsafe { libc::clock_getcpuclockid(pid, &raw mut id) };
        // Unlike most of libc this returns the error number instead of setting `errno`.
        if errno == 0 { Ok(Self(id)) } else { Err(io::Error::from_raw_os_error(errno)) }
    }

    /// The nanoseconds that all threads of the process, ended ones too, have run for.
    ///
    /// # Errors
    ///
    /// `ESRCH` where the process is gone.
    pub(crate) fn read_ns(self) -> io::Result<u64> {
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: `time` is valid for writing a `timespec` for the whole call, which keeps no
        // pointer to it. An id that names no clock any more is an error, not undefined.
        let status = unsafe { libc::clock_gettime(self.0, time.as_mut_ptr()) };
        if status != 0 {
            return Err(name_the_dead(io::Error::last_os_error()));
        }
        // SAFETY: `clock_gettime` returned 0, so it has filled in the whole of `time`.
        let time = unsafe { time.assume_init() };
        Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
    }
}

/// The kernel calls the clock of a process that is gone an invalid argument.
fn name_the_dead(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::EINVAL) {
        return io::Error::from_raw_os_error(libc::ESRCH);
    }
    error
}

/// Lets the calling thread go before every thread that is not real-time, and before those that are and
/// have a lower priority, from 1 on (`SCHED_FIFO`).
///
/// # Errors
///
/// `EPERM` without the privilege `CAP_SYS_NICE` or a resource limit `RTPRIO`, and in a group of
/// processes that is given no real-time at all.
pub(crate) fn go_first(priority: c_int) -> io::Result<()> {
    set_class(libc::SCHED_FIFO, priority)
}

/// Has the calling thread share its core with all others, as it did before it [went
/// first](go_first).
pub(crate) fn go_with_others() -> io::Result<()> {
    set_class(libc::SCHED_OTHER, 0)
}

fn set_class(class: c_int, priority: c_int) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: `parameter` is a whole `sched_param`, only read during the call; thread 0 is the
    // calling one.
    succeeded(unsafe { libc::sched_setscheduler(0, class, &raw const parameter) })
}

/// Reads a socket option into `value`; returns how many of its bytes the kernel filled in.
pub(crate) fn socket_option(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &mut [u8],
) -> io::Result<usize> {
    let mut length = value.len() as socklen_t;
    // SAFETY: `value` is writable for `length` bytes, more than which the kernel never writes,
    // and any byte is a valid `u8`. The kernel keeps no pointer.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    succeeded(status).map(|()| length as usize)
}

/// Sets a socket option that is one number.
pub(crate) fn set_socket_option(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    let size = size_of::<c_int>() as socklen_t;
    let pointer: *const c_void = (&raw const value).cast();
    // SAFETY: `pointer` is readable for `size` bytes during the call, which keeps no pointer.
    succeeded(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, size) })
}

/// Has the kernel keep only what the classic BPF `program` lets pass.
///
/// # Errors
///
/// The error of `setsockopt`; `EINVAL` where the kernel's checker refuses the program.
pub(crate) fn attach_filter(
    socket: BorrowedFd<'_>,
    program: &[libc::sock_filter],
) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // The kernel takes a pointer to mutable instructions, and only reads them.
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    let size = size_of::<libc::sock_fprog>() as socklen_t;
    let pointer: *const c_void = (&raw const program).cast();
    let (level, name) = (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER);
    // SAFETY: `pointer` is a whole `sock_fprog`, whose `filter` is readable for `len`
    // instructions; the kernel copies them during the call and writes nothing.
    succeeded(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, size) })
}

/// Binds an `AF_PACKET` socket to one interface and to all protocols; packets arrive from now.
pub(crate) fn bind_to_interface(socket: BorrowedFd<'_>, index: c_int) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let size = size_of::<libc::sockaddr_ll>() as socklen_t;
    let pointer: *const libc::sockaddr = (&raw const address).cast();
    // SAFETY: `pointer` is a whole, initialised `sockaddr_ll` of `size` bytes, only read.
    succeeded(unsafe { libc::bind(socket.as_raw_fd(), pointer, size) })
}

fn succeeded(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many datagrams one call takes at most.
const BATCH: usize = 64;

/// How many bytes of each datagram are kept.
pub(crate) const KEPT: usize = 160;

/// Space for one batch of datagrams, used again for each.
pub(crate) struct Batch {
    slots: Box<[Slot; BATCH]>,
}

#[derive(Clone, Copy)]
struct Slot {
    bytes: [u8; KEPT],
    /// Ancillary data; `u64` for the alignment that its headers want.
    control: [u64; 8],
    /// How many of `bytes` are filled.
    length: usize,
    received: Option<Duration>,
}

/// The beginning of one datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    /// Its first bytes, at most [`KEPT`].
    pub(crate) bytes: &'a [u8],
    /// When the kernel received it, since the epoch (`SO_TIMESTAMPNS`).
    pub(crate) received: Option<Duration>,
}

impl Batch {
    /// Space for a batch.
    pub(crate) fn new() -> Self {
        let slot = Slot { bytes: [0; KEPT], control: [0; 8], length: 0, received: None };
        Self { slots: Box::new([slot; BATCH]) }
    }

    /// Takes what waits in `socket`, at least one datagram, without blocking.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where nothing waits; else what `recvmmsg` answers.
    pub(crate) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
    ) -> io::Result<impl Iterator<Item = Datagram<'_>>> {
        let count = self.fill(socket)?;
        Ok(self.slots.iter().take(count).map(|slot| Datagram {
            bytes: slot.bytes.get(..slot.length).unwrap_or(&slot.bytes),
            received: slot.received,
        }))
    }

    fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        // SAFETY: all-zero is a valid value of both: null pointers with lengths of zero.
        let (mut vectors, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { mem::zeroed() };
        for ((slot, vector), header) in self.slots.iter_mut().zip(&mut vectors).zip(&mut headers) {
            vector.iov_base = slot.bytes.as_mut_ptr().cast();
            vector.iov_len = slot.bytes.len();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = slot.control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of_val(&slot.control) as _;
        }
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: `headers` are BATCH whole headers, each with one vector and one control
        // buffer that are writable for the lengths given, and outlive the call. No timeout.
        let count = unsafe {
            let timeout = std::ptr::null_mut();
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as _, flags, timeout)
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (slot, header) in self.slots.iter_mut().zip(&headers).take(count) {
            slot.length = header.msg_len as usize;
            slot.received = stamp(&header.msg_hdr, libc::SCM_TIMESTAMPNS);
        }
        Ok(count)
    }
}

/// The outcome of one `recvmsg`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StampedRead {
    /// How many bytes; 0 at the end of the stream.
    pub(crate) length: usize,
    /// When the kernel received the last of them, since the epoch (`SO_TIMESTAMPING`).
    pub(crate) received: Option<Duration>,
}

/// Reads from a stream socket into `buffer`, without blocking, and takes the kernel's stamp along.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] where nothing waits; else what `recvmsg` answers.
pub(crate) fn receive_stamped(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<StampedRead> {
    // `u64` for the alignment that the control messages' headers want.
    let mut control = [0_u64; 8];
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all-zero is a valid value: null pointers with lengths of zero.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_DONTWAIT as _;
    // SAFETY: `header` is whole, its one vector and its control buffer are writable for the
    // lengths given and outlive the call, which keeps no pointer. Any byte is a valid `u8`.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    Ok(StampedRead { length, received: stamp(&header, libc::SCM_TIMESTAMPING) })
}

/// The first time in the ancillary data of a message that the kernel has filled in, in a control
/// message of the type `kind`: `SCM_TIMESTAMPNS`, one `timespec`, or `SCM_TIMESTAMPING`, three of
/// which the first is the kernel's own. `None` where there is none, or it is zero.
fn stamp(header: &libc::msghdr, kind: c_int) -> Option<Duration> {
    // SAFETY: the callers pass a header that `recvmsg` or `recvmmsg` has just filled in and whose
    // control buffer still lives, so that the macros walk whole control messages inside it; a
    // message of these types begins with a `timespec`, read without asking for its alignment.
    let stamp: libc::timespec = unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(found) = message.as_ref() {
            if (found.cmsg_level, found.cmsg_type) == (libc::SOL_SOCKET, kind) {
                break;
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
        if message.is_null() {
            return None;
        }
        libc::CMSG_DATA(message).cast::<libc::timespec>().read_unaligned()
    };
    let stamp =
        Duration::new(u64::try_from(stamp.tv_sec).ok()?, u32::try_from(stamp.tv_nsec).ok()?);
    (!stamp.is_zero()).then_some(stamp)
}
