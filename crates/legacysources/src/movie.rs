//! MP4 files without an encoder: each frame is a JPEG, which the format allows.

use crate::{
    numbered::{be32, text},
    pictures::Picture,
};

/// Units of time a second.
const TIMESCALE: u32 = 1000;

/// A video that shows one still for so many seconds; another number, other bytes.
pub(crate) fn of(still: &Picture, seconds: u32, number: u64) -> Vec<u8> {
    let ftyp = whole(b"ftyp", &[b"isom", &[0, 0, 2, 0], b"isom", b"mp42"]);
    let measured = ftyp.len() + index(still, seconds, 0).len() + 8;
    let mut file = ftyp;
    file.extend(index(still, seconds, measured));
    file.extend(whole(b"mdat", &[&still.bytes]));
    numbered(&file, number)
}

/// A video with a number after its end, so that it differs from others.
pub(crate) fn numbered(video: &[u8], number: u64) -> Vec<u8> {
    let mut file = video.to_vec();
    file.extend(whole(b"free", &[&text(number, 32)]));
    file
}

/// The box `moov`; the still is at `offset`.
fn index(still: &Picture, seconds: u32, offset: usize) -> Vec<u8> {
    let duration = (seconds * TIMESCALE).to_be_bytes();
    let scale = TIMESCALE.to_be_bytes();
    let mvhd = whole(
        b"mvhd",
        &[&[0; 12], &scale, &duration, &[0, 1, 0, 0, 1, 0], &[0; 10], &unity(), &[0; 24], &[0, 0, 0, 2]],
    );
    let side = |pixels: u32| (pixels << 16).to_be_bytes();
    let tkhd = whole(
        b"tkhd",
        &[
            // Enabled and shown; track 1.
            &[0, 0, 0, 3],
            &[0; 8],
            &[0, 0, 0, 1],
            &[0; 4],
            &duration,
            &[0; 16],
            &unity(),
            &side(still.width),
            &side(still.height),
        ],
    );
    // The language is "und".
    let mdhd = whole(b"mdhd", &[&[0; 12], &scale, &duration, &[0x55, 0xc4, 0, 0]]);
    let hdlr = whole(b"hdlr", &[&[0; 8], b"vide", &[0; 12], b"VideoHandler\0"]);
    let url = whole(b"url ", &[&[0, 0, 0, 1]]);
    let dinf = whole(b"dinf", &[&whole(b"dref", &[&[0; 4], &[0, 0, 0, 1], &url])]);
    let vmhd = whole(b"vmhd", &[&[0, 0, 0, 1], &[0; 8]]);
    let minf = whole(b"minf", &[&vmhd, &dinf, &samples(still, seconds, offset)]);
    let trak = whole(b"trak", &[&tkhd, &whole(b"mdia", &[&mdhd, &hdlr, &minf])]);
    whole(b"moov", &[&mvhd, &trak])
}

/// The box `stbl`: one sample.
fn samples(still: &Picture, seconds: u32, offset: usize) -> Vec<u8> {
    let one = &[0, 0, 0, 1];
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX).to_be_bytes();
    let entry = whole(
        b"jpeg",
        &[
            &[0; 6],
            &[0, 1],
            &[0; 16],
            &side(still.width),
            &side(still.height),
            // 72 dots an inch, twice; one frame a sample; no name; 24 bits; no colour table.
            &[0, 0x48, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 32],
            &[0, 0x18, 0xff, 0xff],
        ],
    );
    whole(
        b"stbl",
        &[
            &whole(b"stsd", &[&[0; 4], one, &entry]),
            &whole(b"stts", &[&[0; 4], one, one, &(seconds * TIMESCALE).to_be_bytes()]),
            &whole(b"stsc", &[&[0; 4], one, one, one, one]),
            &whole(b"stsz", &[&[0; 4], &be32(still.bytes.len()), one]),
            &whole(b"stco", &[&[0; 4], one, &be32(offset)]),
        ],
    )
}

/// A matrix that changes nothing.
fn unity() -> [u8; 36] {
    let mut matrix = [0; 36];
    matrix[1] = 1;
    matrix[17] = 1;
    matrix[32] = 0x40;
    matrix
}

/// A box with these parts.
fn whole(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut all = be32(8 + parts.iter().map(|part| part.len()).sum::<usize>()).to_vec();
    all.extend_from_slice(kind);
    for part in parts {
        all.extend_from_slice(part);
    }
    all
}
