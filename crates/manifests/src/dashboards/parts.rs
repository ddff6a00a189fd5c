//! The panels that several dashboards have, each for one service.

use super::panel::{BYTES, BYTES_PER_SECOND, COUNT, DOLLARS, Look, PART, PER_SECOND, Panel, SECONDS, THERE};

/// The share of values below which a line is drawn.
pub(super) const MOST: &str = "0.95";

/// `{job="filmstrip-render"}` and so on.
pub(super) fn of(service: &str) -> String {
    format!("job=\"filmstrip-{service}\"")
}

/// Matchers as they stand behind a series.
fn braced(chosen: &str) -> String {
    if chosen.is_empty() { String::new() } else { format!("{{{chosen}}}") }
}

/// How many in a second, by labels.
pub(super) fn rate(series: &str, chosen: &str, by: &str) -> String {
    format!("sum by ({by}) (rate({series}{}[$__rate_interval]))", braced(chosen))
}

/// The value below which a share of a histogram's values lies, by labels.
pub(super) fn quantile(share: &str, histogram: &str, chosen: &str, by: &str) -> String {
    let by = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    format!(
        "histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{}[$__rate_interval])))",
        braced(chosen)
    )
}

/// The number that every replica tells, by a label.
pub(super) fn told(series: &str, chosen: &str, by: &str) -> String {
    format!("max by ({by}) ({series}{})", braced(chosen))
}

/// Replicas, memory, processors and what it stands on.
pub(super) fn process(service: &str) -> Vec<Panel> {
    let own = of(service);
    vec![
        Panel::new("Replicas", Look::Number, COUNT, "Replicas that tell something. Normal: as many as are wanted; for a moment more while a version rolls out.")
            .ask(format!("count(process_memory_usage_bytes{{{own}}})"), "replicas").wide(4),
        Panel::new("What it stands on", Look::Number, THERE, "Whether every replica reaches it. Normal: on. Off for more than two minutes is an alert.")
            .ask(format!("min by (filmstrip_dependency) (filmstrip_dependency_up_ratio{{{own}}})"), "{{filmstrip_dependency}}").wide(8),
        Panel::new("Memory", Look::Lines, BYTES, "Resident memory of each replica, without the programs that it runs. Normal: level, after an hour of work at the latest.")
            .ask(format!("process_memory_usage_bytes{{{own}}}"), "{{instance}}").wide(6),
        Panel::new("Processors", Look::Lines, COUNT, "Processors that each replica uses, without the programs that it runs. Normal: a small part of one, but for stitch and the gateway under load.")
            .ask(format!("rate(process_cpu_time_seconds_total{{{own}}}[$__rate_interval])"), "{{instance}}").wide(6),
    ]
}

/// What it says on its own account.
pub(super) fn log(service: &str) -> Vec<Panel> {
    vec![
        Panel::new(
            "Warnings and errors",
            Look::Log,
            COUNT,
            "What it logged that is more than information; open a line and follow its trace. Normal: empty.",
        )
        .ask(format!("{{service_name=\"filmstrip-{service}\"}} | severity_text=~\"WARN|ERROR\""), "")
        .wide(24),
    ]
}

/// Calls that it serves.
pub(super) fn served(service: &str) -> Vec<Panel> {
    let own = of(service);
    let failed = format!("{own}, error_type!=\"\"");
    vec![
        Panel::new("Calls served", Look::Stack, PER_SECOND, "Calls in a second, by method. Normal: follows the API's requests and the jobs under way.")
            .ask(rate("rpc_server_call_duration_seconds_count", &own, "rpc_method"), "{{rpc_method}}"),
        Panel::new("Calls that failed", Look::Stack, PER_SECOND, "Calls in a second that were the service's fault, by method and status. Normal: none. UNAVAILABLE while its database is away.")
            .ask(rate("rpc_server_call_duration_seconds_count", &failed, "rpc_method, rpc_response_status_code"), "{{rpc_method}} {{rpc_response_status_code}}"),
        Panel::new("Time to serve a call", Look::Lines, SECONDS, "95 of 100 calls took less, by method. Normal: below 100 ms, but for uploads and imports.")
            .ask(quantile(MOST, "rpc_server_call_duration_seconds", &own, "rpc_method"), "{{rpc_method}}"),
    ]
}

