//! `Filter` as conditions.

use super::{dialect::Db, rollouts::BETWEEN, row::text};
use crate::{
    domain::{Filter, Outcome},
    store::moment,
};
use sqlx::QueryBuilder;

/// Names of the columns of a table, under the alias `t`; absent: the condition does not apply.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    rollout: &'static str,
    /// Ids begin with their moment.
    id: Option<&'static str>,
    /// First and last moment.
    moments: Option<(&'static str, &'static str)>,
    /// Has it policy and outcome?
    judged: bool,
    /// Has it the names of several policies?
    several: bool,
}

impl Table {
    /// `verdicts`
    pub const VERDICTS: Self = Self {
        rollout: "t.rollout",
        id: Some("t.id"),
        moments: None,
        judged: true,
        several: false,
    };
    /// `rollouts`
    pub const ROLLOUTS: Self = Self {
        rollout: "t.name",
        id: None,
        moments: Some(("t.at", "t.at")),
        judged: true,
        several: true,
    };
    /// `lineage`
    pub const LINEAGE: Self = Self {
        rollout: "t.rollout",
        id: None,
        moments: Some(("t.oldest", "t.newest")),
        judged: false,
        several: false,
    };
}

/// Adds conditions.
pub trait Narrow {
    /// Everything that a filter asks for.
    fn narrow(&mut self, filter: &Filter, table: Table);
    /// ` AND column = value`, where there is a value.
    fn equal(&mut self, column: &str, value: Option<&str>);
    /// One of the names in the column is this.
    fn holds(&mut self, column: &str, name: &str);
    /// ` AND column IN (values)`.
    fn among<'v>(&mut self, column: &str, values: impl Iterator<Item = &'v str>);
}

impl Narrow for QueryBuilder<Db> {
    fn narrow(&mut self, filter: &Filter, table: Table) {
        if let Some(visible) = &filter.visible {
            self.among("t.namespace", visible.iter().map(String::as_str));
        }
        self.equal("t.namespace", filter.namespace.as_deref());
        self.equal(table.rollout, filter.rollout.as_deref());
        self.equal("t.canary_hash", filter.canary_hash.as_deref());
        if table.judged {
            match filter.policy.as_deref() {
                Some(policy) if table.several => self.holds("t.policy", policy),
                policy => self.equal("t.policy", policy),
            }
            self.equal("t.outcome", filter.outcome.map(Outcome::as_str));
        }
        if let Some(id) = table.id {
            for (sign, moment) in [(" >= ", filter.since), (" < ", filter.until)] {
                if let Some(moment) = moment {
                    self.push(" AND ").push(id).push(sign);
                    self.push_bind(moment::first_id(moment).as_bytes().to_vec());
                }
            }
        }
        if let Some((oldest, newest)) = table.moments {
            if let Some(since) = filter.since {
                self.push(" AND ")
                    .push(newest)
                    .push(" >= ")
                    .push_bind(since);
            }
            if let Some(until) = filter.until {
                self.push(" AND ").push(oldest).push(" < ").push_bind(until);
            }
        }
        for (label, value) in &filter.labels {
            self.push(" AND EXISTS (SELECT 1 FROM lineage l WHERE l.label = ");
            self.push_bind(text(label)).push(" AND l.value = ");
            self.push_bind(text(value));
            self.push(" AND l.namespace = t.namespace AND l.rollout = ");
            self.push(table.rollout);
            // the offset keeps PostgreSQL from joining and sorting everything that has a common label
            self.push(" AND l.canary_hash = t.canary_hash LIMIT 1 OFFSET 0)");
        }
    }

    fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(" AND ").push(column).push(" = ");
            self.push_bind(text(value));
        }
    }

    fn holds(&mut self, column: &str, name: &str) {
        if name.contains(BETWEEN) {
            self.push(" AND 1 = 0"); // it would be found across two names
            return;
        }
        // unlike LIKE, REPLACE tells capital letters apart in both databases
        let all = format!("'{BETWEEN}' || {column} || '{BETWEEN}'");
        self.push(format!(" AND REPLACE({all}, "));
        self.push_bind(text(&format!("{BETWEEN}{name}{BETWEEN}")));
        self.push(format!(", '') <> {all}"));
    }

    fn among<'v>(&mut self, column: &str, values: impl Iterator<Item = &'v str>) {
        self.push(" AND ").push(column).push(" IN (");
        let mut any = false;
        for value in values {
            if any {
                self.push(", ");
            }
            any = true;
            self.push_bind(text(value));
        }
        if !any {
            // an empty list of the standard needs one member
            self.push("NULL");
        }
        self.push(")");
    }
}
