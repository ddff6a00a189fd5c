//! Whether a JPEG is shown on its side: its camera says so in the Exif data, before the picture itself.

/// Exif's number for how the picture has to be turned.
const ORIENTATION: u16 = 0x0112;

/// Whether what is shown is as wide as the stored picture is high, by the first bytes of a JPEG.
pub(super) fn swaps_sides(jpeg: &[u8]) -> bool {
    exif(jpeg).and_then(orientation).is_some_and(|turn| (5..=8).contains(&turn))
}

/// The TIFF structure in the segment for Exif.
fn exif(jpeg: &[u8]) -> Option<&[u8]> {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, marker, high, low] = *rest.first_chunk::<4>()? else { return None };
        // From here on there are scans.
        if marker == 0xda {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        if marker == 0xe1
            && let Some(tiff) = segment.strip_prefix(b"Exif\0\0")
        {
            return Some(tiff);
        }
        rest = rest.get(2 + length..)?;
    }
}

/// The orientation that the first directory of a TIFF structure names.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.first_chunk::<4>()? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let four = *tiff.get(4..)?.first_chunk::<4>()?;
    let start = if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
    let start = usize::try_from(start).ok()?;
    let entries = start.checked_add(2)?;
    let mut places = (0..usize::from(short(start)?)).map(|nth| entries.saturating_add(12 * nth));
    let place = places.find(|place| short(*place) == Some(ORIENTATION))?;
    short(place.checked_add(8)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A JPEG's beginning with an Exif segment that names an orientation, after another segment.
    fn turned(turn: u16, big: bool) -> Vec<u8> {
        let two = |number: u16| if big { number.to_be_bytes() } else { number.to_le_bytes() };
        let four = |number: u32| if big { number.to_be_bytes() } else { number.to_le_bytes() };
        let mut tiff = if big { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        tiff.extend(four(8));
        tiff.extend(two(2));
        for (tag, value) in [(0x010f, 1), (ORIENTATION, turn)] {
            tiff.extend(two(tag));
            tiff.extend(two(3));
            tiff.extend(four(1));
            tiff.extend(two(value));
            tiff.extend([0, 0]);
        }
        tiff.extend(four(0));
        let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xe1];
        jpeg.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
        jpeg.extend(b"Exif\0\0");
        jpeg.extend(tiff);
        jpeg
    }

    #[test]
    fn a_picture_on_its_side_says_so_in_either_order_of_bytes() {
        for big in [true, false] {
            for (turn, sides) in
                [(1, false), (2, false), (3, false), (5, true), (6, true), (8, true), (9, false)]
            {
                assert_eq!(swaps_sides(&turned(turn, big)), sides, "{turn}");
            }
        }
    }

    #[test]
    fn without_exif_nothing_is_turned() {
        assert!(!swaps_sides(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xe1]));
        assert!(!swaps_sides(b"GIF89a") && !swaps_sides(&[]));
    }

    proptest! {
        #[test]
        fn no_bytes_confuse_it(mut bytes in prop::collection::vec(any::<u8>(), 0..200), keep in 0..70_usize) {
            swaps_sides(&bytes);
            let mut broken = turned(6, true);
            broken.truncate(keep);
            broken.append(&mut bytes);
            swaps_sides(&broken);
        }
    }
}
