//! The catalogue: every metric that Filmstrip has, by what it is about.

use super::instrument::{Counter, Describe, Gauge, Histogram, Sum, UpDown};

/// Keys of attributes.
pub mod key {
    /// `GET`, `POST` and so on.
    pub const HTTP_METHOD: &str = "http.request.method";
    /// The route's pattern, such as `/api/v3/jobs/{id}`.
    pub const HTTP_ROUTE: &str = "http.route";
    /// The answer's status.
    pub const HTTP_STATUS: &str = "http.response.status_code";
    /// The call's full name, such as `filmstrip.job.v1.JobService/GetJob`.
    pub const RPC_METHOD: &str = "rpc.method";
    /// The status by its name, such as `OK` or `UNAVAILABLE`.
    pub const RPC_STATUS: &str = "rpc.response.status_code";
    /// The service whose events they are, such as `render`.
    pub const DESTINATION: &str = "messaging.destination.name";
    /// The subscription's durable name.
    pub const CONSUMER: &str = "messaging.consumer.group.name";
    /// What kind of failure; absent when there was none.
    pub const ERROR: &str = "error.type";
    /// The stored event's kind.
    pub const EVENT: &str = "filmstrip.event.kind";
    /// What kind of work: `job`, `render`, `soundtrack`, `voice`, `cut`, `mix`, `overlay`.
    pub const WORK: &str = "filmstrip.work";
    /// What the lease is for.
    pub const LEASE: &str = "filmstrip.lease";
    /// `replicate`, `elevenlabs` or `xai`.
    pub const PROVIDER: &str = "filmstrip.provider";
    /// The model's key.
    pub const MODEL: &str = "filmstrip.model";
    /// What is asked of a provider: `create`, `get`, `list` and so on.
    pub const OPERATION: &str = "filmstrip.operation";
    /// How it ended.
    pub const OUTCOME: &str = "filmstrip.outcome";
    /// `ffmpeg` or `ffprobe`.
    pub const PROGRAM: &str = "filmstrip.program";
    /// `read` or `write`.
    pub const DIRECTION: &str = "filmstrip.direction";
    /// `local` or `s3`.
    pub const STORE: &str = "filmstrip.store";
    /// Who must move next: `person`, `render`, `stitch`, `audio` or `job`.
    pub const OWNER: &str = "filmstrip.job.owner";
    /// `database`, `nats` or a service.
    pub const DEPENDENCY: &str = "filmstrip.dependency";
}

use key::{
    CONSUMER, DEPENDENCY, DESTINATION, DIRECTION, ERROR, EVENT, HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, LEASE,
    MODEL, OPERATION, OUTCOME, OWNER, PROGRAM, PROVIDER, RPC_METHOD, RPC_STATUS, STORE, WORK,
};

/// How long requests to the gateway take, by route and answer.
pub static HTTP_SERVER_REQUEST_DURATION: Histogram = Histogram::new(
    "http.server.request.duration",
    "s",
    &[HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, ERROR],
    "How long requests took until the answer began; their number is the rate, those with an `error.type` the errors.",
);
/// Requests that the gateway is answering.
pub static HTTP_SERVER_ACTIVE_REQUESTS: UpDown = UpDown::new(
    "http.server.active_requests",
    "{request}",
    &[HTTP_METHOD],
    "Requests under way, streams of events and of media until their end.",
);
/// Bytes that callers sent.
pub static HTTP_SERVER_REQUEST_BODY_SIZE: Histogram = Histogram::new(
    "http.server.request.body.size",
    "By",
    &[HTTP_METHOD, HTTP_ROUTE],
    "Bytes of the bodies that came in.",
);
/// Bytes that callers got.
pub static HTTP_SERVER_RESPONSE_BODY_SIZE: Histogram = Histogram::new(
    "http.server.response.body.size",
    "By",
    &[HTTP_METHOD, HTTP_ROUTE],
    "Bytes of the bodies that went out, as far as they were sent.",
);
/// How long served calls take.
pub static RPC_SERVER_CALL_DURATION: Histogram = Histogram::new(
    "rpc.server.call.duration",
    "s",
    &[RPC_METHOD, RPC_STATUS, ERROR],
    "How long calls took that were served; of a stream, until it began.",
);
/// How long made calls take.
pub static RPC_CLIENT_CALL_DURATION: Histogram = Histogram::new(
    "rpc.client.call.duration",
    "s",
    &[RPC_METHOD, RPC_STATUS, ERROR],
    "How long calls took that were made, all tries together; of a stream, until it began.",
);

