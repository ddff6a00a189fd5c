//! Chooses rooms and pairs of photos, and writes what each scene shows.

use serde_json::{Value, json};

use super::request::{Asset, Wish};
use super::rooms::{Room, plain, sort, stop_of};

/// Scenes when no number was asked for, at most.
const USUAL_SCENES: usize = 7;
const USUAL_SECONDS: f64 = 6.0;

const MOTIONS: [&str; 6] = [
    "The camera glides slowly forward",
    "A slow, level pan to the right",
    "The camera rises gently",
    "A slow, level pan to the left",
    "The camera drifts slowly past",
    "A gentle push towards the light",
];
const LIGHTS: [&str; 3] =
    ["soft natural light", "warm late-afternoon light", "bright, even daylight from the windows"];
const TRANSITIONS: [&str; 3] = ["fade", "dissolve", "cut"];

/// One scene before it is put into words.
struct Shot<'a> {
    room: &'a Room<'a>,
    first: &'a Asset,
    last: &'a Asset,
    /// Which pair of its room this is, from 0.
    pair: usize,
}

/// As many scenes as asked for, each with two different photos of one room where there are two.
pub(super) fn plan(wish: &Wish) -> Vec<Value> {
    let rooms = sort(wish);
    let rooms = preferred(&rooms, wish);
    let wanted = wish.num_scenes.filter(|n| *n > 0).unwrap_or_else(|| rooms.len().clamp(1, USUAL_SCENES));
    let shots = choose(&rooms, wanted.min(100));
    let count = shots.len();
    shots.iter().enumerate().map(|(number, shot)| describe(wish, shot, number, count)).collect()
}

/// Rooms that fit the wanted scene types and can be shown moving come before the others.
fn preferred<'a>(rooms: &'a [Room<'a>], wish: &Wish) -> Vec<&'a Room<'a>> {
    let types = wish.scene_types.as_deref().unwrap_or_default();
    let fits = |room: &&Room<'_>| types.is_empty() || matching_type(&room.name, types).is_some();
    let fitting: Vec<_> = rooms.iter().filter(fits).collect();
    let fitting = if fitting.is_empty() { rooms.iter().collect() } else { fitting };
    let pairs: Vec<_> = fitting.iter().copied().filter(|room| room.photos.len() > 1).collect();
    if pairs.is_empty() { fitting } else { pairs }
}

/// Every room once, those with most photos first when there are too many; then further pairs, room by room.
fn choose<'a>(rooms: &[&'a Room<'a>], wanted: usize) -> Vec<Shot<'a>> {
    let mut by_size: Vec<usize> = (0..rooms.len()).collect();
    by_size.sort_by_key(|&i| std::cmp::Reverse(rooms[i].photos.len()));
    let mut pairs_of = vec![0usize; rooms.len()];
    let mut left = wanted;
    while left > 0 && !rooms.is_empty() {
        for &i in by_size.iter().take(left) {
            pairs_of[i] += 1;
        }
        left -= left.min(by_size.len());
    }
    let shots = |(room, count): (&&'a Room<'a>, &usize)| {
        let room = *room;
        (0..*count).map(move |pair| {
            let (first, last) = pair_of(room.photos.len(), pair);
            Shot { room, first: room.photos[first], last: room.photos[last], pair }
        })
    };
    rooms.iter().zip(&pairs_of).flat_map(shots).collect()
}