/// Calls that it makes to other services.
pub(super) fn made(service: &str) -> Vec<Panel> {
    let own = of(service);
    let failed = format!("{own}, error_type!=\"\"");
    vec![
        Panel::new("Calls made", Look::Stack, PER_SECOND, "Calls to other services in a second, by method, all tries of one together.")
            .ask(rate("rpc_client_call_duration_seconds_count", &own, "rpc_method"), "{{rpc_method}}"),
        Panel::new("Calls made that failed", Look::Stack, PER_SECOND, "Calls to other services in a second that failed after all tries, by method and status. Normal: none.")
            .ask(rate("rpc_client_call_duration_seconds_count", &failed, "rpc_method, rpc_response_status_code"), "{{rpc_method}} {{rpc_response_status_code}}"),
        Panel::new("Time of a call made", Look::Lines, SECONDS, "95 of 100 calls to other services took less, by method. More than the other side says it took: the network, or waiting for a replica.")
            .ask(quantile(MOST, "rpc_client_call_duration_seconds", &own, "rpc_method"), "{{rpc_method}}"),
    ]
}

/// What it has to do and does.
pub(super) fn work(service: &str) -> Vec<Panel> {
    let own = of(service);
    vec![
        Panel::new("Work that waits", Look::Stack, COUNT, "What nobody has begun yet, by kind. Normal: comes and goes. Replicas are scaled by it where KEDA is.")
            .ask(told("filmstrip_work_due", &own, "filmstrip_work"), "{{filmstrip_work}}"),
        Panel::new("Work under way", Look::Stack, COUNT, "What was begun and is not over, by kind, over all replicas.")
            .ask(told("filmstrip_work_active", &own, "filmstrip_work"), "{{filmstrip_work}}"),
        Panel::new("Longest wait", Look::Lines, SECONDS, "How long the oldest waiting work has waited, by kind. Normal: goes back to 0 again and again. A line that only rises: nobody begins it.")
            .ask(told("filmstrip_work_oldest_age_seconds", &own, "filmstrip_work"), "{{filmstrip_work}}"),
    ]
}

/// What it writes down and publishes.
pub(super) fn events(service: &str) -> Vec<Panel> {
    let own = of(service);
    vec![
        Panel::new("Events stored", Look::Stack, PER_SECOND, "Events that were appended to its log in a second, by kind.")
            .ask(rate("filmstrip_log_events_appended_total", &own, "filmstrip_event_kind"), "{{filmstrip_event_kind}}"),
        Panel::new("Time to store", Look::Lines, SECONDS, "95 of 100 appends took less; by what went wrong when something did. Normal: below 50 ms. `conflict` is two writers at once, of whom one tries again.")
            .ask(quantile(MOST, "filmstrip_log_append_duration_seconds", &own, "error_type"), "{{error_type}}"),
        Panel::new("Leases", Look::Lines, COUNT, "Leases that some replica holds, by what for. Normal: level while work goes on; one for the relay.")
            .ask(told("filmstrip_leases_held", &own, "filmstrip_lease"), "{{filmstrip_lease}}"),
        Panel::new("Events published", Look::Stack, PER_SECOND, "Events that went out to NATS in a second; with what went wrong when something did.")
            .ask(rate("messaging_client_sent_messages_total", &own, "error_type"), "published {{error_type}}"),
        Panel::new("Time to publish", Look::Lines, SECONDS, "95 of 100 events were acknowledged by NATS in less. Normal: below 50 ms.")
            .ask(quantile(MOST, "messaging_client_operation_duration_seconds", &own, "messaging_destination_name"), "{{messaging_destination_name}}"),
        Panel::new("Events not published yet", Look::Lines, COUNT, "What the relay has still to look at. Normal: 0, or a few for a moment. It rises while NATS is away, and goes down by itself afterwards.")
            .ask(told("filmstrip_relay_lag", &own, "messaging_destination_name"), "{{messaging_destination_name}}"),
    ]
}

