//! A file in the address space: bytes that nobody has to read before a socket sends them, because they say where in
//! which file they lie.
//!
//! A mapping costs two calls and no memory as long as nobody looks at its bytes. Blobs never change under their name and
//! are replaced by renaming, so what was mapped stays what it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions};
use parking_lot::RwLock;

use crate::at_hand;

/// All mappings that are alive, by the address of their first byte.
static ALIVE: RwLock<BTreeMap<usize, Known>> = RwLock::new(BTreeMap::new());

struct Known {
    /// The address after the last byte.
    end: usize,
    place: FilePlace,
}

/// Where bytes lie: in `file`, from its byte `offset` on.
#[derive(Clone, Debug)]
pub struct FilePlace {
    /// The open file.
    pub file: Arc<File>,
    /// From its beginning, in bytes.
    pub offset: u64,
}

/// Where `bytes` lie, if they are (a part of) what [`BlobReader::mapped`](crate::BlobReader::mapped) gave: `sendfile(2)`
/// sends them from there without copying them through this process.
#[must_use]
pub fn place_of(bytes: &[u8]) -> Option<FilePlace> {
    let start = bytes.as_ptr().addr();
    let alive = ALIVE.read();
    let (first, known) = alive.range(..=start).next_back()?;
    let offset = known.place.offset + (start - first) as u64;
    let inside = start + bytes.len() <= known.end;
    inside.then(|| FilePlace { file: known.place.file.clone(), offset })
}

/// A mapping that is known under its address for as long as it lives.
struct Mapping(Mmap);

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Mapping {
    // Forgotten before the address can be somebody else's.
    fn drop(&mut self) {
        ALIVE.write().remove(&self.0.as_ptr().addr());
    }
}

/// A part of a file, mapped; none when the system does not do that. The file must have all of it.
pub(crate) fn bytes(file: &Arc<File>, part: Range<u64>) -> Option<Bytes> {
    // Elsewhere it cannot be told what is in memory.
    if !cfg!(target_os = "linux") {
        return None;
    }
    let length = usize::try_from(part.end.checked_sub(part.start)?).ok().filter(|length| *length > 0)?;
    // SAFETY: blobs are written under another name and never changed under their own.
    let map = unsafe { MmapOptions::new().offset(part.start).len(length).map(&**file) }.ok()?;
    let start = map.as_ptr().addr();
    let place = FilePlace { file: file.clone(), offset: part.start };
    ALIVE.write().insert(start, Known { end: start + length, place });
    Some(Bytes::from_owner(Mapping(map)))
}

/// How many bytes at the beginning of mapped `bytes` the kernel has in memory. It says all of them where it may not tell
/// (to whom the file does not belong).
pub(crate) fn in_memory(bytes: &[u8]) -> usize {
    let page = usize::try_from(at_hand::page()).unwrap_or(4096);
    let before = bytes.as_ptr().addr() % page;
    let whole = before + bytes.len();
    let mut present = vec![0_u8; whole.div_ceil(page)];
    let first = bytes.as_ptr().wrapping_sub(before).cast_mut();
    // SAFETY: the pages are mapped, and there is a byte for each of them.
    let told = unsafe { libc::mincore(first.cast(), whole, present.as_mut_ptr().cast()) };
    if told != 0 {
        return 0;
    }
    let pages = present.iter().take_while(|flags| **flags & 1 == 1).count();
    (pages * page).saturating_sub(before).min(bytes.len())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(length: usize) -> (Arc<File>, Vec<u8>) {
        let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (Arc::new(file), bytes)
    }

    #[test]
    fn every_part_of_a_mapping_says_where_it_lies() {
        let (file, bytes) = file(20_000);
        let mapped = super::bytes(&file, 5_000..20_000).unwrap();
        assert_eq!(mapped, bytes[5_000..]);
        for (start, end) in [(0, 15_000), (1, 2), (4_999, 15_000), (14_999, 15_000)] {
            assert_eq!(place_of(&mapped[start..end]).unwrap().offset, 5_000 + start as u64);
        }
    }

    #[test]
    fn a_mapping_lives_as_long_as_a_part_of_it_and_is_forgotten_with_it() {
        let (file, bytes) = file(10_000);
        let mapped = super::bytes(&file, 0..10_000).unwrap();
        let part = mapped.slice(9_000..);
        drop(mapped);
        assert_eq!(part, bytes[9_000..]);
        let start = part.as_ptr().addr() - 9_000;
        assert_eq!(place_of(&part).unwrap().offset, 9_000);
        drop(part);
        // Other tests may have got the address meanwhile, but not for this file.
        assert!(!ALIVE.read().get(&start).is_some_and(|known| Arc::ptr_eq(&known.place.file, &file)));
        assert_eq!(Arc::strong_count(&file), 1);
    }

    #[test]
    fn what_is_no_mapping_lies_nowhere() {
        let (file, bytes) = file(10_000);
        let _mapped = super::bytes(&file, 0..10_000).unwrap();
        assert!(place_of(&bytes).is_none());
        assert!(place_of(&[]).is_none());
    }

    #[test]
    fn what_was_just_written_is_at_hand() {
        let (file, _) = file(20_000);
        let mapped = super::bytes(&file, 4_097..20_000).unwrap();
        assert_eq!(in_memory(&mapped), mapped.len());
        assert_eq!(in_memory(&mapped[100..200]), 100);
    }
}
