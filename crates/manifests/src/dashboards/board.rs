//! A dashboard: rows of panels, one after the other.

use serde_json::{Value, json};

use super::panel::Panel;

/// The version of Grafana's schema that they are written in.
pub const SCHEMA: u64 = 41;

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// One that is being made.
#[derive(Debug)]
pub(super) struct Board {
    uid: String,
    title: String,
    description: String,
    panels: Vec<Value>,
    next: u64,
    y: u64,
}

impl Board {
    pub(super) fn new(uid: &str, title: &str, description: &str) -> Self {
        let (uid, title, description) = (uid.to_owned(), title.to_owned(), description.to_owned());
        Self { uid, title, description, panels: Vec::new(), next: 1, y: 0 }
    }

    /// Adds a heading with panels below it, side by side as far as there is room.
    pub(super) fn row(mut self, title: &str, panels: Vec<Panel>) -> Self {
        self.panels.push(json!({
            "id": self.next, "type": "row", "title": title, "collapsed": false, "panels": [],
            "gridPos": {"x": 0, "y": self.y, "w": COLUMNS, "h": 1},
        }));
        self.next += 1;
        self.y += 1;
        let (mut x, mut tallest) = (0, 0);
        for panel in panels {
            if x + panel.width > COLUMNS {
                self.y += tallest;
                (x, tallest) = (0, 0);
            }
            self.panels.push(panel.json(self.next, x, self.y));
            self.next += 1;
            x += panel.width;
            tallest = tallest.max(panel.height());
        }
        self.y += tallest;
        self
    }

    pub(super) fn json(self) -> Value {
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["filmstrip"],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": false,
            "timezone": "browser",
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "graphTooltip": 1,
            "templating": {"list": []},
            "annotations": {"list": []},
            // To all others, at the same time.
            "links": [{
                "type": "dashboards", "title": "Filmstrip", "tags": ["filmstrip"], "asDropdown": false,
                "keepTime": true, "includeVars": false, "targetBlank": false,
            }],
            "panels": self.panels,
        })
    }
}
