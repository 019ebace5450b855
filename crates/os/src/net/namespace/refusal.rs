//! Why a network of one's own is not to be had, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::system::SystemFiles;

/// A failure to make a network namespace, to enter one, or to set one up.
///
/// None of them keeps pushbench from measuring over loopback.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A process that has threads cannot change its user namespace (unshare(2), setns(2)).
    #[error(
        "cannot {operation}: this process has {threads} threads, and only one with a single \
         thread may; do it before any thread is started"
    )]
    Threads {
        /// The step.
        operation: &'static str,
        /// How many there are.
        threads: usize,
    },
    /// The system gives this user no user namespace.
    #[error("cannot make a user namespace: {refusal}; {OR_ROOT}")]
    UserNamespaces {
        /// Which of its limits it was.
        refusal: UserNamespaceRefusal,
        /// The system's error.
        source: io::Error,
    },
    /// AppArmor takes all privileges of a user namespace away.
    #[error(
        "cannot {operation}: AppArmor restricts user namespaces of ordinary users \
         (kernel.apparmor_restrict_unprivileged_userns is 1); allow them with \
         `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or give the binary a \
         profile with `userns,`; {OR_ROOT}"
    )]
    AppArmor {
        /// The step.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// There are as many network namespaces as may be.
    #[error(
        "cannot make a network namespace: user.max_net_namespaces is reached; raise it \
         (`sudo sysctl -w user.max_net_namespaces=1000`); {OR_LOOPBACK}"
    )]
    TooMany {
        /// The system's error.
        source: io::Error,
    },
    /// The device by which TUN interfaces are made is not there.
    #[error(
        "cannot open /dev/net/tun: there is no such device; load the module \
         (`sudo modprobe tun`), or hand the device to the container (`--device /dev/net/tun`), or \
         use virtual Ethernet (veth) in its place; {OR_LOOPBACK}"
    )]
    TunMissing {
        /// The system's error.
        source: io::Error,
    },
    /// The device by which TUN interfaces are made is closed to this user.
    #[error(
        "cannot open /dev/net/tun: this user may not; allow it (`sudo chmod 0666 /dev/net/tun`), \
         or use virtual Ethernet (veth) in its place; {OR_LOOPBACK}"
    )]
    TunDenied {
        /// The system's error.
        source: io::Error,
    },
    /// A capability is missing.
    #[error(
        "cannot {operation}: that takes the capability {capability}; run as root, or allow it in \
         the container (`--cap-add {name}`); {OR_LOOPBACK}",
        name = capability.trim_start_matches("CAP_")
    )]
    Capability {
        /// The step.
        operation: &'static str,
        /// Its name, as capabilities(7) has it.
        capability: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A namespace is gone, or was never there.
    #[error(
        "cannot enter the network namespace {path}: there is none; does the process that made it \
         still run?", path = path.display()
    )]
    Gone {
        /// Where it was looked for.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The kernel refused a request about a device, an address or a route.
    #[error(
        "cannot {operation}: the kernel refused{told}; is the module for it loaded (tun, veth, ipv6: \
         `sudo modprobe veth`)? {OR_LOOPBACK}"
    )]
    Kernel {
        /// The step and its subject.
        operation: String,
        /// The kernel's own words, in brackets, where it has any.
        told: String,
        /// The system's error.
        source: io::Error,
    },
    /// One step failed for another reason.
    #[error(
        "cannot {operation}: the system refused; check that no sandbox forbids it; {OR_LOOPBACK}"
    )]
    System {
        /// The step.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

/// How the measurement goes on without.
const OR_LOOPBACK: &str = "all else works without a link";

/// The same, for one who could be another user.
const OR_ROOT: &str = "or run as root; all else works without a link";

/// Which of the system's limits keeps a user from user namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UserNamespaceRefusal {
    /// The kernel was built without them.
    #[error("the kernel knows none (CONFIG_USER_NS); use another kernel")]
    Unknown,
    /// None may be made, or as many exist as may (user_namespaces(7)).
    #[error(
        "user.max_user_namespaces allows no more; raise it \
         (`sudo sysctl -w user.max_user_namespaces=10000`)"
    )]
    TooMany,
    /// Debian's switch, off for ordinary users.
    #[error(
        "kernel.unprivileged_userns_clone is 0; allow them with \
         `sudo sysctl -w kernel.unprivileged_userns_clone=1`"
    )]
    SwitchedOff,
    /// Something around this process: a container's filter of system calls, a chroot.
    #[error(
        "a sandbox around this process forbids it; allow it there \
         (docker: `--security-opt seccomp=unconfined`)"
    )]
    Sandbox,
}