/// The nth pair of `count` photos: neighbours first without using one twice, then neighbours between those, then all.
fn pair_of(count: usize, nth: usize) -> (usize, usize) {
    if count < 2 {
        return (0, 0);
    }
    let mut pairs: Vec<(usize, usize)> = (0..count / 2).map(|i| (2 * i, 2 * i + 1)).collect();
    let others = (0..count).flat_map(|a| (0..count).map(move |b| (a, b))).filter(|(a, b)| a != b);
    for pair in (0..count - 1).map(|i| (i, i + 1)).chain(others) {
        if pairs.len() > nth {
            break;
        }
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs[nth % pairs.len()]
}

fn describe(wish: &Wish, shot: &Shot<'_>, number: usize, count: usize) -> Value {
    let room = title_case(&shot.room.name);
    let title = if shot.pair == 0 { room.clone() } else { format!("{room}, another view") };
    let motion = MOTIONS[number % MOTIONS.len()];
    let light = LIGHTS[number % LIGHTS.len()];
    let whole = wish.brief.as_deref().map(first_sentence).unwrap_or_default();
    let mood = if whole.is_empty() { String::new() } else { format!(" In the spirit of: {whole}") };
    let energy = match (number, count) {
        (0, _) => "medium",
        (n, c) if n + 1 == c => "low",
        (n, c) if n * 2 >= c => "high",
        _ => "medium",
    };
    json!({
        "title": title,
        "description": format!("{room}, from {} to {}.", label(shot.first), label(shot.last)),
        "prompt": format!(
            "{motion} through the {}, {light}, from the first view to the last. \
             Steady, realistic, nothing appears or disappears.{mood}",
            shot.room.name
        ),
        "scene_type": scene_type(wish, &shot.room.name, number),
        "duration": wish.clip_duration.filter(|d| *d > 0.0).unwrap_or(USUAL_SECONDS),
        "transition": TRANSITIONS[number % TRANSITIONS.len()],
        "first_asset_id": shot.first.id,
        "last_asset_id": shot.last.id,
        "music_description": format!("Music for the {}: inviting and unhurried", shot.room.name),
        "music_style": style_of(&whole),
        "music_energy": energy,
        "highlights": [light, format!("{} in motion", shot.room.name)],
    })
}

/// One of the offered types if there are any: the one that the room's name speaks of, else the most general.
fn scene_type(wish: &Wish, room: &str, number: usize) -> String {
    let types = wish.scene_types.as_deref().unwrap_or_default();
    if let Some(known) = matching_type(room, types) {
        return known.clone();
    }
    let general = ["interior", "detail", "showcase"];
    let fallback = general.iter().find_map(|word| types.iter().find(|t| plain(t) == *word));
    match fallback.or_else(|| types.get(number % types.len().max(1))) {
        Some(offered) => offered.clone(),
        None => room.replace(' ', "_"),
    }
}

fn matching_type<'a>(room: &str, types: &'a [String]) -> Option<&'a String> {
    let stop = stop_of(room).map(|(stop, _)| stop);
    types
        .iter()
        .find(|t| plain(t) == room)
        .or_else(|| types.iter().find(|t| room.contains(&plain(t)) || plain(t).contains(room)))
        .or_else(|| types.iter().find(|t| stop.is_some() && stop_of(&plain(t)).map(|(s, _)| s) == stop))
}

fn style_of(brief: &str) -> &'static str {
    let brief = brief.to_lowercase();
    [
        ("luxur", "cinematic"),
        ("modern", "electronic"),
        ("family", "acoustic"),
        ("cozy", "acoustic"),
        ("calm", "ambient"),
    ]
    .iter()
    .find(|(word, _)| brief.contains(word))
    .map_or("warm piano", |(_, style)| style)
}

fn label(photo: &Asset) -> String {
    photo.name.clone().unwrap_or_else(|| "a photo".to_owned())
}

fn first_sentence(text: &str) -> String {
    text.split(['.', '\n', '!']).next().unwrap_or_default().trim().chars().take(120).collect()
}

fn title_case(text: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    text.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(rooms: &[(&str, usize)], num_scenes: Option<usize>, types: &[&str]) -> Wish {
        let photo = |room: &str, n: usize| Asset {
            id: format!("{room}-{n}"),
            name: Some(format!("{room} {n}")),
            ..Asset::default()
        };
        Wish {
            num_scenes,
            scene_types: Some(types.iter().map(|t| (*t).to_owned()).collect()),
            assets: rooms.iter().flat_map(|(room, n)| (1..=*n).map(|i| photo(room, i))).collect(),
            ..Wish::default()
        }
    }

    fn text<'a>(scene: &'a Value, member: &str) -> &'a str {
        scene[member].as_str().expect("text")
    }

    #[test]
    fn the_wanted_number_of_scenes_is_planned_and_pairs_differ() {
        for wanted in [1, 3, 6, 10] {
            let scenes = plan(&wish(&[("kitchen", 2), ("bedroom", 4), ("bathroom", 1)], Some(wanted), &[]));
            assert_eq!(scenes.len(), wanted);
            for scene in &scenes {
                assert_ne!(scene["first_asset_id"], scene["last_asset_id"]);
                let room = |member| text(scene, member).split('-').next().map(str::to_owned);
                assert_eq!(room("first_asset_id"), room("last_asset_id"));
            }
        }
    }

    #[test]
    fn a_room_with_many_photos_gives_many_different_pairs() {
        let scenes = plan(&wish(&[("kitchen", 4)], Some(6), &[]));
        let mut pairs: Vec<_> =
            scenes.iter().map(|s| (text(s, "first_asset_id"), text(s, "last_asset_id"))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), 6);
    }

    #[test]
    fn only_offered_scene_types_are_used() {
        let types = ["exterior", "interior", "living_room"];
        let wish = wish(&[("lounge", 2), ("facade", 2), ("cellar", 2)], Some(2), &types);
        let scenes = plan(&wish);
        let used: Vec<_> = scenes.iter().map(|s| text(s, "scene_type")).collect();
        assert_eq!(used, ["exterior", "living_room"]);
    }

    #[test]
    fn one_photo_is_enough_for_a_scene() {
        let scenes = plan(&wish(&[("kitchen", 1)], Some(2), &[]));
        assert_eq!(scenes.len(), 2);
        assert_eq!(scenes[0]["first_asset_id"], scenes[0]["last_asset_id"]);
    }
}
