//! Many images of a given size, and hardly anything else.

use std::path::Path;

use anyhow::Result;

use super::{
    Layout,
    assets::{At, NewAsset},
    maker::Maker,
};
use crate::{pictures::Format, truth::Truth};

/// How many images go into one transaction.
const AT_ONCE: usize = 200;

/// Makes images of `least` to 250,000 bytes for as long as `more` of their number and their bytes so far.
pub(super) fn make(path: &Path, seed: u64, least: usize, more: impl Fn(usize, u64) -> bool) -> Result<Truth> {
    let mut maker = Maker::new(path, Layout::Fresh, seed, None)?;
    let clients = maker.two_clients()?;
    let mut campaigns = Vec::new();
    for n in 0..4 {
        let name = format!("Property {}", n + 1);
        campaigns.push(maker.campaign(&clients[n / 2], false, (&name, "Bookings", "active", None, None))?);
    }
    let (mut images, mut bytes) = (0, 0);
    while more(images, bytes) {
        // Uneven, as it was.
        let owner = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][images % 10];
        let size = least + maker.dice.below(250_000 - least) + 1;
        let (format, spelled) = [
            (Format::Jpeg, "jpeg"),
            (Format::Jpeg, "jpg"),
            (Format::Png, "png"),
            (Format::Jpeg, "jpeg"),
            (Format::Webp, "webp"),
        ][images % 5];
        let photo = maker.picture(format, size);
        bytes += photo.bytes.len() as u64;
        let tag = format!("Bedroom {} {}", images % 3 + 1, images / 3 + 1);
        let new = NewAsset {
            pixels: photo.pixels,
            thumbnail: true,
            ..NewAsset::image(&tag, spelled, At::Blob(photo))
        };
        maker.asset(new.of(Some(&clients[owner / 2]), Some(&campaigns[owner])).tagged(&[&tag]))?;
        images += 1;
        if images % AT_ONCE == 0 {
            maker.commit()?;
        }
    }
    maker.finish()
}