/// Events in the log.
pub static EVENTS_APPENDED: Counter = Counter::new(
    "filmstrip.log.events.appended",
    "{event}",
    &[EVENT],
    "Events that were stored in the service's log.",
);
/// How long appends take.
pub static APPEND_DURATION: Histogram = Histogram::new(
    "filmstrip.log.append.duration",
    "s",
    &[ERROR],
    "How long appends took, waiting for the writer and the commit included. `error.type` is `conflict` when somebody else was faster.",
);
/// Events published.
pub static MESSAGES_SENT: Counter = Counter::new(
    "messaging.client.sent.messages",
    "{message}",
    &[DESTINATION, ERROR],
    "Events that the relay published.",
);
/// How long publishing takes.
pub static SEND_DURATION: Histogram = Histogram::new(
    "messaging.client.operation.duration",
    "s",
    &[DESTINATION, ERROR],
    "How long it took from sending an event to its acknowledgement.",
);
/// Messages handed over.
pub static MESSAGES_CONSUMED: Counter = Counter::new(
    "messaging.client.consumed.messages",
    "{message}",
    &[DESTINATION, CONSUMER, ERROR],
    "Messages that were handed to their handler, each time it was.",
);
/// How long handling takes.
pub static PROCESS_DURATION: Histogram = Histogram::new(
    "messaging.process.duration",
    "s",
    &[DESTINATION, CONSUMER, ERROR],
    "How long handlers took; messages that are handled together count once.",
);
/// The relay's lag.
pub static RELAY_LAG: Gauge = Gauge::new(
    "filmstrip.relay.lag",
    "{event}",
    &[DESTINATION],
    "Events of the log that the relay has still to look at, told by the replica that relays; the others tell 0.",
);
/// A subscription's lag.
pub static SUBSCRIPTION_LAG: Gauge = Gauge::new(
    "filmstrip.subscription.lag",
    "{message}",
    &[DESTINATION, CONSUMER],
    "Messages that a subscription has still to handle, those under way included, as the consumer's leader tells. Every replica tells the same.",
);

/// Work that waits.
pub static WORK_DUE: Gauge = Gauge::new(
    "filmstrip.work.due",
    "{item}",
    &[WORK],
    "Work that waits for somebody to begin. Every replica tells the same: of a service, take the largest, not the sum.",
);
/// Work under way.
pub static WORK_ACTIVE: Gauge = Gauge::new(
    "filmstrip.work.active",
    "{item}",
    &[WORK],
    "Work that was begun and is not over, by whichever replica. Every replica tells the same.",
);
/// How long work waits.
pub static WORK_OLDEST_AGE: Gauge = Gauge::new(
    "filmstrip.work.oldest.age",
    "s",
    &[WORK],
    "How long the work that waits longest has waited; 0 when none waits. Every replica tells the same.",
);
/// Leases that this process holds.
pub static LEASES_HELD: Gauge = Gauge::new(
    "filmstrip.leases.held",
    "{lease}",
    &[LEASE],
    "Leases that are held and have not run out, by whichever replica. Every replica tells the same.",
);
/// Slots in use.
pub static SLOTS_USED: Gauge = Gauge::new(
    "filmstrip.slots.used",
    "{slot}",
    &[PROVIDER, WORK],
    "Predictions of one kind of work that may be in flight at the provider, over all jobs and replicas. Every replica tells the same.",
);
/// Slots there are.
pub static SLOTS_LIMIT: Gauge = Gauge::new(
    "filmstrip.slots.limit",
    "{slot}",
    &[PROVIDER, WORK],
    "How many predictions may be in flight at one time for one kind of work.",
);

/// How long providers take to answer.
pub static PROVIDER_CALL_DURATION: Histogram = Histogram::new(
    "filmstrip.provider.call.duration",
    "s",
    &[PROVIDER, OPERATION, ERROR],
    "How long calls to a provider took, polls that brought nothing new included.",
);
/// How long predictions take.
pub static PREDICTION_DURATION: Histogram = Histogram::new(
    "filmstrip.prediction.duration",
    "s",
    &[PROVIDER, MODEL, OUTCOME],
    "How long attempts took from the intent to buy to their end; the outcome is `succeeded`, `canceled`, why the provider never took it on (`not_sent`, `throttled`, `not_there`, `stopped`), or the kind of failure, such as `refused`, `input`, `account`, `provider`, `overdue` or `unknown`.",
);
/// What was spent.
pub static PROVIDER_SPEND: Sum = Sum::new(
    "filmstrip.provider.spend",
    "USD",
    &[PROVIDER, MODEL],
    "What attempts cost by the price list, counted when the attempt is known to have been bought.",
);
/// Webhooks that came.
pub static PROVIDER_WEBHOOKS: Counter = Counter::new(
    "filmstrip.provider.webhooks",
    "{webhook}",
    &[PROVIDER, OUTCOME],
    "Webhooks that came in; the outcome is `taken`, `unknown` or `refused`.",
);

