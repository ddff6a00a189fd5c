//! A stream with the rules of JetStream (duplicates within a window, expected last sequence and id, in this order), and
//! connections to it on which messages keep their order, may be late, and may be lost with the connection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bus::{
    Message,
    nats::target::{Ack, Answer, Behind, Refusal, State, Target},
};
use eventlog::testing::{Dice, Gate};
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

/// As the streams of services are declared.
const DUPLICATES: Duration = Duration::from_secs(600);
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server holds.
#[derive(Default)]
pub(super) struct Stored {
    /// Ids and positions; the first has sequence 1. What is no relay's has neither.
    messages: Vec<Option<(Uuid, i64)>>,
    seen: HashMap<Uuid, (Instant, u64)>,
    /// How often a message was refused, or was there already.
    pub(super) fenced: usize,
    pub(super) duplicates: usize,
}

impl Stored {
    /// The relays' messages, in order.
    pub(super) fn relayed(&self) -> Vec<(Uuid, i64)> {
        self.messages.iter().copied().flatten().collect()
    }

    /// A message of somebody else, such as a dead letter that is sent again: it names nothing that it has to come behind.
    pub(super) fn take_foreign(&mut self) {
        self.messages.push(None);
    }

    fn take(&mut self, id: Uuid, position: i64, behind: Behind) -> Result<Ack, ()> {
        if let Some((at, sequence)) = self.seen.get(&id)
            && at.elapsed() < DUPLICATES
        {
            self.duplicates += 1;
            return Ok(Ack { sequence: *sequence, duplicate: true });
        }
        let last = self.messages.len() as u64;
        let last_id = self.messages.last().copied().flatten().map(|(id, _)| id);
        if behind.sequence != last || (behind.id.is_some() && behind.id != last_id) {
            self.fenced += 1;
            return Err(());
        }
        self.messages.push(Some((id, position)));
        self.seen.insert(id, (Instant::now(), last + 1));
        Ok(Ack { sequence: last + 1, duplicate: false })
    }
}

/// The server, and what goes wrong on the way to it, in percent.
pub(super) struct Server {
    pub(super) stored: Mutex<Stored>,
    dice: Mutex<Dice>,
    troubles: Mutex<Troubles>,
    unanswered: Mutex<Vec<oneshot::Sender<Result<Ack, ()>>>>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Troubles {
    /// The answer is lost.
    pub(super) lost: u32,
    /// A message arrives again, some time later.
    pub(super) twice: u32,
    /// A message, and what is behind it on the connection, takes long.
    pub(super) late: u32,
    /// The connection breaks before a message, with everything that is behind it.
    pub(super) breaks: u32,
    /// A question is not answered.
    pub(super) silent: u32,
}

/// A message on its way.
struct Sent {
    id: Uuid,
    position: i64,
    behind: Behind,
    answer: oneshot::Sender<Result<Ack, ()>>,
}

impl Server {
    pub(super) fn new(dice: Dice, troubles: Troubles) -> Arc<Self> {
        let (dice, troubles) = (Mutex::new(dice), Mutex::new(troubles));
        Arc::new(Self { stored: Mutex::default(), dice, troubles, unanswered: Mutex::default() })
    }

    pub(super) fn calm_down(&self) {
        *self.troubles.lock() = Troubles::default();
    }

    fn happens(&self, which: impl Fn(&Troubles) -> u32) -> bool {
        let percent = which(&self.troubles.lock());
        self.dice.lock().chance(percent)
    }

    /// A connection of the process behind `gate`.
    pub(super) fn connect(self: &Arc<Self>, gate: Arc<Gate>) -> Arc<dyn Target> {
        let (sent, arriving) = mpsc::unbounded_channel();
        tokio::spawn(self.clone().carry(gate.clone(), arriving));
        Arc::new(Connection { server: self.clone(), gate, sent })
    }

    /// Takes messages from a connection, one after another, also when the process has died meanwhile.
    async fn carry(self: Arc<Self>, gate: Arc<Gate>, mut arriving: mpsc::UnboundedReceiver<Sent>) {
        let mut ready_at = Instant::now();
        while let Some(sent) = arriving.recv().await {
            if self.happens(|troubles| troubles.breaks) {
                return;
            }
            // What waits to be written while the process is paused is written when it wakes.
            gate.pass().await;
            let late = if self.happens(|troubles| troubles.late) {
                self.dice.lock().millis(500, 9_000)
            } else {
                self.dice.lock().millis(0, 3)
            };
            ready_at = ready_at.max(Instant::now() + late);
            tokio::time::sleep_until(ready_at).await;
            let Sent { id, position, behind, answer } = sent;
            let taken = self.stored.lock().take(id, position, behind);
            if self.happens(|troubles| troubles.twice) {
                let again = self.dice.lock().millis(0, 1_200_000);
                let server = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(again).await;
                    let _ = server.stored.lock().take(id, position, behind);
                });
            }
            if self.happens(|troubles| troubles.lost) {
                // Whoever waits for it hears nothing, not even that it will not come.
                self.unanswered.lock().push(answer);
            } else {
                let _ = answer.send(taken);
            }
        }
    }
}

struct Connection {
    server: Arc<Server>,
    gate: Arc<Gate>,
    sent: mpsc::UnboundedSender<Sent>,
}

impl Connection {
    async fn ask<T>(&self, answer: impl FnOnce(&Stored) -> T) -> anyhow::Result<T> {
        self.gate.pass().await;
        if self.server.happens(|troubles| troubles.silent) {
            tokio::time::sleep(PATIENCE).await;
            anyhow::bail!("timed out");
        }
        let answer = answer(&self.server.stored.lock());
        self.gate.pass().await;
        Ok(answer)
    }
}

#[async_trait]
impl Target for Connection {
    async fn state(&self) -> anyhow::Result<State> {
        self.ask(|stored| {
            let messages = stored.messages.len() as u64;
            State { messages, first_sequence: 1, last_sequence: messages }
        })
        .await
    }

    async fn position(&self, sequence: u64) -> anyhow::Result<Option<i64>> {
        self.ask(|stored| {
            stored.messages.get(sequence as usize - 1).copied().flatten().map(|(_, position)| position)
        })
        .await
    }

    async fn send(&self, message: &Message, behind: Behind) -> anyhow::Result<Answer> {
        let (answer, answered) = oneshot::channel();
        let sent = Sent { id: message.id, position: message.position, behind, answer };
        if self.sent.send(sent).is_err() {
            anyhow::bail!("the connection is closed");
        }
        let gate = self.gate.clone();
        Ok(Box::pin(async move {
            let answered = tokio::time::timeout(PATIENCE, answered).await;
            gate.pass().await;
            match answered {
                Ok(Ok(Ok(ack))) => Ok(ack),
                Ok(Ok(Err(()))) => Err(Refusal::NotBehind),
                _ => Err(Refusal::Other(anyhow::anyhow!("no answer"))),
            }
        }))
    }
}
