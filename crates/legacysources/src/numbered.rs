//! Copies of a picture that differ from each other, made without encoding it again: a numbered comment of the
//! wished length is put where the format allows one.

/// A JPEG with comments after its first segment.
pub(crate) fn jpeg(base: &[u8], number: u64, size: usize) -> Vec<u8> {
    // The first segment is JFIF's, which has to come first.
    let first = match base {
        [0xff, 0xd8, 0xff, 0xe0, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 2,
    };
    let mut extra = size.saturating_sub(base.len()).max(SHORTEST + 4);
    let mut all = Vec::with_capacity(base.len() + extra);
    all.extend_from_slice(&base[..first]);
    while extra > 0 {
        // What is left must be enough for another segment.
        let mut length = extra.min(usize::from(u16::MAX) + 2);
        if extra - length != 0 && extra - length < SHORTEST + 4 {
            length -= SHORTEST + 4;
        }
        all.extend_from_slice(&[0xff, 0xfe]);
        all.extend_from_slice(&u16::try_from(length - 2).unwrap_or(u16::MAX).to_be_bytes());
        all.extend(text(number, length - 4));
        extra -= length;
    }
    all.extend_from_slice(&base[first..]);
    all
}

/// A PNG with a comment after its header.
pub(crate) fn png(base: &[u8], number: u64, size: usize) -> Vec<u8> {
    /// The signature and the chunk IHDR.
    const HEADER: usize = 8 + 12 + 13;
    const KEYWORD: &[u8] = b"Comment\0";
    let length = size.saturating_sub(base.len() + 12 + KEYWORD.len()).max(SHORTEST);
    let mut chunk = b"tEXt".to_vec();
    chunk.extend_from_slice(KEYWORD);
    chunk.extend(text(number, length));
    let mut all = base[..HEADER].to_vec();
    all.extend_from_slice(&be32(chunk.len() - 4));
    all.extend_from_slice(&chunk);
    all.extend_from_slice(&crc32(&chunk).to_be_bytes());
    all.extend_from_slice(&base[HEADER..]);
    all
}

/// A WebP in the extended format, with its comment in the chunk for XMP. `base` is in the simple format.
pub(crate) fn webp(base: &[u8], width: u32, height: u32, number: u64, size: usize) -> Vec<u8> {
    const EXTENDED: usize = 8 + 10;
    let length = size.saturating_sub(base.len() + EXTENDED + 8).max(SHORTEST) & !1;
    let mut chunks = b"WEBPVP8X".to_vec();
    chunks.extend_from_slice(&10_u32.to_le_bytes());
    // There is XMP.
    chunks.extend_from_slice(&[0x04, 0, 0, 0]);
    chunks.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
    chunks.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
    chunks.extend_from_slice(&base[12..]);
    chunks.extend_from_slice(b"XMP ");
    chunks.extend_from_slice(&le32(length));
    chunks.extend(text(number, length));
    let mut all = b"RIFF".to_vec();
    all.extend_from_slice(&le32(chunks.len()));
    all.append(&mut chunks);
    all
}

/// The shortest comment: it has to hold a number.
const SHORTEST: usize = 32;

/// A comment with a number, of exactly so many bytes (at least [`SHORTEST`]).
pub(crate) fn text(number: u64, length: usize) -> Vec<u8> {
    let mut text = format!("photo {number}\n").into_bytes();
    text.resize(length, b' ');
    text
}

pub(crate) fn be32(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

pub(crate) fn le32(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let index = |crc: u32, byte: u8| (crc ^ u32::from(byte)) as usize & 0xff;
    !bytes.iter().fold(u32::MAX, |crc, byte| TABLE[index(crc, *byte)] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}
