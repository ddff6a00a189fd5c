//! The kinds of metrics, each made when it is first recorded.

use std::sync::OnceLock;

use opentelemetry::{KeyValue, global, metrics};

/// What kind of numbers a metric has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Grows and shrinks by what is told.
    UpDown,
    /// The newest value counts.
    Gauge,
    /// How often values fell into which range.
    Histogram,
}

/// A metric as the catalogue has it.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with dots.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// Its unit in UCUM, such as `s`, `By` or `{job}`.
    pub unit: &'static str,
    /// What it tells, in one sentence.
    pub meaning: &'static str,
    /// The attributes that it may have.
    pub attributes: &'static [&'static str],
}

impl Metric {
    /// In debug builds, so in every test: only what the catalogue tells of.
    fn check(&self, attributes: &[KeyValue]) {
        debug_assert!(
            attributes.iter().all(|attribute| self.attributes.contains(&attribute.key.as_str())),
            "{} has attributes that the catalogue does not tell of: {attributes:?}",
            self.name
        );
    }
}

/// What stands in the catalogue.
pub trait Describe: Sync {
    /// Its description.
    fn metric(&self) -> &Metric;
}

fn meter() -> metrics::Meter {
    global::meter("filmstrip")
}

macro_rules! instrument {
    ($(#[$about:meta])* $name:ident, $kind:ident, $inner:ty, $make:expr) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name {
            metric: Metric,
            made: OnceLock<$inner>,
        }

        impl $name {
            pub(super) const fn new(
                name: &'static str,
                unit: &'static str,
                attributes: &'static [&'static str],
                meaning: &'static str,
            ) -> Self {
                let metric = Metric { name, kind: Kind::$kind, unit, meaning, attributes };
                Self { metric, made: OnceLock::new() }
            }

            fn made(&self, attributes: &[KeyValue]) -> &$inner {
                self.metric.check(attributes);
                self.made.get_or_init(|| $make(&self.metric))
            }
        }

        impl Describe for $name {
            fn metric(&self) -> &Metric {
                &self.metric
            }
        }
    };
}

instrument!(
    /// Counts what happens.
    Counter,
    Counter,
    metrics::Counter<u64>,
    |metric: &Metric| {
        meter().u64_counter(metric.name).with_unit(metric.unit).with_description(metric.meaning).build()
    }
);

instrument!(
    /// Adds up amounts.
    Sum,
    Counter,
    metrics::Counter<f64>,
    |metric: &Metric| {
        meter().f64_counter(metric.name).with_unit(metric.unit).with_description(metric.meaning).build()
    }
);

instrument!(
    /// Counts what is there at this moment, by what comes and goes.
    UpDown,
    UpDown,
    metrics::UpDownCounter<i64>,
    |metric: &Metric| {
        meter().i64_up_down_counter(metric.name).with_unit(metric.unit).with_description(metric.meaning).build()
    }
);

instrument!(
    /// Holds the newest value.
    Gauge,
    Gauge,
    metrics::Gauge<f64>,
    |metric: &Metric| {
        meter().f64_gauge(metric.name).with_unit(metric.unit).with_description(metric.meaning).build()
    }
);

instrument!(
    /// Tells how values spread.
    Histogram,
    Histogram,
    metrics::Histogram<f64>,
    |metric: &Metric| {
        let meter = meter();
        let histogram = meter.f64_histogram(metric.name).with_unit(metric.unit);
        histogram.with_description(metric.meaning).with_boundaries(boundaries(metric)).build()
    }
);

impl Counter {
    /// So many more.
    pub fn add(&self, count: u64, attributes: &[KeyValue]) {
        self.made(attributes).add(count, attributes);
    }
}

impl Sum {
    /// So much more.
    pub fn add(&self, amount: f64, attributes: &[KeyValue]) {
        self.made(attributes).add(amount, attributes);
    }
}

impl UpDown {
    /// So many more, or fewer.
    pub fn add(&self, count: i64, attributes: &[KeyValue]) {
        self.made(attributes).add(count, attributes);
    }

    /// One more until what is returned is dropped.
    #[must_use = "it counts as long as this is held"]
    pub fn hold(&'static self, attributes: Vec<KeyValue>) -> Held {
        self.add(1, &attributes);
        Held { of: self, attributes }
    }
}

/// Counts one in an [`UpDown`] as long as it is held.
#[derive(Debug)]
pub struct Held {
    of: &'static UpDown,
    attributes: Vec<KeyValue>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.add(-1, &self.attributes);
    }
}

impl Gauge {
    /// It is so now.
    #[allow(clippy::cast_precision_loss, reason = "what is counted stays far below 2^53")]
    pub fn set_count(&self, count: u64, attributes: &[KeyValue]) {
        self.set(count as f64, attributes);
    }

    /// It is so now.
    pub fn set(&self, value: f64, attributes: &[KeyValue]) {
        self.made(attributes).record(value, attributes);
    }
}

impl Histogram {
    /// One value.
    pub fn record(&self, value: f64, attributes: &[KeyValue]) {
        self.made(attributes).record(value, attributes);
    }

    /// One duration, in seconds.
    pub fn took(&self, took: std::time::Duration, attributes: &[KeyValue]) {
        self.record(took.as_secs_f64(), attributes);
    }
}

/// Up to which values is counted. Requests: as the semantic conventions advise. Work: up to an hour. Bytes: in steps of 8.
fn boundaries(metric: &Metric) -> Vec<f64> {
    let requests =
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
    let work = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0];
    let bytes = [128.0, 1024.0, 8192.0, 65_536.0, 524_288.0, 4_194_304.0, 33_554_432.0, 268_435_456.0];
    match (metric.unit, metric.name) {
        ("By", _) => bytes.to_vec(),
        (_, name) if name.starts_with("filmstrip.") && !name.starts_with("filmstrip.log.") => work.to_vec(),
        _ => requests.to_vec(),
    }
}
