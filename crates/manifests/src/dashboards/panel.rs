//! A panel, as it is written down: what it shows and what is normal.

use serde_json::{Value, json};

/// The unit of a panel's numbers, by Grafana's name for it.
pub(super) const SECONDS: &str = "s";
/// Bytes.
pub(super) const BYTES: &str = "bytes";
/// Bytes in a second.
pub(super) const BYTES_PER_SECOND: &str = "Bps";
/// A part of one.
pub(super) const PART: &str = "percentunit";
/// US dollars.
pub(super) const DOLLARS: &str = "currencyUSD";
/// A number of things.
pub(super) const COUNT: &str = "short";
/// So many in a second.
pub(super) const PER_SECOND: &str = "ops";
/// There, or away.
pub(super) const THERE: &str = "bool_on_off";

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Lines over time.
    Lines,
    /// Lines over time that add up.
    Stack,
    /// A column for each hour or day, which add up.
    Columns,
    /// The newest number.
    Number,
    /// A row for each series.
    Table,
    /// Lines of Loki.
    Log,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    title: String,
    description: String,
    look: Look,
    unit: &'static str,
    queries: Vec<(String, String)>,
    /// Columns of the 24 that a row has.
    pub(super) width: u64,
    red_from: Option<f64>,
}

impl Panel {
    /// A panel of a third of a row.
    #[must_use]
    pub(super) fn new(
        title: impl Into<String>,
        look: Look,
        unit: &'static str,
        description: impl Into<String>,
    ) -> Self {
        let (title, description) = (title.into(), description.into());
        Self { title, description, look, unit, queries: Vec::new(), width: 8, red_from: None }
    }

    /// What it asks for, and what the series are called.
    #[must_use]
    pub(super) fn ask(mut self, expression: impl Into<String>, legend: impl Into<String>) -> Self {
        self.queries.push((expression.into(), legend.into()));
        self
    }

    /// So wide.
    #[must_use]
    pub(super) fn wide(mut self, width: u64) -> Self {
        self.width = width;
        self
    }

    /// From this number on something is wrong.
    #[must_use]
    pub(super) fn red_from(mut self, number: f64) -> Self {
        self.red_from = Some(number);
        self
    }

    /// Rows of Grafana's grid that it takes.
    #[must_use]
    pub(super) fn height(&self) -> u64 {
        if self.look == Look::Number { 5 } else { 8 }
    }

    /// As Grafana has it, at a place of its grid.
    #[must_use]
    pub(super) fn json(&self, id: u64, x: u64, y: u64) -> Value {
        let source = if self.look == Look::Log { "loki" } else { "prometheus" };
        let datasource = json!({"type": source, "uid": source});
        let targets = self.queries.iter().enumerate().map(|(at, (expression, legend))| {
            let mut target = json!({
                "refId": letter(at), "datasource": datasource, "expr": expression, "legendFormat": legend,
            });
            if self.look == Look::Table {
                target["instant"] = json!(true);
                target["format"] = json!("table");
            }
            target
        });
        json!({
            "id": id,
            "type": self.kind(),
            "title": self.title,
            "description": self.description,
            "datasource": datasource,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height()},
            "fieldConfig": {"defaults": self.field(), "overrides": []},
            "options": self.options(),
            "targets": targets.collect::<Vec<_>>(),
        })
    }

    fn kind(&self) -> &'static str {
        match self.look {
            Look::Lines | Look::Stack | Look::Columns => "timeseries",
            Look::Number => "stat",
            Look::Table => "table",
            Look::Log => "logs",
        }
    }

    fn field(&self) -> Value {
        let mut steps = vec![json!({"color": "green", "value": null})];
        steps.extend(self.red_from.map(|from| json!({"color": "red", "value": from})));
        let mut field = json!({
            "unit": self.unit,
            "min": 0,
            "thresholds": {"mode": "absolute", "steps": steps},
        });
        field["custom"] = match self.look {
            Look::Lines => {
                json!({"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never"})
            }
            Look::Stack => json!({
                "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25, "showPoints": "never",
                "stacking": {"mode": "normal", "group": "A"},
            }),
            Look::Columns => json!({
                "drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80,
                "stacking": {"mode": "normal", "group": "A"},
            }),
            _ => return field,
        };
        if self.red_from.is_some() {
            field["custom"]["thresholdsStyle"] = json!({"mode": "line"});
        }
        field
    }

    fn options(&self) -> Value {
        match self.look {
            Look::Lines | Look::Stack | Look::Columns => json!({
                "legend": {"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Look::Number => json!({
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
                "colorMode": "value", "graphMode": "area", "textMode": "auto", "orientation": "auto",
            }),
            Look::Table => json!({"showHeader": true, "cellHeight": "sm"}),
            Look::Log => json!({
                "showTime": true, "wrapLogMessage": true, "enableLogDetails": true, "sortOrder": "Descending",
                "dedupStrategy": "none",
            }),
        }
    }
}

/// `A`, `B` and so on.
fn letter(at: usize) -> String {
    char::from(b'A' + u8::try_from(at % 26).unwrap_or_default()).to_string()
}
