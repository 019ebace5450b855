//! Where `/proc`, `/sys` and the control groups are: on this machine at the root, in tests in a
//! folder that looks like another one.

use std::path::{Path, PathBuf};

use crate::procfs;

/// The files by which a kernel tells of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemFiles {
    root: PathBuf,
}

impl Default for SystemFiles {
    /// This machine's.
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl SystemFiles {
    /// Those below `root`, as they would stand below `/`.
    #[must_use]
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where `path` is, with or without a slash at its beginning.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of `path` without white space around it; `None` where it cannot be read.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        procfs::try_read(self.path(path)).ok()
    }
}

/// Other machines, for tests.
#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use super::SystemFiles;

    /// A machine that has these files, each with its text.
    pub(crate) fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, SystemFiles) {
        let folder = tempfile::tempdir().unwrap();
        let system = SystemFiles::below(folder.path());
        for (path, text) in files {
            let path = system.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (folder, system)
    }

    #[test]
    fn a_path_is_below_the_root_with_or_without_its_slash() {
        let (_folder, system) = machine(&[("sys/a", " 1 \n")]);
        assert_eq!(system.read("/sys/a").as_deref(), Some("1"));
        assert_eq!(system.read("sys/a").as_deref(), Some("1"));
        assert_eq!(system.read("sys/b"), None);
        assert!(SystemFiles::default().read("proc/meminfo").is_some());
    }
}
