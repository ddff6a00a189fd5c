//! Those who follow a job's events: a stream that ends because its gateway goes is taken up where it ended.

use filmstrip::client::Client;

use super::super::PATIENCE;

/// Follows a job to its end; how often the stream was taken up again. Nothing comes twice, nothing out of order, and
/// no stream breaks: a gateway that goes ends it in order.
pub(super) async fn follow(client: Client, job: i64) -> usize {
    let mut last: Option<i64> = None;
    let mut resumed = 0;
    let following = async {
        loop {
            let from = last.map(|id| id.to_string());
            let stream = client.events(job, from.as_deref()).await;
            let stream = stream.unwrap_or_else(|error| panic!("following {job} from {last:?}: {error:#}"));
            let Some(mut stream) = stream else { return resumed };
            loop {
                let event = stream.next().await;
                let event =
                    event.unwrap_or_else(|error| panic!("following {job}, after {last:?}: {error:#}"));
                let Some(event) = event else { break };
                let id: i64 = event.id.parse().unwrap();
                assert!(last.is_none_or(|last| last < id), "{job}: {id} after {last:?}: {event:?}");
                last = Some(id);
                if event.name == "end" {
                    return resumed;
                }
            }
            resumed += 1;
        }
    };
    tokio::time::timeout(PATIENCE, following).await.unwrap_or_else(|_| panic!("{job} is followed to its end"))
}
