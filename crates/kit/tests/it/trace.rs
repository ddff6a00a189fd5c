//! W3C trace context.

use kit::trace::{self, TraceContext};

#[test]
fn a_context_is_written_as_it_is_read() {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), text);
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
async fn work_for_a_caller_is_a_span_of_the_callers_trace() {
    let caller = TraceContext::root().to_string();
    let inside = trace::continuing(Some(&caller), async { trace::traceparent().unwrap() }).await;
    assert_eq!(inside[3..35], caller[3..35], "the same trace");
    assert_ne!(inside[36..52], caller[36..52], "another span");
    assert_eq!(trace::traceparent(), None, "outside there is no context");
}
