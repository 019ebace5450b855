//! The one call for which there is no safe API: the CPU clock of another process.
//!
//! Nothing else may be unsafe in this workspace, so this module holds as little as it can.

use std::io;
use std::mem::MaybeUninit;

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
