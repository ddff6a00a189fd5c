//! Which two images a scene moves between.

use crate::storyboard::frames::{PlanAsset, normal};

/// The pair of an image-pairs scene: the images in order, two by two, beginning again at the end.
pub(super) fn pair<'a>(images: &[&'a PlanAsset], index: usize) -> (&'a PlanAsset, &'a PlanAsset) {
    let count = images.len();
    (images[(2 * index) % count], images[(2 * index + 1) % count])
}

/// Two images for each scene: those whose tags or name fit its type come first, each image once as long as there
/// are unused ones, then again from the beginning.
pub(super) fn by_type<'a>(images: &[&'a PlanAsset], types: &[&str]) -> Vec<(&'a PlanAsset, &'a PlanAsset)> {
    let mut dealer = Dealer { images, uses: vec![0; images.len()] };
    // Fitting images go to their scenes before the rest is dealt out, so that no earlier scene takes them away.
    let fitting: Vec<Vec<usize>> = types.iter().map(|kind| dealer.take_fitting(kind)).collect();
    fitting
        .into_iter()
        .map(|mut own| {
            while own.len() < 2 {
                own.push(dealer.least_used(&own));
            }
            (images[own[0]], images[own[1]])
        })
        .collect()
}

struct Dealer<'a, 'b> {
    images: &'b [&'a PlanAsset],
    uses: Vec<usize>,
}

impl Dealer<'_, '_> {
    fn take_fitting(&mut self, kind: &str) -> Vec<usize> {
        let kind = normal(kind);
        let fits = |index: &usize| self.images[*index].terms().any(|term| fits(&term, &kind));
        let unused = |index: &usize| self.uses[*index] == 0;
        let own: Vec<usize> = (0..self.images.len()).filter(unused).filter(fits).take(2).collect();
        own.iter().for_each(|index| self.uses[*index] += 1);
        own
    }

    /// The image used least, the earliest of equals; one that the scene does not have yet if there is any.
    fn least_used(&mut self, own: &[usize]) -> usize {
        let order = |index: &usize| (own.contains(index), self.uses[*index], *index);
        let index = (0..self.images.len()).min_by_key(order).unwrap_or_default();
        self.uses[index] += 1;
        index
    }
}

/// A term fits a type when it holds the type's words in a row: `master_bedroom_2` fits `bedroom`.
fn fits(term: &str, kind: &str) -> bool {
    !kind.is_empty() && format!("_{term}_").contains(&format!("_{kind}_"))
}
