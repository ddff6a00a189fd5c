//! Rules of read tables and coordination tables.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Backend, RECORDED_AT, one, open, versions};
use crate::{AppendError, Log, LogError, Statement, params};

fn item(id: &str, label: &str) -> Statement {
    Statement::new("INSERT INTO item (id, n, label) VALUES ($1, $2, $3)", params![id, 1_i64, label])
}

async fn items(log: &Log) -> i64 {
    let rows = log.query("SELECT count(*) AS items FROM item", params![]).await.unwrap();
    rows[0].get("items").unwrap()
}

/// A reader that sees the event's row sees the event.
pub async fn a_table_and_its_event_are_stored_together(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").statement(item("a", "A").affecting(1))).await.unwrap();
    assert_eq!((items(&log).await, versions(&log, "a").await), (1, vec![1]));
}

/// And none of the rows that came before it.
pub async fn a_violated_key_leaves_no_event(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").statement(item("a", "A"))).await.unwrap();
    let append = one("b").statement(item("b", "B")).statement(item("c", "A"));
    let error = log.append(append).await.unwrap_err();
    assert!(matches!(&error, AppendError::Constraint(reason) if reason.contains("label")), "{error}");
    assert_eq!((items(&log).await, versions(&log, "b").await), (1, vec![]));
}

/// The read table was not what the caller decided on.
pub async fn a_wrong_number_of_rows_leaves_no_event(backend: &dyn Backend) {
    let log = open(backend).await;
    let absent = Statement::new("UPDATE item SET n = n + 1 WHERE id = $1", params!["a"]).affecting(1);
    let error = log.append(one("a").statement(item("b", "B")).statement(absent.clone())).await.unwrap_err();
    assert!(matches!(error, AppendError::Constraint(_)), "{error}");
    assert_eq!((items(&log).await, versions(&log, "a").await), (0, vec![]));
    let error = log.execute(vec![absent]).await.unwrap_err();
    assert!(matches!(error, LogError::Constraint(_)), "{error}");
}

/// Nor does it disturb the next write.
pub async fn a_faulty_statement_leaves_no_event(backend: &dyn Backend) {
    let log = open(backend).await;
    for sql in ["INSERT INTO nowhere VALUES (1)", "nonsense", "INSERT INTO item (id) VALUES ('a')"] {
        let error = log.append(one("a").statement(Statement::new(sql, params![]))).await.unwrap_err();
        assert!(matches!(error, AppendError::Log(_)), "{sql}: {error}");
    }
    assert_eq!(log.append(one("a")).await.unwrap().last_version, 1);
}

/// Within the types that all backends share.
pub async fn every_value_comes_back_as_it_went_in(backend: &dyn Backend) {
    let log = open(backend).await;
    let sql = "INSERT INTO anything (id, int, real, text, bytes, yes) VALUES ($1, $2, $3, $4, $5, $6)";
    let (id, json) = (Uuid::now_v7(), json!({ "a": [1, null, "\"'%"] }));
    let rows = [
        params![1_i64, i64::MIN, 2.5_f64, "text", vec![0_u8, 255], true],
        params![2_i64, None::<i64>, None::<f64>, None::<&str>, None::<Vec<u8>>, None::<bool>],
        params![3_i64, 7_i32, 0.1_f32, id, &b"x"[..], false],
        params![4_i64, 9_u64, 3.0_f64, RECORDED_AT, Vec::<u8>::new(), Some(true)],
        params![5_i64, 9_u32, -0.5_f64, json.clone(), Vec::<u8>::new(), true],
    ];
    log.execute(rows.map(|row| Statement::new(sql, row)).into()).await.unwrap();
    let rows = log.query("SELECT * FROM anything ORDER BY id", params![]).await.unwrap();
    assert_eq!(rows[0].get::<i64>("int").unwrap(), i64::MIN);
    assert!((rows[0].get::<f64>("real").unwrap() - 2.5).abs() < f64::EPSILON);
    assert_eq!(rows[0].get::<String>("text").unwrap(), "text");
    assert_eq!(rows[0].get::<Vec<u8>>("bytes").unwrap(), [0, 255]);
    assert!(rows[0].get::<bool>("yes").unwrap());
    assert_eq!(rows[1].get::<Option<i64>>("int").unwrap(), None);
    assert_eq!(rows[1].get::<Option<String>>("text").unwrap(), None);
    assert_eq!(rows[1].get::<Option<bool>>("yes").unwrap(), None);
    assert_eq!((rows[2].get::<i32>("int").unwrap(), rows[2].get::<Uuid>("text").unwrap()), (7, id));
    assert!(!rows[2].get::<bool>("yes").unwrap());
    assert_eq!(rows[3].get::<u64>("int").unwrap(), 9);
    assert_eq!(rows[3].get::<Timestamp>("text").unwrap(), RECORDED_AT);
    assert_eq!(rows[4].get::<Value>("text").unwrap(), json);
    rows[0].get::<i32>("int").unwrap_err();
    rows[0].get::<Uuid>("text").unwrap_err();
    rows[1].get::<i64>("int").unwrap_err();
    rows[0].get::<i64>("nothing").unwrap_err();
}

/// Numbered from 1, in any order, each as often as one likes, none left over.
pub async fn parameters_must_fit_their_statement(backend: &dyn Backend) {
    let log = open(backend).await;
    let swapped = Statement::new("INSERT INTO item (id, n, label) VALUES ($2, $1, $2)", params![4_i64, "a"]);
    log.execute(vec![swapped]).await.unwrap();
    let rows =
        log.query("SELECT n, label FROM item WHERE id = $1 OR label = $1", params!["a"]).await.unwrap();
    assert_eq!((rows[0].get::<i64>("n").unwrap(), rows[0].get::<String>("label").unwrap()), (4, "a".into()));
    for params in [params![], params!["a", "b"]] {
        log.query("SELECT n FROM item WHERE id = $1", params).await.unwrap_err();
    }
}

/// All or nothing.
pub async fn several_statements_are_one_transaction(backend: &dyn Backend) {
    let log = open(backend).await;
    let error = log.execute(vec![item("a", "A"), item("b", "A")]).await.unwrap_err();
    assert!(matches!(error, LogError::Constraint(_)), "{error}");
    assert_eq!(items(&log).await, 0);
    assert_eq!(log.execute(vec![item("a", "A"), item("b", "B")]).await.unwrap(), [1, 1]);
    let all = Statement::new("UPDATE item SET n = 2", params![]);
    assert_eq!(log.execute(vec![all]).await.unwrap(), [2]);
}

/// A counter, for example.
pub async fn a_returning_statement_returns_its_rows(backend: &dyn Backend) {
    let log = open(backend).await;
    let next = Statement::new(
        "INSERT INTO item (id, n) VALUES ('counter', 1) \
         ON CONFLICT (id) DO UPDATE SET n = item.n + 1 RETURNING n",
        params![],
    );
    let numbers = (0..20).map(|_| log.execute_returning(next.clone()));
    let rows = futures::future::join_all(numbers).await;
    let mut numbers: Vec<i64> = rows.into_iter().map(|rows| rows.unwrap()[0].get("n").unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}
