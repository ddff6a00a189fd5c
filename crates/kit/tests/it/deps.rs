//! Background tasks and what their end means.

use kit::Tasks;
use tokio_util::sync::CancellationToken;

fn tasks() -> (Tasks, CancellationToken) {
    let cancel = CancellationToken::new();
    (Tasks::new("test", cancel.clone()), cancel)
}

#[tokio::test]
async fn a_task_that_ends_before_it_is_told_to_stops_the_service() {
    for end in ["returns", "fails", "panics"] {
        let (tasks, cancel) = tasks();
        tasks.spawn("short", async move {
            match end {
                "returns" => Ok(()),
                "fails" => Err(anyhow::anyhow!("broken")),
                _ => panic!("as the test wants"),
            }
        });
        cancel.cancelled().await;
        tasks.finished().await;
    }
}

#[tokio::test]
async fn a_finite_task_may_be_done_but_not_fail() {
    let (tasks, cancel) = tasks();
    tasks.spawn_finite("done", async { anyhow::Ok(()) });
    tasks.finished().await;
    assert!(!cancel.is_cancelled());
    tasks.spawn_finite("broken", async { Err::<(), _>(anyhow::anyhow!("broken")) });
    cancel.cancelled().await;
}