/// How long ffmpeg runs.
pub static MEDIA_RUN_DURATION: Histogram = Histogram::new(
    "filmstrip.media.run.duration",
    "s",
    &[PROGRAM, OUTCOME],
    "How long media programs ran; the outcome is `ok`, `failed`, `timeout` or `stopped`.",
);
/// How long runs wait.
pub static MEDIA_WAIT_DURATION: Histogram =
    Histogram::new("filmstrip.media.wait.duration", "s", &[PROGRAM], "How long runs waited for their turn.");
/// Programs that run.
pub static MEDIA_RUNNING: UpDown =
    UpDown::new("filmstrip.media.running", "{run}", &[PROGRAM], "Media programs that run at this moment.");
/// Runs that wait.
pub static MEDIA_QUEUED: UpDown = UpDown::new(
    "filmstrip.media.queued",
    "{run}",
    &[PROGRAM],
    "Runs that wait for their turn at this moment.",
);
/// Bytes to and from the object store.
pub static BLOB_IO: Counter = Counter::new(
    "filmstrip.blob.io",
    "By",
    &[DIRECTION, STORE],
    "Bytes written to and read from the object store, counted when they are there or when reading begins; what ffmpeg reads in place is not counted.",
);

/// Jobs that are not over.
pub static JOBS_UNFINISHED: Gauge = Gauge::new(
    "filmstrip.jobs.unfinished",
    "{job}",
    &[OWNER],
    "Jobs that are not over, by who must move next. Every replica tells the same.",
);
/// Jobs whose deadline has passed.
pub static JOBS_STALLED: Gauge = Gauge::new(
    "filmstrip.jobs.stalled",
    "{job}",
    &[OWNER],
    "Jobs whose next deadline has passed and that have not moved since. Every replica tells the same.",
);
/// The oldest job.
pub static OLDEST_UNFINISHED_AGE: Gauge = Gauge::new(
    "filmstrip.job.oldest_unfinished.age",
    "s",
    &[OWNER],
    "How long ago the oldest job that is not over was made, or taken up again; 0 when there is none. Every replica tells the same.",
);
/// Jobs that ended.
pub static JOBS_ENDED: Counter = Counter::new(
    "filmstrip.jobs.ended",
    "{job}",
    &[OUTCOME],
    "Jobs that ended; the outcome is `complete`, `partial`, `failed` or `canceled`.",
);
/// How long jobs take.
pub static JOB_DURATION: Histogram = Histogram::new(
    "filmstrip.job.duration",
    "s",
    &[OUTCOME],
    "How long jobs took from the approval to their end.",
);

/// What a process needs.
pub static DEPENDENCY_UP: Gauge = Gauge::new(
    "filmstrip.dependency.up",
    "1",
    &[DEPENDENCY],
    "1 when what the process works with is there, 0 when it is away.",
);
/// Memory.
pub static PROCESS_MEMORY: Gauge =
    Gauge::new("process.memory.usage", "By", &[], "Memory of the process that is resident.");
/// Time on the processors.
pub static PROCESS_CPU: Sum =
    Sum::new("process.cpu.time", "s", &[], "Time that the process has spent on processors since it began.");

/// All of it, by what it is about.
pub(super) static ALL: &[(&str, &[&dyn Describe])] = &[
    (
        "Requests and calls",
        &[
            &HTTP_SERVER_REQUEST_DURATION,
            &HTTP_SERVER_ACTIVE_REQUESTS,
            &HTTP_SERVER_REQUEST_BODY_SIZE,
            &HTTP_SERVER_RESPONSE_BODY_SIZE,
            &RPC_SERVER_CALL_DURATION,
            &RPC_CLIENT_CALL_DURATION,
        ],
    ),
    (
        "Events",
        &[
            &EVENTS_APPENDED,
            &APPEND_DURATION,
            &MESSAGES_SENT,
            &SEND_DURATION,
            &RELAY_LAG,
            &MESSAGES_CONSUMED,
            &PROCESS_DURATION,
            &SUBSCRIPTION_LAG,
        ],
    ),
    ("Work", &[&WORK_DUE, &WORK_ACTIVE, &WORK_OLDEST_AGE, &LEASES_HELD, &SLOTS_USED, &SLOTS_LIMIT]),
    (
        "Providers and money",
        &[&PROVIDER_CALL_DURATION, &PREDICTION_DURATION, &PROVIDER_SPEND, &PROVIDER_WEBHOOKS],
    ),
    (
        "Media and bytes",
        &[&MEDIA_RUN_DURATION, &MEDIA_WAIT_DURATION, &MEDIA_RUNNING, &MEDIA_QUEUED, &BLOB_IO],
    ),
    ("Jobs", &[&JOBS_UNFINISHED, &JOBS_STALLED, &OLDEST_UNFINISHED_AGE, &JOBS_ENDED, &JOB_DURATION]),
    ("The process", &[&DEPENDENCY_UP, &PROCESS_MEMORY, &PROCESS_CPU]),
];