/// What it hears from others.
pub(super) fn heard(service: &str) -> Vec<Panel> {
    let own = of(service);
    let group = "messaging_consumer_group_name";
    vec![
        Panel::new("Messages handled", Look::Stack, PER_SECOND, "Messages that were handed to its handlers in a second, by subscription; with what went wrong when something did.")
            .ask(rate("messaging_client_consumed_messages_total", &own, &format!("{group}, error_type")), "{{messaging_consumer_group_name}} {{error_type}}"),
        Panel::new("Time to handle", Look::Lines, SECONDS, "95 of 100 handlers took less, by subscription. Normal: below 100 ms.")
            .ask(quantile(MOST, "messaging_process_duration_seconds", &own, group), "{{messaging_consumer_group_name}}"),
        Panel::new("Messages not handled yet", Look::Lines, COUNT, "Messages that wait or are being handled, by subscription. Normal: 0, or a few for a moment. A level line above 0: one message fails again and again.")
            .ask(told("filmstrip_subscription_lag", &own, group), "{{messaging_consumer_group_name}}"),
    ]
}

/// How it gets on with the providers that it calls.
pub(super) fn providers(service: &str) -> Vec<Panel> {
    let own = of(service);
    let failed = format!("{own}, error_type!=\"\"");
    vec![
        Panel::new("Calls to providers", Look::Stack, PER_SECOND, "Calls in a second, by provider and what was asked.")
            .ask(rate("filmstrip_provider_call_duration_seconds_count", &own, "filmstrip_provider, filmstrip_operation"), "{{filmstrip_provider}} {{filmstrip_operation}}"),
        Panel::new("Calls to providers that failed", Look::Stack, PER_SECOND, "Calls in a second that failed, by provider and kind. Normal: none, or some that were told to wait. More than a quarter for ten minutes is an alert.")
            .ask(rate("filmstrip_provider_call_duration_seconds_count", &failed, "filmstrip_provider, error_type"), "{{filmstrip_provider}} {{error_type}}"),
        Panel::new("Time of a call to a provider", Look::Lines, SECONDS, "95 of 100 calls took less, by provider and what was asked. Normal: below 2 s; a planner takes half a minute.")
            .ask(quantile(MOST, "filmstrip_provider_call_duration_seconds", &own, "filmstrip_provider, filmstrip_operation"), "{{filmstrip_provider}} {{filmstrip_operation}}"),
    ]
}

/// What it buys.
pub(super) fn predictions(service: &str) -> Vec<Panel> {
    let own = of(service);
    vec![
        Panel::new("Predictions that ended", Look::Columns, COUNT, "Attempts that ended within an hour, by how. Normal: nearly all succeed.")
            .ask(format!("sum by (filmstrip_outcome) (increase(filmstrip_prediction_duration_seconds_count{{{own}}}[1h]))"), "{{filmstrip_outcome}}"),
        Panel::new("Time of a prediction", Look::Lines, SECONDS, "95 of 100 attempts took less, from the intent to buy to their end, by model. Normal: minutes.")
            .ask(quantile(MOST, "filmstrip_prediction_duration_seconds", &own, "filmstrip_model"), "{{filmstrip_model}}"),
        Panel::new("Slots in use", Look::Lines, COUNT, "Predictions that may be in flight, and how many may be. Normal: at the limit while there is work, below it without. At the limit without work: attempts whose end is not known.")
            .ask(told("filmstrip_slots_used", &own, "filmstrip_provider"), "{{filmstrip_provider}} in use")
            .ask(told("filmstrip_slots_limit", &own, "filmstrip_provider"), "{{filmstrip_provider}} limit"),
        Panel::new("Spent", Look::Columns, DOLLARS, "US dollars within an hour by the price list, by model.")
            .ask(format!("sum by (filmstrip_model) (increase(filmstrip_provider_spend_USD_total{{{own}}}[1h]))"), "{{filmstrip_model}}").wide(24),
    ]
}

