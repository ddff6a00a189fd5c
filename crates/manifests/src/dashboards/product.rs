//! The dashboard of the product: what a person asks first.

use serde_json::Value;

use super::{
    board::Board,
    panel::{BYTES_PER_SECOND, COUNT, DOLLARS, Look, PART, PER_SECOND, Panel, SECONDS, THERE},
    parts::{MOST, api, quantile, rate, told},
};

const OWNER: &str = "filmstrip_job_owner";

pub(super) fn board() -> Value {
    Board::new("filmstrip", "Filmstrip", "Whether videos come out, what they cost, and who holds them up. docs/OPERATIONS.md tells what to do.")
        .row("Now", now())
        .row("Jobs", jobs())
        .row("Money", money())
        .row("API", api())
        .row("Events", events())
        .row("Providers", providers())
        .row("Machines", machines())
        .json()
}

fn now() -> Vec<Panel> {
    vec![
        Panel::new(
            "Unfinished jobs",
            Look::Number,
            COUNT,
            "Jobs that are not over, by who must move next. Those of `person` wait for an approval.",
        )
        .ask(told("filmstrip_jobs_unfinished", "", OWNER), "{{filmstrip_job_owner}}")
        .wide(6),
        Panel::new(
            "Stalled jobs",
            Look::Number,
            COUNT,
            "Jobs whose deadline has passed, by who must move next. Normal: 0.",
        )
        .ask(told("filmstrip_jobs_stalled", "", OWNER), "{{filmstrip_job_owner}}")
        .red_from(1.0)
        .wide(6),
        Panel::new(
            "Oldest unfinished job",
            Look::Number,
            SECONDS,
            "Its age, by who must move next. Normal: below an hour, but for those that wait for a person.",
        )
        .ask(told("filmstrip_job_oldest_unfinished_age_seconds", "", OWNER), "{{filmstrip_job_owner}}")
        .wide(6),
        Panel::new("Spent within 24 hours", Look::Number, DOLLARS, "US dollars by the price list.")
            .ask("sum(increase(filmstrip_provider_spend_USD_total[24h]))", "spent")
            .wide(3),
        Panel::new(
            "Requests that fail",
            Look::Number,
            PART,
            "Of the last five minutes, answered with 5xx. Normal: 0.",
        )
        .ask("filmstrip:http_errors:ratio_rate5m or vector(0)", "failed")
        .red_from(0.005)
        .wide(3),
        Panel::new(
            "Alerts",
            Look::Table,
            COUNT,
            "What fires now. Normal: empty. docs/OPERATIONS.md has a section for each.",
        )
        .ask("sum by (severity, alertname) (ALERTS{alertstate=\"firing\"})", "{{alertname}}")
        .wide(24),
    ]
}

fn jobs() -> Vec<Panel> {
    vec![
        Panel::new("Unfinished jobs over time", Look::Stack, COUNT, "Jobs that are not over, by who must move next. Normal: comes and goes with the day.")
            .ask(told("filmstrip_jobs_unfinished", "", OWNER), "{{filmstrip_job_owner}}"),
        Panel::new("Stalled jobs over time", Look::Stack, COUNT, "Jobs whose deadline has passed. Normal: none. The owner says where to look: its own dashboard.")
            .ask(told("filmstrip_jobs_stalled", "", OWNER), "{{filmstrip_job_owner}}"),
        Panel::new("Age of the oldest", Look::Lines, SECONDS, "Age of the oldest job that is not over, by who must move next. Normal: a saw. A line that only rises is one job that does not move.")
            .ask(told("filmstrip_job_oldest_unfinished_age_seconds", "", OWNER), "{{filmstrip_job_owner}}"),
        Panel::new("Jobs that ended", Look::Columns, COUNT, "Within an hour, by outcome. Normal: `complete`; `partial` lacks scenes.")
            .ask("sum by (filmstrip_outcome) (increase(filmstrip_jobs_ended_total[1h]))", "{{filmstrip_outcome}}").wide(12),
        Panel::new("Time to finish", Look::Lines, SECONDS, "From the approval to the end: half, and 95 of 100, of the jobs took less. Normal: minutes; as long as the provider takes for the number of scenes.")
            .ask(quantile("0.5", "filmstrip_job_duration_seconds", "", ""), "half")
            .ask(quantile(MOST, "filmstrip_job_duration_seconds", "", ""), "95 of 100").wide(12),
    ]
}

