//! How much room in scratch a product takes while it is made. Pure.

use blobs::Need;
use protos::common::v1::BlobRef;

use crate::product::Input;

/// A video that is coded anew may be so many times as large as it was.
const CODED_ANEW: u64 = 2;
/// Decoded sound: 48 kHz, stereo, floating point; in four files, a minute of each in bytes.
const MINUTE_OF_SOUND: u64 = 4 * 60 * 48_000 * 2 * 4;
/// Bytes of a minute of video, as few as there may be.
const MINUTE_OF_VIDEO: u64 = 4 << 20;
/// Minutes of the longest video that is thought of.
const LONGEST: u64 = 10;
/// What a poster and all that is small take.
const SMALL: u64 = 4 << 20;

/// What making a product puts into its directory.
pub(crate) fn needed(input: &Input) -> Need {
    match input {
        Input::Clips(clips) => of_cut(clips),
        Input::ClipsUnder { clips, .. } => {
            let cut = of_cut(clips);
            // The cut may be all clips coded anew, and is coded once more with the text.
            Need { made: times(cut.made, 1 + CODED_ANEW), ..cut }
        }
        Input::VideoUnder { video, .. } => {
            Need { copies: video.size, made: times(video.size, CODED_ANEW).saturating_add(SMALL) }
        }
        Input::CutAndSoundtrack { cut, soundtrack, .. } => {
            let minutes = cut.size.div_ceil(MINUTE_OF_VIDEO).min(LONGEST);
            let sound = times(MINUTE_OF_SOUND, minutes);
            let copies = cut.size.saturating_add(soundtrack.size);
            Need { copies, made: copies.saturating_add(sound).saturating_add(SMALL) }
        }
    }
}

/// Each clip may be coded anew, and then all are joined.
fn of_cut(clips: &[BlobRef]) -> Need {
    let clips = clips.iter().map(|clip| clip.size).fold(0, u64::saturating_add);
    Need { copies: clips, made: times(clips, 2 * CODED_ANEW).saturating_add(SMALL) }
}

fn times(bytes: u64, count: u64) -> u64 {
    bytes.saturating_mul(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::Overlay;

    const MB: u64 = 1_000_000;

    fn blob(megabytes: u64) -> BlobRef {
        BlobRef { size: megabytes * MB, ..BlobRef::default() }
    }

    fn mix(cut: u64) -> Need {
        needed(&Input::CutAndSoundtrack { cut: blob(cut), soundtrack: blob(1), shape: None })
    }

    #[test]
    fn what_is_copied_is_known_and_what_is_made_is_at_least_as_much() {
        let clips = || vec![blob(30), blob(10)];
        let overlay = Overlay::default();
        let under = Input::ClipsUnder { clips: clips(), overlay: overlay.clone() };
        for (input, copies) in [
            (Input::Clips(clips()), 40),
            (under, 40),
            (Input::VideoUnder { video: blob(50), overlay }, 50),
            (Input::CutAndSoundtrack { cut: blob(50), soundtrack: blob(1), shape: None }, 51),
        ] {
            let need = needed(&input);
            assert_eq!(need.copies, copies * MB, "{input:?}");
            assert!(need.made > need.copies, "{input:?}");
        }
    }

    #[test]
    fn a_text_over_clips_takes_more_than_the_clips() {
        let clips = vec![blob(30)];
        let under = Input::ClipsUnder { clips: clips.clone(), overlay: Overlay::default() };
        assert!(needed(&under).made > needed(&Input::Clips(clips)).made);
    }

    #[test]
    fn sound_is_guessed_by_the_length_of_the_video_and_never_without_end() {
        let minute = mix(4).made - 5 * MB - SMALL;
        assert_eq!(minute, MINUTE_OF_SOUND);
        assert_eq!(mix(4_000).made, 4_001 * MB + SMALL + LONGEST * MINUTE_OF_SOUND);
        let endless = BlobRef { size: u64::MAX, ..BlobRef::default() };
        let need = needed(&Input::Clips(vec![endless]));
        assert_eq!((need.copies, need.made), (u64::MAX, u64::MAX));
    }
}