/// The media programs that it runs.
pub(super) fn media(service: &str) -> Vec<Panel> {
    let own = of(service);
    vec![
        Panel::new("Media runs", Look::Stack, PER_SECOND, "Runs of ffmpeg and ffprobe that ended in a second, by how. Normal: all `ok`, or `stopped` when somebody canceled.")
            .ask(rate("filmstrip_media_run_duration_seconds_count", &own, "filmstrip_program, filmstrip_outcome"), "{{filmstrip_program}} {{filmstrip_outcome}}"),
        Panel::new("Time of a media run", Look::Lines, SECONDS, "95 of 100 runs took less, by program. Normal: ffprobe below a second, ffmpeg as long as what it makes asks for.")
            .ask(quantile(MOST, "filmstrip_media_run_duration_seconds", &own, "filmstrip_program"), "{{filmstrip_program}}"),
        Panel::new("Seconds of media programs", Look::Stack, COUNT, "How many of them ran at one time on average, by program: their seconds in each second.")
            .ask(rate("filmstrip_media_run_duration_seconds_sum", &own, "filmstrip_program"), "{{filmstrip_program}}"),
        Panel::new("Media runs under way", Look::Stack, COUNT, "Programs that run at this moment, by replica.")
            .ask(format!("sum by (instance) (filmstrip_media_running{{{own}}})"), "{{instance}}"),
        Panel::new("Media runs that wait", Look::Stack, COUNT, "Runs that wait for their turn, by replica. Normal: 0 but for peaks. Always more than there are turns: more replicas would help.")
            .ask(format!("sum by (instance) (filmstrip_media_queued{{{own}}})"), "{{instance}}"),
        Panel::new("Wait for a turn", Look::Lines, SECONDS, "95 of 100 runs waited less. Normal: below a second.")
            .ask(quantile(MOST, "filmstrip_media_wait_duration_seconds", &own, "filmstrip_program"), "{{filmstrip_program}}"),
    ]
}

/// What it reads from and writes to the object store.
pub(super) fn bytes(service: &str) -> Vec<Panel> {
    vec![
        Panel::new(
            "Bytes to and from the object store",
            Look::Lines,
            BYTES_PER_SECOND,
            "Bytes in a second, read and written, over all replicas.",
        )
        .ask(
            rate("filmstrip_blob_io_bytes_total", &of(service), "filmstrip_direction, filmstrip_store"),
            "{{filmstrip_direction}} {{filmstrip_store}}",
        )
        .wide(24),
    ]
}

/// The API, as its callers have it.
pub(super) fn api() -> Vec<Panel> {
    let count = "http_server_request_duration_seconds_count";
    vec![
        Panel::new("Requests", Look::Stack, PER_SECOND, "Requests in a second, by status. Normal: 2xx and 3xx, some 4xx.")
            .ask(rate(count, "", "http_response_status_code"), "{{http_response_status_code}}"),
        Panel::new("Part of requests that fail", Look::Lines, PART, "Requests that were answered with 5xx, in each of the windows that the alerts look at. Normal: 0. The line is what a month's budget allows.")
            .ask("filmstrip:http_errors:ratio_rate5m", "5 minutes")
            .ask("filmstrip:http_errors:ratio_rate1h", "1 hour")
            .ask("filmstrip:http_errors:ratio_rate6h", "6 hours")
            .red_from(0.005),
        Panel::new("Time to answer", Look::Lines, SECONDS, "Half, and 95 of 100, of the answers began sooner. Normal: below 50 ms and 500 ms.")
            .ask(quantile("0.5", "http_server_request_duration_seconds", "", ""), "half")
            .ask(quantile(MOST, "http_server_request_duration_seconds", "", ""), "95 of 100"),
    ]
}
