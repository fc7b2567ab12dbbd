//! A database as an earlier version of the program left it: its tables by the first scripts, its rows as it wrote them.

use super::{
    place::{Kind, Place},
    sample::{T0, id},
    wire::paper,
};
use rollout_judge::store::wire::pack;
use sqlx::{
    ConnectOptions as _, Connection as _, SqlSafeStr as _,
    migrate::{Migrate, Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use std::fmt::Write as _;
use uuid::Uuid;

/// Name of a script, the beginning of its SHA-384, and its text.
type Script = (&'static str, &'static str, &'static str);

macro_rules! scripts {
    ($database:literal: $($number:literal $name:literal $digest:literal,)+) => {
        &[$((
            $name,
            $digest,
            include_str!(concat!("../../../src/store/migrations/", $database, "/", $number, "_", $name, ".sql")),
        ),)+]
    };
}

const SQLITE: &[Script] = scripts! { "sqlite":
    "0001" "memory" "c6ced73a01a11451",
    "0002" "canaries" "31252965662e92a4",
    "0003" "tries" "40270a6ef1e70068",
};
const POSTGRES: &[Script] = scripts! { "postgres":
    "0001" "memory" "4094156b297a01cc",
    "0002" "canaries" "31252965662e92a4",
    "0003" "tries" "00e03d65490ec29c",
};

/// The newest script.
pub const NEWEST: i64 = SQLITE.len() as i64;

/// What the version before the third script wrote for a message that was put off.
const HELD: &str = "held: the rollout flaps, or an earlier message is on its way; told with what happens meanwhile";

/// The kept verdicts, as papers of theirs.
pub fn judged() -> [String; 2] {
    let earlier = id(T0 + 60_000, 6).to_string();
    let pass = paper("judged-pass").replace(&failed().to_string(), &earlier);
    [pass, paper("judged-fail")]
}

/// The verdict that failed.
pub fn failed() -> Uuid {
    id(T0 + 60_000, 7)
}

/// The kinds of the events, in the order of the log.
pub const EVENTS: [&str; 5] = ["verdict", "fail", "override", "delivered", "dead-letter"];
/// The reading.
pub const RUN: Uuid = Uuid::from_u128(11);

/// Makes the tables with the first of the scripts, and puts rows in.
pub async fn make(place: &Place, version: i64) {
    let url = place.settings.url.clone().unwrap();
    match place.kind {
        Kind::Sqlite => {
            let options: SqliteConnectOptions = url.parse().unwrap();
            let mut conn = options.create_if_missing(true).connect().await.unwrap();
            run(&mut conn, SQLITE, version).await;
            conn.close().await.unwrap();
        }
        Kind::Postgres => {
            let options: PgConnectOptions = url.parse().unwrap();
            let mut conn = options.connect().await.unwrap();
            run(&mut conn, POSTGRES, version).await;
            conn.close().await.unwrap();
        }
    }
    place.execute(rows(place.kind)).await;
}

async fn run<C: Migrate>(conn: &mut C, scripts: &[Script], version: i64) {
    let of = |(number, (name, digest, text)): (i64, &Script)| {
        let kind = MigrationType::Simple;
        let script = Migration::new(number, (*name).into(), kind, text.into_sql_str(), false);
        // databases know a script by its digest
        let found = hex(script.checksum.get(..8).unwrap());
        assert_eq!(found, *digest, "script {number} was changed; add another");
        script
    };
    let all: Vec<Migration> = (1..).zip(scripts).map(of).collect();
    let first = all.into_iter().filter(|script| script.version <= version);
    let mut migrator = Migrator::with_migrations(first.collect());
    migrator.set_locking(false);
    migrator.run_direct(None, conn, false).await.unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The statements that fill the tables.
fn rows(kind: Kind) -> String {
    let blob = |bytes: &[u8]| match kind {
        Kind::Sqlite => format!("x'{}'", hex(bytes)),
        Kind::Postgres => format!("'\\x{}'::bytea", hex(bytes)),
    };
    let id = |id: Uuid| blob(id.as_bytes());
    let mut text = String::new();
    let mut say = |table: &str, values: &str| {
        writeln!(text, "INSERT INTO {table} VALUES ({values});").unwrap();
    };
    let (at, failed) = (T0 + 60_000, id(failed()));
    let run = id(RUN);
    say("runs", &format!("{run}, {at}, 504"));
    for part in [0, 1] {
        let payload = blob(&[7; 4]);
        say("chunks", &format!("{run}, {part}, 0, 9, {payload}"));
    }
    for (n, (paper, outcome)) in (6..).zip(judged().iter().zip(["pass", "fail"])) {
        let verdict = id(super::sample::id(at, n));
        let score = if outcome == "pass" { "NULL" } else { "77.25" };
        say(
            "verdicts",
            &format!(
                "{verdict}, {at}, {at}, 'shop', 'cart', 'c1', 'stable', 'http', 'rev-1', '{outcome}',
                 {score}, 5, 'checked', {run}, 1500"
            ),
        );
        let (body, inputs) = (blob(&pack(paper)), blob(b"inputs"));
        say("bodies", &format!("{verdict}, {body}, {inputs}"));
    }
    say(
        "policies",
        &format!("'rev-1', 'http', 'kind: JudgePolicy', {T0}, {at}"),
    );
    let state = paper("state");
    say(
        "rollouts",
        &format!("'shop', 'cart', 4, {at}, {at}, 'p|http', 'c1', 'fail', '{state}'"),
    );
    // overridden before it was ever judged
    say(
        "rollouts (namespace, name, version, kept_at)",
        &format!("'shop', 'early', 1, {at}"),
    );
    say(
        "latches",
        &format!("'shop', 'cart', 'c1', 'http', 'rev-1', {at}, {failed}, 'checked'"),
    );
    let ruling = id(super::sample::ruling(
        &super::sample::rollout("cart", "c1"),
        rollout_judge::domain::Outcome::Pass,
        T0,
    )
    .id);
    let (expires, body) = (T0 + 3_600_000, paper("override-revoked"));
    say(
        "overrides",
        &format!("{ruling}, 'shop', 'cart', 'c1', {T0}, {expires}, '{body}'"),
    );
    for (label, value) in [("image", "shop:1.2"), ("region", "eu")] {
        say(
            "lineage",
            &format!("'{label}', '{value}', 'shop', 'cart', 'c1', {T0}, {at}, {failed}"),
        );
    }
    for kind in EVENTS {
        let event = id(event_id(kind));
        let body = paper(&format!("event-{kind}"));
        say(
            "events (id, kept_at, kind, namespace, rollout, body)",
            &format!("{event}, {at}, '{kind}', 'shop', 'cart', '{body}'"),
        );
    }
    for (n, (receiver, event, progress, tries, error)) in (1..).zip(DELIVERIES) {
        let error = error.map_or("NULL".to_owned(), |error| format!("'{error}'"));
        let tried = if tries == 0 {
            "NULL".to_owned()
        } else {
            (at + 100).to_string()
        };
        let (delivery, event) = (id(Uuid::from_u128(n)), id(event_id(event)));
        say(
            "deliveries (id, event, verdict, receiver, queue, due, progress, tries, queued_at, tried_at, error, leased_until)",
            &format!(
                "{delivery}, {event}, {failed}, '{receiver}', 'shop/cart', {}, '{progress}', {tries}, {at}, {tried}, {error}, 0",
                at + 1000
            ),
        );
    }
    say("cursors", &format!("'write-back/import', {}", EVENTS.len()));
    text
}

/// Id of an event of this kind.
pub fn event_id(kind: &str) -> Uuid {
    super::sample::named(&[&failed().to_string(), kind])
}

/// Receiver, event, progress, tries and error of each delivery, in the order of the queue.
pub const DELIVERIES: [(&str, &str, &str, u32, Option<&str>); 6] = [
    ("chat", "fail", "delivered", 1, None),
    ("mail", "fail", "pending", 3, Some("answered 503")),
    ("bus", "fail", "dead", 1, Some("answered 404")),
    ("pager", "fail", "pending", 2, Some(HELD)),
    ("pager", "override", "pending", 0, None),
    // given up while it was put off: what it says is left as it is
    ("bus", "override", "dead", 9, Some(HELD)),
];
