//! From OTLP's messages to what tests look at.

use std::{collections::BTreeMap, time::Instant};

use anyhow::bail;
use hyper::body::Bytes;
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
    resource::v1::Resource,
    trace::v1::{Span, status::StatusCode},
};
use prost::Message as _;

use super::{Line, Point, Seen, SpanSeen};

/// Takes in what was sent to `path`.
pub(super) fn into(seen: &mut Seen, path: &str, body: Bytes) -> anyhow::Result<()> {
    match path {
        "/v1/traces" => {
            for of_resource in ExportTraceServiceRequest::decode(body)?.resource_spans {
                let service = named(of_resource.resource.as_ref(), "service.name");
                let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                seen.spans.extend(spans.map(|one| span(&service, one)));
            }
        }
        "/v1/metrics" => {
            for of_resource in ExportMetricsServiceRequest::decode(body)?.resource_metrics {
                let of = of_resource.resource.as_ref();
                let (service, instance) = (named(of, "service.name"), named(of, "service.instance.id"));
                for metric in of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                    for point in points(&service, &instance, metric) {
                        let series = format!("{service} {instance} {} {:?}", point.name, point.attributes);
                        seen.points.insert(series, point);
                    }
                }
            }
        }
        "/v1/logs" => {
            for of_resource in ExportLogsServiceRequest::decode(body)?.resource_logs {
                let service = named(of_resource.resource.as_ref(), "service.name");
                let lines = of_resource.scope_logs.into_iter().flat_map(|scope| scope.log_records);
                seen.lines.extend(lines.map(|one| line(&service, one)));
            }
        }
        _ => bail!("nobody sends to {path}"),
    }
    Ok(())
}

fn named(resource: Option<&Resource>, key: &str) -> String {
    resource.and_then(|resource| texts(&resource.attributes).remove(key)).unwrap_or_default()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|one| (one.key.clone(), text(one.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn span(service: &str, span: Span) -> SpanSeen {
    let status = span.status.unwrap_or_default();
    SpanSeen {
        service: service.to_owned(),
        trace: hex(&span.trace_id),
        span: hex(&span.span_id),
        parent: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        name: span.name,
        kind: span.kind,
        attributes: texts(&span.attributes),
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        error: (status.code() == StatusCode::Error).then_some(status.message),
    }
}

#[allow(clippy::cast_precision_loss, reason = "tests count less than 2^53")]
fn points(service: &str, instance: &str, metric: Metric) -> Vec<Point> {
    let at = Instant::now();
    let point = |attributes: &[KeyValue], value, sum| Point {
        service: service.to_owned(),
        instance: instance.to_owned(),
        name: metric.name.clone(),
        attributes: texts(attributes),
        value,
        sum,
        at,
    };
    let numbers = |numbers: &[NumberDataPoint]| {
        let one = |number: &NumberDataPoint| point(&number.attributes, value(number), None);
        numbers.iter().map(one).collect::<Vec<_>>()
    };
    match &metric.data {
        Some(Data::Gauge(gauge)) => numbers(&gauge.data_points),
        Some(Data::Sum(sum)) => numbers(&sum.data_points),
        Some(Data::Histogram(histogram)) => {
            let series = histogram.data_points.iter();
            series.map(|one| point(&one.attributes, one.count as f64, one.sum)).collect()
        }
        _ => Vec::new(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "tests count less than 2^53")]
fn value(number: &NumberDataPoint) -> f64 {
    match number.value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => 0.0,
    }
}

fn line(service: &str, record: LogRecord) -> Line {
    Line {
        service: service.to_owned(),
        message: text(record.body.as_ref()),
        trace: (!record.trace_id.is_empty()).then(|| hex(&record.trace_id)),
        attributes: texts(&record.attributes),
    }
}
