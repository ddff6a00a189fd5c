//! W3C trace context and spans.

use telemetry::trace::{self, TraceContext, span};

#[test]
fn a_context_is_written_as_it_is_read() {
    for text in [
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    ] {
        assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_context_is_refused() {
    for text in [
        "",
        "00-0-0-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    ] {
        assert!(text.parse::<TraceContext>().is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn a_span_for_a_caller_is_one_of_the_callers_trace() {
    let caller = TraceContext::root();
    let served = span("serve").server().under(Some(&caller.to_string()));
    let inside = served.around(async { trace::current().unwrap() }).await;
    assert_eq!(inside.trace_id(), caller.trace_id());
    assert_ne!(inside.span_id(), caller.span_id());
    assert_eq!(trace::traceparent(), None, "outside there is no context");
}

#[tokio::test]
async fn work_goes_on_where_an_event_was_stored() {
    let stored = TraceContext::root().to_string();
    let inside = trace::continuing(Some(&stored), async { trace::traceparent().unwrap() }).await;
    assert_eq!(inside, stored, "spans made here are children of the one that stored it");
    let fresh = trace::continuing(None, async { trace::current() }).await;
    assert!(fresh.is_some(), "without one there is a new trace");
}

#[tokio::test]
async fn a_span_within_another_is_of_its_trace() {
    let outer = span("outer").root().start();
    let inner = outer.run(async { span("inner").start().context().unwrap() }).await;
    assert_eq!(inner.trace_id(), outer.context().unwrap().trace_id());
    let apart = outer.enter(|| span("apart").root().start().context().unwrap());
    assert_ne!(apart.trace_id(), inner.trace_id());
}

#[tokio::test]
async fn a_span_without_a_parent_is_collected_and_so_is_what_is_done_within() {
    let outer = span("outer").root().start();
    let text = outer.traceparent().unwrap();
    assert!(text.ends_with("-01"), "{text}");
    let inner = outer.run(async { span("inner").start().traceparent().unwrap() }).await;
    assert!(inner.ends_with("-01"), "{inner}");
    assert!(
        span("unknown caller")
            .server()
            .under(Some("nonsense"))
            .start()
            .traceparent()
            .unwrap()
            .ends_with("-01")
    );
    let left_out = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let child = span("child").under(Some(left_out)).start().traceparent().unwrap();
    assert!(child.ends_with("-00"), "whom nobody collects goes on so: {child}");
}
