//! Voices over soundtracks: what they cost is the soundtrack's, and the music does not depend on them.

use protos::audio::v1::{GetVoiceRequest, RequestSoundtrackRequest, SoundtrackVoice};
use serde_json::json;

use crate::voices::bought;
use crate::world::{World, wanted};

const KEY: &str = "job-43/soundtrack-1";

fn voiced(key: &str, script: &str, voice: &str) -> RequestSoundtrackRequest {
    let voice = SoundtrackVoice { script: script.into(), voice: voice.into() };
    RequestSoundtrackRequest { voice: Some(voice), ..wanted(key, 7) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_that_waits_is_not_bought_for_a_soundtrack_that_failed() {
    let world = World::new().await;
    let busy = json!({"fault": "status", "code": 429, "retry_after": 60});
    let refusal = json!({"fault": "fail", "error": "NSFW content detected in the prompt"});
    let rules = [("speech", busy), ("music", refusal)]
        .map(|(kind, then)| json!({"when": {"kind": kind}, "then": then}));
    world.control.faults(json!({ "rules": rules })).await.unwrap();
    let audio = world.start().await;
    audio.request(voiced(KEY, "Welcome.", "calm")).await.unwrap();
    let failed = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((failed.state.as_str(), failed.cost_micros), ("failed", 0), "{failed:?}");
    let voice = GetVoiceRequest { key: format!("{KEY}/voice") };
    let voice = audio.voices.clone().get_voice(voice).await.unwrap().into_inner();
    assert_eq!(voice.state, "failed", "it is bought later: {voice:?}");
    assert!(bought(&world).await.is_empty());
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn music_is_made_without_a_voice_that_does_not_exist_and_says_so() {
    let world = World::new().await;
    let audio = world.start().await;
    audio.request(voiced(KEY, "Welcome.", "nobody at all")).await.unwrap();
    let ready = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000), "{ready:?}");
    assert!(ready.shortfall().contains("its voice must be one of professional"), "{ready:?}");
    assert_eq!(audio.published(1).await[0].1["shortfall"], json!(ready.shortfall()));
    assert!(bought(&world).await.is_empty());
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_words_are_bought_once_for_all_soundtracks_of_a_job() {
    let world = World::new().await;
    let audio = world.start().await;
    let mut costs = Vec::new();
    for (take, script) in [(1, "Welcome."), (2, "Welcome."), (3, "Farewell!")] {
        let key = format!("job-43/soundtrack-{take}");
        audio.request(voiced(&key, script, "calm")).await.unwrap();
        let ready = audio.until(&key, &["ready", "failed"]).await;
        assert_eq!((ready.state.as_str(), ready.shortfall.as_deref()), ("ready", None), "{ready:?}");
        costs.push(ready.cost_micros);
    }
    assert_eq!(costs, [80_800, 80_000, 80_900]);
    assert_eq!(bought(&world).await.len(), 2);
    let other = RequestSoundtrackRequest { job_id: 44, ..voiced("job-44/soundtrack-1", "Welcome.", "calm") };
    audio.request(other).await.unwrap();
    assert_eq!(audio.until("job-44/soundtrack-1", &["ready"]).await.cost_micros, 80_800);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_soundtracks_at_once_wait_for_one_voice() {
    let world = World::new().await;
    let audio = world.start().await;
    let keys = [KEY, "job-43/soundtrack-2"];
    for key in keys {
        audio.request(voiced(key, "Welcome.", "calm")).await.unwrap();
    }
    let mut cost = 0;
    for key in keys {
        cost += audio.until(key, &["ready", "failed"]).await.cost_micros;
    }
    assert_eq!((cost, bought(&world).await.len()), (160_800, 1));
    world.end(audio).await;
}
