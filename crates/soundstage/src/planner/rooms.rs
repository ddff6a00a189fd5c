//! Sorts photos into rooms and rooms into the order of a visit.

use super::request::{Asset, Wish};

/// The photos of one room.
#[derive(Debug, Clone)]
pub(super) struct Room<'a> {
    /// Lower case, words apart by spaces.
    pub(super) name: String,
    pub(super) photos: Vec<&'a Asset>,
}

/// Words for the stops of a visit, in its order.
const VISIT: [(&str, &[&str]); 11] = [
    ("exterior", &["exterior", "facade", "front", "outside", "street", "house", "building"]),
    ("entrance", &["entrance", "entry", "hall", "hallway", "foyer", "stairs"]),
    ("living_room", &["living", "lounge", "sitting", "family"]),
    ("dining_room", &["dining"]),
    ("kitchen", &["kitchen"]),
    ("office", &["office", "study", "library", "workspace"]),
    ("bedroom", &["bedroom", "bed", "master", "guest", "nursery"]),
    ("bathroom", &["bathroom", "bath", "shower", "toilet", "powder"]),
    ("interior", &["interior", "room", "detail", "detailing"]),
    ("garden", &["garden", "patio", "terrace", "balcony", "yard", "outdoor"]),
    ("pool", &["pool", "spa", "jacuzzi"]),
];

/// Groups the photos of a wish by their first tag, or else by their name without its number.
pub(super) fn sort(wish: &Wish) -> Vec<Room<'_>> {
    let mut rooms: Vec<Room<'_>> = Vec::new();
    for photo in &wish.assets {
        let name = room_of(photo);
        match rooms.iter_mut().find(|room| room.name == name) {
            Some(room) => room.photos.push(photo),
            None => rooms.push(Room { name, photos: vec![photo] }),
        }
    }
    for room in &mut rooms {
        // Landscape photos first; otherwise as they came.
        room.photos.sort_by_key(|photo| photo.height > photo.width);
    }
    rooms.sort_by_key(|room| stop_of(&room.name).map_or(VISIT.len(), |(stop, _)| stop));
    rooms
}

/// The stop of a visit that a room's name speaks of: its place and its usual name.
pub(super) fn stop_of(room: &str) -> Option<(usize, &'static str)> {
    let said = |word: &&str| room.split(' ').any(|w| w == *word || w.strip_suffix('s') == Some(*word));
    VISIT.iter().enumerate().find(|(_, (_, words))| words.iter().any(said)).map(|(i, (name, _))| (i, *name))
}

fn room_of(photo: &Asset) -> String {
    let tag = photo.tags.iter().flatten().map(|tag| plain(tag)).find(|tag| !tag.is_empty());
    tag.or_else(|| photo.name.as_deref().map(plain).filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "property".to_owned())
}

/// Lower case, no file extension, separators as spaces, trailing numbers off.
pub(super) fn plain(text: &str) -> String {
    let stem = match text.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 4 && extension.chars().all(char::is_alphanumeric) => {
            stem
        }
        _ => text,
    };
    let lower = stem.to_lowercase().replace(['_', '-', '/'], " ");
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| word.chars().all(|c| c.is_ascii_digit())) {
        words.pop();
    }
    let joined = words.join(" ");
    let bare = joined.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.is_empty() { joined } else { bare.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_numbers_extensions_and_separators() {
        for (name, room) in [
            ("Kitchen 1 10", "kitchen"),
            ("living_room-2.jpg", "living room"),
            ("bedroom3.png", "bedroom"),
            ("42", "42"),
            ("Dr. Who's room", "dr. who's room"),
        ] {
            assert_eq!(plain(name), room);
        }
    }

    #[test]
    fn rooms_are_visited_from_the_street_to_the_pool() {
        let photo = |id: &str, tag: &str| Asset {
            id: id.to_owned(),
            tags: Some(vec![tag.to_owned()]),
            ..Asset::default()
        };
        let assets =
            vec![photo("a", "Pool"), photo("b", "kitchen"), photo("c", "Exterior"), photo("d", "Kitchen")];
        let wish = Wish { assets, ..Wish::default() };
        let rooms = sort(&wish);
        let names: Vec<_> = rooms.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(names, ["exterior", "kitchen", "pool"]);
        assert_eq!(rooms[1].photos.len(), 2);
    }
}
