//! Which clips may follow each other as they are, and what the others have to become. Pure.

use crate::VideoStream;
use crate::probe::Ratio;

/// What must agree for clips to be joined without decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: Ratio,
    /// Ticks a second of the timestamps.
    pub(crate) timescale: u32,
}

/// What is to be done with the clips.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) layout: Layout,
    /// Indexes of the clips that have to be coded anew.
    pub(crate) odd: Vec<usize>,
    /// All clips share the decoder's setup; else the setup has to travel within the stream.
    pub(crate) one_setup: bool,
}

/// H.264 in MP4 with square, upright 4:2:0 pixels: what may go into the cut as it is.
pub(crate) fn copyable(container: &str, video: &VideoStream) -> Option<Layout> {
    let fits = container.split(',').any(|name| name == "mp4")
        && video.codec == "h264"
        && video.pix_fmt == "yuv420p"
        && video.sar.num == video.sar.den
        && video.rotation == 0
        && video.timebase.num == 1;
    fits.then_some(Layout {
        width: video.width,
        height: video.height,
        fps: video.fps,
        timescale: video.timebase.den,
    })
}

/// The layout of most clips (of the earliest when there is a tie), and which clips do not have it.
pub(crate) fn plan(clips: &[(&str, &VideoStream)]) -> Option<Plan> {
    let layouts: Vec<_> = clips.iter().map(|(container, video)| copyable(container, video)).collect();
    let mut best: Option<(usize, &Layout)> = None;
    for layout in layouts.iter().flatten() {
        let count = layouts.iter().flatten().filter(|other| *other == layout).count();
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, layout));
        }
    }
    let layout = match best {
        Some((_, layout)) => layout.clone(),
        None => target_of(clips.first()?.1),
    };
    let odd: Vec<usize> = (0..clips.len()).filter(|i| layouts[*i].as_ref() != Some(&layout)).collect();
    let kept = || clips.iter().zip(&layouts).filter(|(_, own)| own.as_ref() == Some(&layout));
    let setup = kept().next().and_then(|((_, video), _)| video.setup.clone());
    let one_setup = odd.is_empty() && setup.is_some() && kept().all(|((_, video), _)| video.setup == setup);
    Some(Plan { layout, odd, one_setup })
}

/// The layout for a clip that cannot be copied itself: its shown size made even, its own rate.
pub(crate) fn target_of(video: &VideoStream) -> Layout {
    let (width, height) = video.shown_size();
    let even = |side: u32| (side & !1).max(2);
    let Ratio { num, den } = video.fps;
    // A whole number of ticks a frame, and fine enough for any sound beside it.
    let timescale = num.saturating_mul(12_000_u32.div_ceil(num).max(1));
    Layout { width: even(width), height: even(height), fps: Ratio { num, den }, timescale }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MP4: &str = "mov,mp4,m4a,3gp,3g2,mj2";

    fn clip(width: u32) -> VideoStream {
        VideoStream {
            codec: "h264".into(),
            width,
            height: 180,
            fps: Ratio { num: 24, den: 1 },
            pix_fmt: "yuv420p".into(),
            timebase: Ratio { num: 1, den: 12_288 },
            sar: Ratio::ONE,
            rotation: 0,
            frames: Some(24),
            duration_us: 1_000_000,
            setup: Some("a".into()),
        }
    }

    fn planned(clips: &[VideoStream]) -> Plan {
        plan(&clips.iter().map(|video| (MP4, video)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn clips_that_agree_are_copied() {
        let found = planned(&[clip(320), clip(320)]);
        assert!(found.odd.is_empty() && found.one_setup);
    }

    #[test]
    fn the_majority_decides_and_a_tie_goes_to_the_first() {
        assert_eq!(planned(&[clip(100), clip(320), clip(320)]).odd, [0]);
        assert_eq!(planned(&[clip(100), clip(320)]).odd, [1]);
    }

    #[test]
    fn every_difference_that_a_copy_cannot_bridge_makes_a_clip_odd() {
        let spoil: [fn(&mut VideoStream); 7] = [
            |v| v.codec = "hevc".into(),
            |v| v.height = 182,
            |v| v.fps = Ratio { num: 30, den: 1 },
            |v| v.pix_fmt = "yuv444p".into(),
            |v| v.timebase = Ratio { num: 1, den: 90_000 },
            |v| v.sar = Ratio { num: 4, den: 3 },
            |v| v.rotation = -90,
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let mut odd = clip(320);
            spoil(&mut odd);
            assert_eq!(planned(&[clip(320), odd, clip(320)]).odd, [1], "difference {number}");
        }
    }

    #[test]
    fn another_decoder_setup_is_copied_with_the_setup_in_the_stream() {
        let mut other = clip(320);
        other.setup = Some("b".into());
        let found = planned(&[clip(320), other]);
        assert!(found.odd.is_empty() && !found.one_setup);
    }

    #[test]
    fn clips_that_cannot_be_copied_at_all_take_the_first_ones_size_made_even() {
        let mut first = clip(321);
        (first.height, first.pix_fmt, first.fps) = (181, "yuv444p".into(), Ratio { num: 30_000, den: 1001 });
        let found = planned(&[first.clone(), first]);
        assert_eq!(found.odd, [0, 1]);
        assert_eq!((found.layout.width, found.layout.height), (320, 180));
        assert_eq!(found.layout.timescale, 30_000);
    }

    #[test]
    fn a_strip_one_pixel_wide_still_gets_a_size() {
        let mut first = clip(1);
        first.pix_fmt = "yuv444p".into();
        assert_eq!(target_of(&first).width, 2);
    }
}
