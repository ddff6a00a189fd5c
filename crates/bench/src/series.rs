//! Several runs of one figure: the median and how far the runs lie apart.

use std::fmt;

/// The figures of several runs, in one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle figure; of two middle ones their mean. 0 without any.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => 0.0,
            len if len % 2 == 1 => sorted[len / 2],
            len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
        }
    }

    /// The figure that this share of the runs does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let sorted = self.sorted();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1));
        sorted.get(rank - 1).copied().unwrap_or(0.0)
    }

    /// `self` by `other`, run by run: what noise both runs share falls out.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return f.write_str("-") };
        let middle = self.median();
        let digits = if middle >= 100.0 { 0 } else { 2 };
        write!(f, "{middle:.digits$} ({least:.digits$}–{most:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_ratio_is_taken_run_by_run() {
        let series = Series(vec![3.0, 1.0, 2.0]);
        assert!((series.median() - 2.0).abs() < 1e-9);
        assert!((series.over(&Series(vec![1.5, 0.5, 1.0])).median() - 2.0).abs() < 1e-9);
        assert_eq!(series.to_string(), "2.00 (1.00–3.00)");
        assert!((series.quantile(0.99) - 3.0).abs() < 1e-9);
    }
}
