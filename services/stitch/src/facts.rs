//! What is known of videos by the hash of their bytes, so that the same bytes are not looked at twice: a cut that was
//! made here, and the clips of a job whose one scene was made again.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use media::{Media, Probe, Source};
use parking_lot::Mutex;
use protos::common::v1::BlobRef;

/// How many videos are remembered; each takes less than 1 kB.
const MOST: usize = 1000;

/// What is known of videos. A memory: what is forgotten is looked at again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<String, Probe>,
    oldest_first: VecDeque<String>,
}

impl Facts {
    /// A video to read, with what is known of it; looks at it when nothing is. One that cannot be read is for whoever
    /// uses it to refuse.
    pub(crate) async fn source(&self, media: &Media, video: &BlobRef, path: PathBuf) -> Source {
        let known = self.known.lock().by_hash.get(&video.sha256).cloned();
        let probe = match known {
            Some(probe) => Some(probe),
            None => media.probe(&path).await.ok().inspect(|probe| self.remember(video, probe)),
        };
        Source { path, probe }
    }

    /// Remembers what was found in a video.
    pub(crate) fn remember(&self, video: &BlobRef, probe: &Probe) {
        let mut known = self.known.lock();
        if known.by_hash.insert(video.sha256.clone(), probe.clone()).is_none() {
            known.oldest_first.push_back(video.sha256.clone());
        }
        while known.oldest_first.len() > MOST {
            if let Some(oldest) = known.oldest_first.pop_front() {
                known.by_hash.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(number: usize) -> BlobRef {
        BlobRef { sha256: format!("{number:064}"), size: 7, content_type: "video/mp4".into() }
    }

    fn probe(size: u64) -> Probe {
        Probe { container: "mp4".into(), duration_ms: 1, size, video: None, audio: None }
    }

    #[tokio::test]
    async fn the_oldest_is_forgotten_when_there_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let media = Media::new(media::MediaSettings::new(dir.path())).unwrap();
        let facts = Facts::default();
        for number in 0..=MOST {
            facts.remember(&video(number), &probe(number as u64));
            facts.remember(&video(number), &probe(number as u64));
        }
        let newest = facts.source(&media, &video(MOST), "gone".into()).await;
        assert_eq!(newest.probe, Some(probe(MOST as u64)), "it is not looked at again");
        let oldest = facts.source(&media, &video(0), "gone".into()).await;
        assert_eq!(oldest.probe, None);
        let known = facts.known.lock();
        assert_eq!((known.by_hash.len(), known.oldest_first.len()), (MOST, MOST));
    }
}
