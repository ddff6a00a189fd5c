//! One trace joins a request, the job's events, the calls to the workers and what they publish.

use std::collections::BTreeSet;

use eventlog::StoredEvent;
use kit::trace::{TraceContext, within};

use crate::stage::{Stage, Tell, trace_id};

async fn events(stage: &Stage, job: i32) -> Vec<StoredEvent> {
    stage.log.load(&format!("job-{job}"), 0).await.unwrap()
}

fn traces(events: &[StoredEvent]) -> BTreeSet<String> {
    events.iter().map(|event| trace_id(event.meta.traceparent.as_deref()).expect("a trace")).collect()
}

#[tokio::test]
async fn one_trace_joins_the_requests_the_jobs_events_and_the_workers_calls() {
    for tell in [Tell::Reply, Tell::Message] {
        let mut stage = Stage::new().await;
        stage.workers.tell(tell);
        let root = TraceContext::root();
        let id = within(root, stage.approved(2)).await;
        stage.over(id).await;
        let trace = trace_id(Some(&root.to_string())).unwrap();
        assert_eq!(traces(&events(&stage, id).await), BTreeSet::from([trace.clone()]));
        for key in stage.workers.asked() {
            assert_eq!(stage.workers.trace(&key), trace, "{key}");
        }
    }
}

#[tokio::test]
async fn a_job_is_one_trace_from_its_creation_whoever_approves_it_also_after_a_restart() {
    let mut stage = Stage::new().await;
    // Calls without a trace begin one each.
    let id = stage.create(2).await.id;
    stage.stop().await;
    stage.restart().await;
    stage.approve(id).await;
    stage.over(id).await;
    let events = events(&stage, id).await;
    assert!(events.iter().any(|event| event.kind == "JobApproved"));
    let traces = traces(&events);
    assert_eq!(traces.len(), 1, "{traces:?}");
    assert_eq!(BTreeSet::from([stage.workers.trace("job-1/cut-1")]), traces);
    let correlations: BTreeSet<_> = events.iter().map(|event| event.meta.correlation_id.clone()).collect();
    assert_eq!(correlations, BTreeSet::from(["job-1".to_owned()]));
}
