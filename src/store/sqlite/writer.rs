//! One writer. What is queued is written in one transaction, jobs kept apart by savepoints, and is answered after
//! the commit: two hundred verdicts at once cost one flush of the disk.

use super::dialect::Conn;
use crate::{
    domain::{StoreError, ports::BoxFuture},
    store::error::unavailable,
};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

/// Jobs in one transaction.
const TOGETHER: usize = 256;
/// Jobs that may wait; further callers wait for a place.
const WAITING: usize = 1024;

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
        let (answer, answered) = oneshot::channel();
        let job = Job {
            work: Some(job),
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
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if let [only] = batch {
        // nobody else's work to keep apart from
        if only.write(&mut transaction).await? {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        return Ok(());
    }
    for job in batch {
        let mut savepoint = transaction.begin().await?;
        if job.write(&mut savepoint).await? {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// A job, whatever it answers.
trait Queued: Send {
    /// Does anybody still wait for it?
    fn is_wanted(&self) -> bool;
    /// Writes it; `false`: it is to be undone. An error is one of the file, not of the job.
    fn write<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, Result<bool, StoreError>>;
    /// Tells who waits.
    fn answer(self: Box<Self>, written: &Result<(), StoreError>);
}

struct Job<F, T> {
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Queued for Job<F, T>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn write<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, Result<bool, StoreError>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Ok(true);
            };
            let done = work(conn).await;
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
