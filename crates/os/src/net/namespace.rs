//! Network namespaces (network_namespaces(7)): networks of a process's own, with their own devices,
//! addresses, routes, ports, and what the kernel remembers of destinations.
//!
//! They have no name: each lives as long as a process is in it or holds a descriptor of it, and so
//! dies with those processes, however they end. Another process enters it by that descriptor's
//! path in `/proc`, which holds for a process of the same user, in the namespaces of users above
//! or in the same one.
//!
//! Who may not make one as they are enters a user namespace first (user_namespaces(7)), where they
//! may do so, and nothing else that they could not do before. Only a process with a single thread
//! can, so all of this comes first in a process that wants it.

mod refusal;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub use self::refusal::{NetworkError, UserNamespaceRefusal};
use crate::posix::network as posix;
use crate::system::SystemFiles;

const MAKE: &str = "make a network namespace";
const ENTER: &str = "enter a network namespace";
const MAKE_USER: &str = "make a user namespace";
const OWN_NETWORK: &str = "/proc/thread-self/ns/net";
const OWN_USER: &str = "/proc/self/ns/user";

/// A network namespace, kept alive by a descriptor.
#[derive(Debug)]
pub struct NetworkNamespace {
    fd: OwnedFd,
}

impl NetworkNamespace {
    /// Leaves the network that this process is in for a new one, in which there is nothing but a
    /// loopback device that is down; where the process may not, in a user namespace of its own, in
    /// which it is root ([`enter_user_namespace`]).
    ///
    /// # Errors
    ///
    /// A process with threads, and a system that gives this user no such namespace:
    /// [`NetworkError`] says which of its limits it was.
    pub fn enter_new() -> Result<Self, NetworkError> {
        require_single_thread(MAKE)?;
        if let Err(error) = posix::unshare(libc::CLONE_NEWNET) {
            if error.raw_os_error() != Some(libc::EPERM) {
                return Err(NetworkError::of_privilege(MAKE, "CAP_SYS_ADMIN", error));
            }
            enter_user_namespace()?;
            posix::unshare(libc::CLONE_NEWNET)
                .map_err(|error| NetworkError::of_privilege(MAKE, "CAP_SYS_ADMIN", error))?;
        }
        Self::current()
    }

    /// The network that this thread is in.
    ///
    /// # Errors
    ///
    /// [`NetworkError::System`] where `/proc` is not mounted, or descriptors run out.
    pub fn current() -> Result<Self, NetworkError> {
        let operation = "open the network namespace of this process (/proc)";
        let file =
            File::open(OWN_NETWORK).map_err(|source| NetworkError::System { operation, source })?;
        Ok(Self { fd: file.into() })
    }

    /// The one at `path`: the [`path`](Self::path) of another process's, or that of a mount, such
    /// as `ip netns` makes.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Gone`] where there is none, [`NetworkError::Capability`] where the process
    /// at hand is another user's.
    pub fn open(path: &Path) -> Result<Self, NetworkError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => {
                NetworkError::of_privilege(ENTER, "CAP_SYS_PTRACE", source)
            }
            _ => NetworkError::Gone { path: path.to_owned(), source },
        })?;
        Ok(Self { fd: file.into() })
    }

    /// Has this thread, and those that it starts later, live in the namespace. Where it belongs to
    /// another user namespace than the process is in, the process enters that first, which only
    /// one with a single thread can.
    ///
    /// # Errors
    ///
    /// A process with threads, a file that is no network namespace, a missing privilege.
    pub fn enter(&self) -> Result<(), NetworkError> {
        require_single_thread(ENTER)?;
        let denied = |error| NetworkError::of_privilege(ENTER, "CAP_SYS_ADMIN", error);
        // What lies above this process's own user namespace it can neither see nor enter.
        if let Ok(owner) = posix::owner_of(self.fd.as_fd())
            && let owner = File::from(owner)
            && !is_own_user_namespace(&owner).map_err(denied)?
        {
            move_into(owner.as_fd(), LinkNameSpaceType::User).map_err(denied)?;
        }
        move_into(self.fd.as_fd(), LinkNameSpaceType::Network).map_err(denied)
    }

    /// Where another process finds it, as long as this process holds it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.fd.as_raw_fd()))
    }
}

impl AsFd for NetworkNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Has this process live in the network at `path`, as another process's
/// [`NetworkNamespace::path`] has it. It must not have any thread yet but its first.
///
/// # Errors
///
/// A process with threads, a maker that has ended, another user's maker.
pub fn enter(path: &Path) -> Result<(), NetworkError> {
    NetworkNamespace::open(path)?.enter()
}

/// Leaves the user namespace that this process is in for a new one, in which its user is root over
/// what is made there, and who it was over all else.
///
/// # Errors
///
/// A process with threads, and a system that gives this user no user namespace.
pub fn enter_user_namespace() -> Result<(), NetworkError> {
    require_single_thread(MAKE_USER)?;
    let system = SystemFiles::default();
    let refused = |error| refusal::of_user_namespace(&system, MAKE_USER, error);
    // By who it is outside, which inside has no number before it is mapped.
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    posix::unshare(libc::CLONE_NEWUSER).map_err(refused)?;
    // A group may be mapped only once the process cannot drop groups that keep it from files.
    fs::write("/proc/self/setgroups", "deny").map_err(refused)?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(refused)?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(refused)
}

fn move_into(namespace: BorrowedFd<'_>, kind: LinkNameSpaceType) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace, Some(kind))?)
}

fn is_own_user_namespace(owner: &File) -> io::Result<bool> {
    let (own, owner) = (fs::metadata(OWN_USER)?, owner.metadata()?);
    Ok((own.dev(), own.ino()) == (owner.dev(), owner.ino()))
}

fn require_single_thread(operation: &'static str) -> Result<(), NetworkError> {
    let tasks = fs::read_dir("/proc/self/task")
        .map_err(|source| NetworkError::System { operation, source })?;
    match tasks.count() {
        0 | 1 => Ok(()),
        threads => Err(NetworkError::Threads { operation, threads }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_is_told_so() {
        // Tests run on a thread beside the main one.
        for refused in [
            NetworkNamespace::enter_new().map(drop),
            enter_user_namespace(),
            NetworkNamespace::current().unwrap().enter(),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, NetworkError::Threads { threads: 2.., .. }), "{error}");
            assert!(error.to_string().contains("before any thread is started"), "{error}");
        }
    }

    #[test]
    fn the_path_leads_to_the_namespace_itself() {
        let own = NetworkNamespace::current().unwrap();
        let path = own.path();
        let there = fs::metadata(&path).unwrap().ino();
        assert_eq!(there, fs::metadata(OWN_NETWORK).unwrap().ino());
        drop(NetworkNamespace::open(&path).unwrap());
    }

    #[test]
    fn a_namespace_that_is_gone_is_named() {
        let path = Path::new("/proc/self/fd/99999");
        let error = NetworkNamespace::open(path).unwrap_err();
        assert!(matches!(error, NetworkError::Gone { .. }), "{error}");
        assert!(error.to_string().contains("/proc/self/fd/99999"), "{error}");
    }
}
