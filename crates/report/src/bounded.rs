//! Files that another program wrote, read whole up to a size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a file of at most `most`. One that says that it has more is refused before it is
/// read, and one that says nothing, as a device does, once it has given more.
///
/// # Errors
///
/// What the system says, or how large the file is ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(size, most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        read if read > most => Err(too_large(read, most)),
        _ => Ok(bytes),
    }
}

/// [`read`], of text in UTF-8.
///
/// # Errors
///
/// Those of [`read`], and [`io::ErrorKind::InvalidData`].
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let problem = format!("it is not UTF-8 at byte {place}");
        io::Error::new(io::ErrorKind::InvalidData, problem)
    })
}

fn too_large(size: u64, most: u64) -> io::Error {
    let problem = format!("it has {size} bytes or more, and at most {most} are read");
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it has 5 bytes or more, and at most 4 are read");
        // A file of 1 TiB that takes no room.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read(&path, 1 << 28).unwrap_err().to_string().contains("1099511627776 bytes"));
    }

    #[test]
    fn what_has_no_size_and_no_end_is_left_at_the_bound() {
        let error = read(Path::new("/dev/zero"), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path, 5).unwrap_err();
        assert_eq!(error.to_string(), "it is not UTF-8 at byte 2");
    }
}
