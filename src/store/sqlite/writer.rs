//! One writer. What is queued is written in one transaction, jobs kept apart by savepoints, and is answered after
//! the commit: two hundred verdicts at once cost one flush of the disk.

use super::{
    dialect::Conn,
    sql::{row::Row, together::Together},
};
use crate::{
    domain::{StoreError, ports::BoxFuture},
    store::error::unavailable,
};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

/// Jobs in one transaction.
const TOGETHER: usize = 256;
/// Transactions after which the log is moved into the file, as soon as nobody waits: so no verdict does, and the log goes
/// on in room that the disk knows, which is flushed faster than new room.
const MOVED_AFTER: u32 = 16;
/// Jobs that may wait; further callers wait for a place.
const WAITING: usize = 1024;
/// Readers that become writers in their midst would meet others.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The queue of the writer. The writer ends when this is dropped and the queue is empty.
pub struct Writer {
    queue: mpsc::Sender<Box<dyn Queued>>,
}

impl Writer {
    /// Starts the writer on the present runtime.
    pub fn start(options: SqliteConnectOptions) -> Self {
        let (queue, mut jobs) = mpsc::channel::<Box<dyn Queued>>(WAITING);
        tokio::spawn(async move {
            let mut connection = None;
            let mut batch = Vec::new();
            let mut unmoved = 0;
            while jobs.recv_many(&mut batch, TOGETHER).await > 0 {
                batch.retain(|job| job.is_wanted());
                let written = write(&options, &mut connection, &mut batch).await;
                if written.is_err() {
                    // whatever state it is in, the next one is new
                    connection = None;
                }
                for job in batch.drain(..) {
                    job.answer(&written);
                }
                unmoved += 1;
                if let Some(open) = connection.as_mut()
                    && unmoved >= MOVED_AFTER
                    && jobs.is_empty()
                {
                    move_log(open).await;
                    unmoved = 0;
                }
            }
        });
        Self { queue }
    }

    /// Queues a job and waits until it is on the disk.
    pub async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.queue(Steps(job)).await
    }

    /// The same with statements that nothing else is asked between.
    pub async fn run_at_once(&self, all: Together) -> Result<Vec<Row>, StoreError> {
        self.queue(all).await
    }

    async fn queue<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            work: Some(work),
            done: None,
            answer,
        };
        let gone = || unavailable("the writer has ended");
        self.queue.send(Box::new(job)).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Writes a batch, or nothing of it.
async fn write(
    options: &SqliteConnectOptions,
    connection: &mut Option<Conn>,
    batch: &mut [Box<dyn Queued>],
) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let connection = match connection {
        Some(open) => open,
        None => connection.insert(options.connect().await?),
    };
    if let [only] = batch {
        // nobody else's work to keep apart from
        return only.write(connection, true).await.map(drop);
    }
    let mut transaction = connection.begin_with(BEGIN).await?;
    for job in batch {
        let mut savepoint = transaction.begin().await?;
        if job.write(&mut savepoint, false).await? {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Moves the log into the file as far as readers let it. What is left is moved later, at the latest by a transaction that
/// finds a long log.
async fn move_log(open: &mut Conn) {
    let moved = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)");
    if let Err(error) = moved.fetch_all(open).await {
        tracing::debug!(%error, "the log of the store could not be moved now");
    }
}

/// What a job does to the file.
trait Work<T>: Send + 'static {
    /// In a transaction that is somebody else's.
    fn within(self, conn: &mut Conn) -> BoxFuture<'_, Result<T, StoreError>>;
    /// In a transaction of its own: nothing is written where it is an error.
    fn alone(self, conn: &mut Conn) -> BoxFuture<'_, Result<T, StoreError>>;
}

struct Steps<F>(F);

impl<F, T: Send> Work<T> for Steps<F>
where
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    fn within(self, conn: &mut Conn) -> BoxFuture<'_, Result<T, StoreError>> {
        (self.0)(conn)
    }

    fn alone(self, conn: &mut Conn) -> BoxFuture<'_, Result<T, StoreError>> {
        Box::pin(async move {
            let mut transaction = conn.begin_with(BEGIN).await?;
            let done = (self.0)(&mut transaction).await;
            match &done {
                Ok(_) => transaction.commit().await?,
                Err(_) => transaction.rollback().await?,
            }
            done
        })
    }
}

impl Work<Vec<Row>> for Together {
    fn within(self, conn: &mut Conn) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(self.run(conn))
    }

    /// One way to the file and back instead of three.
    fn alone(mut self, conn: &mut Conn) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.texts.insert(0, BEGIN.to_owned());
        self.texts.push("COMMIT".to_owned());
        Box::pin(async move {
            let done = self.run(conn).await;
            if done.is_err() {
                // some errors have ended the transaction already
                let ended = sqlx::raw_sql("ROLLBACK").execute(conn).await;
                if let Err(error) = ended {
                    tracing::debug!(%error, "nothing to roll back");
                }
            }
            done
        })
    }
}

/// A job, whatever it answers.
trait Queued: Send {
    /// Does anybody still wait for it?
    fn is_wanted(&self) -> bool;
    /// Writes it, in a transaction of its own where it is `alone`; `false`: it is to be undone. An error is one of the
    /// file, not of the job.
    fn write<'c>(
        &'c mut self,
        conn: &'c mut Conn,
        alone: bool,
    ) -> BoxFuture<'c, Result<bool, StoreError>>;
    /// Tells who waits.
    fn answer(self: Box<Self>, written: &Result<(), StoreError>);
}

struct Job<W, T> {
    work: Option<W>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<W: Work<T>, T: Send> Queued for Job<W, T> {
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn write<'c>(
        &'c mut self,
        conn: &'c mut Conn,
        alone: bool,
    ) -> BoxFuture<'c, Result<bool, StoreError>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Ok(true);
            };
            let done = if alone {
                work.alone(conn).await
            } else {
                work.within(conn).await
            };
            // SQLite may have rolled back more than this job
            if let Err(error @ StoreError::Unavailable { .. }) = &done {
                return Err(error.clone());
            }
            let whole = done.is_ok();
            self.done = Some(done);
            Ok(whole)
        })
    }

    fn answer(self: Box<Self>, written: &Result<(), StoreError>) {
        let answer = match (written, self.done) {
            (Err(error), _) => Err(error.clone()),
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => Err(unavailable("the writer passed it over")),
        };
        // who no longer waits has been told that it is unavailable
        let _ = self.answer.send(answer);
    }
}