fn money() -> Vec<Panel> {
    vec![
        Panel::new(
            "Spent in a day, by model",
            Look::Columns,
            DOLLARS,
            "US dollars by the price list within the 24 hours before, by model.",
        )
        .ask(
            "sum by (filmstrip_model) (increase(filmstrip_provider_spend_USD_total[1d]))",
            "{{filmstrip_model}}",
        )
        .wide(12),
        Panel::new(
            "Spent in an hour",
            Look::Lines,
            DOLLARS,
            "US dollars within the hour before, and the threshold of the alert (thresholds.yaml).",
        )
        .ask("sum(increase(filmstrip_provider_spend_USD_total[1h]))", "spent")
        .ask("filmstrip:threshold:spend_usd_per_hour", "threshold")
        .wide(12),
    ]
}

fn events() -> Vec<Panel> {
    let group = "messaging_consumer_group_name";
    vec![
        Panel::new("Events not published yet", Look::Lines, COUNT, "What each service's relay has still to look at. Normal: 0, or a few for a moment.")
            .ask(told("filmstrip_relay_lag", "", "messaging_destination_name"), "{{messaging_destination_name}}"),
        Panel::new("Messages not handled yet", Look::Lines, COUNT, "Messages that wait or are being handled, by subscription. Normal: 0, or a few for a moment.")
            .ask(told("filmstrip_subscription_lag", "", group), "{{messaging_consumer_group_name}}"),
        Panel::new("Events published and handled", Look::Lines, PER_SECOND, "In a second, over all services. Normal: handled is about as much as is published by render, stitch and audio.")
            .ask("sum(rate(messaging_client_sent_messages_total{error_type=\"\"}[$__rate_interval]))", "published")
            .ask("sum(rate(messaging_client_consumed_messages_total{error_type=\"\"}[$__rate_interval]))", "handled"),
    ]
}

fn providers() -> Vec<Panel> {
    let calls = "filmstrip_provider_call_duration_seconds";
    vec![
        Panel::new("Time of a call", Look::Lines, SECONDS, "95 of 100 calls took less, by provider. Normal: below 2 s; a planner takes half a minute.")
            .ask(quantile(MOST, calls, "", "filmstrip_provider"), "{{filmstrip_provider}}"),
        Panel::new("Calls that failed", Look::Stack, PER_SECOND, "In a second, by provider and kind. Normal: none, or some that were told to wait.")
            .ask(rate(&format!("{calls}_count"), "error_type!=\"\"", "filmstrip_provider, error_type"), "{{filmstrip_provider}} {{error_type}}"),
        Panel::new("Slots in use, of the limit", Look::Lines, PART, "Normal: all of them while there is work. More than the limit never.")
            .ask("max by (job, filmstrip_provider) (filmstrip_slots_used) / max by (job, filmstrip_provider) (filmstrip_slots_limit)", "{{job}} {{filmstrip_provider}}"),
        Panel::new("Predictions that ended", Look::Columns, COUNT, "Within an hour, by how they ended. Normal: nearly all succeed.")
            .ask("sum by (filmstrip_outcome) (increase(filmstrip_prediction_duration_seconds_count[1h]))", "{{filmstrip_outcome}}"),
        Panel::new("Time of a prediction", Look::Lines, SECONDS, "95 of 100 attempts took less, by model. Normal: minutes.")
            .ask(quantile(MOST, "filmstrip_prediction_duration_seconds", "", "filmstrip_model"), "{{filmstrip_model}}"),
        Panel::new("Webhooks", Look::Stack, PER_SECOND, "Webhooks in a second, by what was done with them. Normal: taken. None at all while predictions run: the provider does not reach public_base_url, and everything takes as long as asking for it.")
            .ask(rate("filmstrip_provider_webhooks_total", "", "filmstrip_provider, filmstrip_outcome"), "{{filmstrip_provider}} {{filmstrip_outcome}}"),
    ]
}

fn machines() -> Vec<Panel> {
    vec![
        Panel::new(
            "Replicas",
            Look::Lines,
            COUNT,
            "Replicas that tell something, by service. None for three minutes is an alert.",
        )
        .ask("count by (job) (process_memory_usage_bytes)", "{{job}}"),
        Panel::new(
            "What they stand on",
            Look::Lines,
            THERE,
            "Whether every replica of a service reaches it. Normal: on.",
        )
        .ask(
            "min by (job, filmstrip_dependency) (filmstrip_dependency_up_ratio)",
            "{{job}} {{filmstrip_dependency}}",
        ),
        Panel::new(
            "Bytes to and from the object store",
            Look::Lines,
            BYTES_PER_SECOND,
            "In a second, over all services.",
        )
        .ask(rate("filmstrip_blob_io_bytes_total", "", "filmstrip_direction"), "{{filmstrip_direction}}"),
    ]
}
