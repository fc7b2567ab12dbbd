//! The suite: each row is a test of both databases.

mod keeping;
mod outbox;
mod pages;
mod retention;
mod together;
mod upgrade;

use super::place::{Kind, Place, block_on};

macro_rules! rows {
    ($($module:ident: $($row:ident)+;)+) => {
        mod sqlite {
            use super::{Kind, Place, block_on};
            $($(#[test] fn $row() { block_on(super::$module::$row(Place::new(Kind::Sqlite))); })+)+
        }
        mod postgres {
            use super::{Kind, Place, block_on};
            $($(#[test] fn $row() { block_on(super::$module::$row(Place::new(Kind::Postgres))); })+)+
        }
    };
}

rows! {
    keeping:
        a_verdict_is_kept_with_all_that_comes_with_it
        the_same_question_is_known_and_an_old_version_is_stale
        a_question_about_an_earlier_moment_leaves_the_state
        the_earliest_latch_stays_until_an_override_lifts_it
        an_override_makes_drafts_stale
        an_override_takes_the_place_of_another
        changes_are_refused_when_stale_and_events_are_written_once
        blocks_are_written_once
        numbers_and_texts_come_back
        revisions_of_policies
        cursors_never_go_back
        ping_and_bytes;
    pages:
        filters_of_history
        labels_of_history
        looks_are_spread_over_time
        pages_of_history_are_stable_while_verdicts_are_kept
        pages_of_rollouts
        lineage_of_labels
        events_and_timelines;
    outbox:
        the_oldest_of_each_order_is_claimed_with_what_waits_behind_it
        a_lease_hides_until_it_is_over
        tries_are_noted
        a_new_fail_waits_for_nothing_that_was_put_off
        a_dead_delivery_blocks_nobody_and_can_be_retried
        a_retry_ends_with_how_things_stand
        lists_of_deliveries
        claimers_at_the_same_time_get_different_deliveries;
    retention:
        the_old_go_by_age
        what_is_still_to_be_told_stays
        the_oldest_go_by_size
        the_oldest_of_every_table_go_by_size
        a_fail_stays_while_its_canary_is_known;
    together:
        no_verdict_but_fail_is_kept_after_a_latch
        two_hundred_at_once
        a_reader_of_the_log_misses_nothing
        programs_that_start_together_make_the_tables_once;
    upgrade:
        a_database_of_the_first_version_is_brought_up
        a_database_of_the_second_version_is_brought_up
        programs_that_start_together_bring_it_up_once
        a_database_of_a_later_version_is_refused_and_left_as_it_is;
}