const APPARMOR: &str = "proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/// Sorts what the system answered when a user namespace was to be made, or its users were mapped.
pub(super) fn of_user_namespace(
    system: &SystemFiles,
    operation: &'static str,
    source: io::Error,
) -> NetworkError {
    let errno = source.raw_os_error();
    let denied = matches!(errno, Some(libc::EPERM | libc::EACCES));
    let refusal = match errno {
        Some(libc::ENOSPC | libc::EUSERS) => UserNamespaceRefusal::TooMany,
        Some(libc::EINVAL | libc::ENOSYS) => UserNamespaceRefusal::Unknown,
        _ if denied && is(system, "proc/sys/kernel/unprivileged_userns_clone", "0") => {
            UserNamespaceRefusal::SwitchedOff
        }
        _ if denied && is(system, APPARMOR, "1") => {
            return NetworkError::AppArmor { operation, source };
        }
        _ if denied => UserNamespaceRefusal::Sandbox,
        _ => return NetworkError::System { operation, source },
    };
    NetworkError::UserNamespaces { refusal, source }
}

/// Sorts what the system answered to a step that takes `capability`, within a user namespace or
/// as root.
pub(super) fn of_privilege(
    system: &SystemFiles,
    operation: &'static str,
    capability: &'static str,
    source: io::Error,
) -> NetworkError {
    match source.raw_os_error() {
        Some(libc::ENOSPC) => NetworkError::TooMany { source },
        // Ubuntu lets such a namespace be made, and then gives it no privilege.
        Some(libc::EPERM | libc::EACCES) if is(system, APPARMOR, "1") => {
            NetworkError::AppArmor { operation, source }
        }
        Some(libc::EPERM | libc::EACCES) => {
            NetworkError::Capability { operation, capability, source }
        }
        _ => NetworkError::System { operation, source },
    }
}

fn is(system: &SystemFiles, file: &str, value: &str) -> bool {
    system.read(file).is_some_and(|text| text == value)
}

impl NetworkError {
    /// Sorts what the system answered to `operation`, which takes `capability`, on this machine.
    pub(crate) fn of_privilege(
        operation: &'static str,
        capability: &'static str,
        source: io::Error,
    ) -> Self {
        of_privilege(&SystemFiles::default(), operation, capability, source)
    }

    /// Whether the system does not give this user what it takes, which another user or another
    /// setting of the system would.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UserNamespaces { .. }
                | Self::AppArmor { .. }
                | Self::TooMany { .. }
                | Self::TunMissing { .. }
                | Self::TunDenied { .. }
                | Self::Capability { .. }
        )
    }

    /// Whether another way of making devices may work where this one did not: it is
    /// `/dev/net/tun` that is closed or missing.
    #[must_use]
    pub const fn is_about_tun(&self) -> bool {
        matches!(self, Self::TunMissing { .. } | Self::TunDenied { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::tests::machine;

    const CLONE: &str = "proc/sys/kernel/unprivileged_userns_clone";

    fn asked(files: &[(&str, &str)], errno: i32) -> NetworkError {
        let (_folder, system) = machine(files);
        of_user_namespace(&system, "make one", io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn a_refusal_names_which_limit_it_was() {
        for (files, errno, told) in [
            (&[][..], libc::ENOSPC, "user.max_user_namespaces"),
            (&[], libc::EUSERS, "user.max_user_namespaces"),
            (&[], libc::EINVAL, "CONFIG_USER_NS"),
            (&[(CLONE, "0")], libc::EPERM, "sysctl -w kernel.unprivileged_userns_clone=1"),
            (&[(CLONE, "1"), (APPARMOR, "1")], libc::EPERM, "AppArmor"),
            (&[(APPARMOR, "1")], libc::EACCES, "apparmor_restrict_unprivileged_userns=0"),
            (&[(APPARMOR, "0")], libc::EPERM, "sandbox"),
            (&[], libc::EIO, "cannot make one"),
        ] {
            let error = asked(files, errno).to_string();
            assert!(error.contains(told), "{files:?}, {errno}: {error}");
            assert!(error.contains("all else works without a link"), "{error}");
        }
    }

    #[test]
    fn a_namespace_without_privileges_is_apparmors() {
        let denied = |files: &[_]| {
            let (_folder, system) = machine(files);
            let source = io::Error::from_raw_os_error(libc::EPERM);
            of_privilege(&system, "make a device", "CAP_NET_ADMIN", source).to_string()
        };
        let error = denied(&[(APPARMOR, "1\n")]);
        assert!(error.contains("AppArmor restricts"), "{error}");
        let error = denied(&[]);
        assert!(
            error.contains("CAP_NET_ADMIN") && error.contains("--cap-add NET_ADMIN"),
            "{error}"
        );
    }

    #[test]
    fn too_many_networks_are_told_apart() {
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        let error = NetworkError::of_privilege("make a network", "CAP_SYS_ADMIN", full);
        assert!(error.to_string().contains("max_net_namespaces"), "{error}");
    }
}
