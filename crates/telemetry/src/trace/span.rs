//! Spans of our own work.

use std::{
    borrow::Cow,
    future::Future,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Context, KeyValue, Value,
    context::FutureExt as _,
    trace::{
        Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
        TracerProvider as _,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::TraceContext;
use crate::subject::Subject;

/// What makes spans; without an exporter they are made, for their ids, and go nowhere.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Spans go to `provider` from now on, unless some were made before.
pub(crate) fn install(provider: &SdkTracerProvider) -> bool {
    TRACER.set(provider.tracer("filmstrip")).is_ok()
}

fn tracer() -> &'static SdkTracer {
    TRACER.get_or_init(|| SdkTracerProvider::builder().build().tracer("filmstrip"))
}

/// A span to be: under the current one, unless it is told otherwise. The name says what kind of work it is and holds no
/// id, such as `render scene`.
#[must_use = "a span begins when it is started"]
pub fn span(name: impl Into<Cow<'static, str>>) -> Build {
    Build {
        builder: SpanBuilder::from_name(name),
        attributes: Vec::new(),
        links: Vec::new(),
        parent: Parent::Current,
        subject: None,
    }
}

/// See [`span`].
#[derive(Debug)]
pub struct Build {
    builder: SpanBuilder,
    attributes: Vec<KeyValue>,
    links: Vec<Link>,
    parent: Parent,
    subject: Option<Subject>,
}

/// Under what a span begins.
#[derive(Clone, Debug)]
enum Parent {
    /// What is current when it begins.
    Current,
    /// That.
    Named(SpanContext),
    /// Nothing.
    None,
}

impl Build {
    /// It serves a request from elsewhere.
    pub fn server(self) -> Self {
        self.kind(SpanKind::Server)
    }

    /// It asks somebody else and waits for the answer.
    pub fn client(self) -> Self {
        self.kind(SpanKind::Client)
    }

    /// It sends a message.
    pub fn producer(self) -> Self {
        self.kind(SpanKind::Producer)
    }

    /// It handles a message.
    pub fn consumer(self) -> Self {
        self.kind(SpanKind::Consumer)
    }

    fn kind(mut self, kind: SpanKind) -> Self {
        self.builder = self.builder.with_kind(kind);
        self
    }

    /// Its parent is the span that `traceparent` names; when that names none, the span is a root.
    pub fn under(mut self, traceparent: Option<&str>) -> Self {
        let parent = traceparent.and_then(|text| text.parse::<TraceContext>().ok());
        self.parent = parent.map_or(Parent::None, |parent| Parent::Named(parent.to_span_context()));
        self
    }

    /// It has no parent: the first of a trace.
    pub fn root(self) -> Self {
        self.under(None)
    }

    /// It has to do with the span that `traceparent` names, without being part of its work.
    pub fn link(mut self, traceparent: Option<&str>) -> Self {
        if let Some(other) = traceparent.and_then(|text| text.parse::<TraceContext>().ok()) {
            self.links.push(Link::with_context(other.to_span_context()));
        }
        self
    }

    /// It is work for that; so is what is done within it, and the logs say so.
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject).filter(|subject| !subject.is_empty());
        self
    }

    /// Something to know of it; never a secret.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// It began so long ago: for work of which it turned out only at its end that it is worth telling.
    #[allow(
        clippy::disallowed_methods,
        reason = "spans have the machine's time, whatever a test has made of ours"
    )]
    pub fn begun(mut self, ago: Duration) -> Self {
        let now = SystemTime::now();
        self.builder = self.builder.with_start_time(now.checked_sub(ago).unwrap_or(now));
        self
    }

    /// Begins.
    #[must_use = "a span ends when it is dropped"]
    pub fn start(self) -> Span {
        let Self { mut builder, mut attributes, links, parent, subject } = self;
        let mut context = Context::current();
        match parent {
            Parent::Current => {}
            Parent::Named(parent) => context = context.with_remote_span_context(parent),
            // Not a parent that stands nowhere: to a sampler that would be one that nobody collects.
            Parent::None => {
                context = Subject::of(&context).cloned().unwrap_or_default().put_into(&Context::new())
            }
        }
        if let Some(subject) = subject {
            context = subject.put_into(&context);
        }
        if let Some(subject) = Subject::of(&context) {
            attributes.extend(subject.attributes());
        }
        builder.attributes = Some(attributes);
        if !links.is_empty() {
            builder.links = Some(links);
        }
        let span = tracer().build_with_context(builder, &context);
        Span { context: context.with_span(span) }
    }

    /// Begins, runs `future` within, and ends.
    pub async fn around<F: Future>(self, future: F) -> F::Output {
        let span = self.start();
        // On the heap: a future within futures would be moved with each of them.
        Box::pin(span.run(future)).await
    }
}

/// A span that has begun; it ends when this is dropped.
#[derive(Debug)]
pub struct Span {
    context: Context,
}

impl Span {
    /// Where it stands.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        TraceContext::of(self.context.span().span_context())
    }

    /// The text by which others can go on under it.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.context().map(|context| context.to_string())
    }

    /// Something to know of it that was not known when it began; never a secret.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        self.context.span().set_attribute(KeyValue::new(key, value));
    }

    /// It has to do with the span that `traceparent` names.
    pub fn link(&self, traceparent: Option<&str>) {
        if let Some(other) = traceparent.and_then(|text| text.parse::<TraceContext>().ok()) {
            self.context.span().add_link(other.to_span_context(), Vec::new());
        }
    }

    /// It went wrong, with the reason for a person; never a secret.
    pub fn fail(&self, reason: impl Into<Cow<'static, str>>) {
        self.context.span().set_status(Status::error(reason));
    }

    /// Runs `future` within it.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.with_context(self.context.clone())
    }

    /// Does something within it.
    pub fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _within = self.context.clone().attach();
        work()
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // Others may hold the context still; the work is over now.
        self.context.span().end();
    }
}

/// Says of the current span what was not known when it began; never a secret.
pub(crate) fn current_span(context: &Context, subject: &Subject) {
    let span = context.span();
    for attribute in subject.attributes() {
        span.set_attribute(attribute);
    }
}
