//! Each transition by itself; see [`super::model`] for all of them together.

use serde_json::json;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::at(Duration::from_secs(seconds))
}

fn queued() -> Record {
    Record::accept("sleep", Map::new(), at(1_000))
}

fn granted(claim: Claim) -> Record {
    match claim {
        Claim::Granted(record) => record,
        other => panic!("{other:?}"),
    }
}

fn running() -> Record {
    granted(queued().claim(0, at(1_001)))
}

fn to_be_continued(checkpoint: u32) -> Outcome {
    Outcome::ToBeContinued {
        checkpoint: json!(checkpoint),
        progress: 0.25,
    }
}

fn put_down() -> Record {
    running().attempted(to_be_continued(1), at(1_010))
}

#[test]
fn a_queued_task_is_claimed_once() {
    let running = running();
    assert_eq!(
        (running.status, running.attempts, running.version),
        (Status::Running, 1, 1)
    );
    assert_eq!(running.claim(0, at(1_002)), Claim::Held(at(1_001) + LEASE));
}

#[test]
fn a_lapsed_lease_is_taken_over_and_the_start_is_kept() {
    let second = granted(running().claim(0, at(1_031)));
    assert_eq!((second.attempts, second.started_at), (2, Some(at(1_001))));
}

#[test]
fn a_renewed_lease_is_held_on() {
    let renewed = running().renewed(0.5, at(1_020));
    assert_eq!(renewed.claim(0, at(1_049)), Claim::Held(at(1_050)));
}

#[test]
fn a_finished_task_is_never_changed_again() {
    for outcome in [
        Outcome::Succeeded(Value::Null),
        Outcome::Failed(Failure::of_task("")),
        Outcome::Cancelled,
    ] {
        let finished = running().attempted(outcome, at(1_010));
        assert!(finished.status.is_final());
        assert_eq!(finished.claim(0, at(9_999)), Claim::Done);
        assert_eq!(finished.cancelled(at(9_999)), None);
    }
}

#[test]
fn a_queued_task_that_is_cancelled_never_runs() {
    let cancelled = queued().cancelled(at(1_001)).unwrap();
    assert_eq!(
        (cancelled.status, cancelled.finished_at),
        (Status::Cancelled, Some(at(1_001)))
    );
    assert_eq!(cancelled.claim(0, at(1_002)), Claim::Done);
}

#[test]
fn a_running_task_that_is_asked_to_stop_ends_cancelled_whatever_it_came_to() {
    let asked = running().cancelled(at(1_005)).unwrap();
    assert_eq!(asked.status, Status::Running);
    assert_eq!(asked.cancelled(at(1_006)), None);
    for outcome in [Outcome::Succeeded(Value::Null), to_be_continued(1)] {
        let ended = asked.attempted(outcome, at(1_007));
        assert_eq!((ended.status, ended.result), (Status::Cancelled, None));
    }
}

#[test]
fn a_task_asked_to_stop_whose_worker_died_is_not_run_again() {
    let asked = running().cancelled(at(1_005)).unwrap();
    let Claim::Cancelled(ended) = asked.claim(0, at(1_040)) else {
        panic!("claimed")
    };
    assert_eq!(ended.status, Status::Cancelled);
}

#[test]
fn a_task_that_is_put_down_is_taken_up_from_its_checkpoint_at_once() {
    let put_down = put_down();
    assert_eq!(
        (put_down.status, put_down.continuations, put_down.leased_until),
        (Status::Running, 1, None)
    );
    let taken_up = granted(put_down.claim(1, at(1_010)));
    assert_eq!((taken_up.attempts, &taken_up.checkpoint), (2, &Some(json!(1))));
    let ended = taken_up.attempted(Outcome::Succeeded(Value::Null), at(1_020));
    assert_eq!((ended.status, ended.checkpoint), (Status::Succeeded, None));
}

#[test]
fn a_delivery_of_a_part_that_is_done_sees_to_the_next_one_unless_that_is_on_its_way() {
    let put_down = put_down();
    assert_eq!(put_down.claim(0, at(1_011)), Claim::HandOver);
    assert_eq!(put_down.after_hand_over().claim(0, at(1_011)), Claim::Done);
    let taken_up = granted(put_down.claim(1, at(1_011)));
    assert_eq!(taken_up.claim(0, at(1_012)), Claim::Done);
    // Its worker is dead, and nobody knows of a message that would have another take it up.
    assert_eq!(taken_up.claim(0, at(1_100)), Claim::HandOver);
}

#[test]
fn a_task_that_is_put_down_is_cancelled_at_once() {
    let cancelled = put_down().cancelled(at(1_011)).unwrap();
    assert_eq!(
        (cancelled.status, &cancelled.checkpoint),
        (Status::Cancelled, &None)
    );
    assert_eq!(cancelled.claim(1, at(1_012)), Claim::Done);
}

#[test]
fn a_task_that_gets_no_further_or_never_ends_is_failed() {
    let mut record = running();
    let stuck = granted(put_down().claim(1, at(1_011))).attempted(to_be_continued(1), at(1_012));
    assert!(stuck.error.unwrap().message.contains("no further"));
    for number in 0..MOST_CONTINUATIONS {
        let put_down = record.attempted(to_be_continued(number), at(1_011));
        record = granted(put_down.claim(number + 1, at(1_012)));
    }
    let ended = record.attempted(to_be_continued(MOST_CONTINUATIONS), at(1_013));
    assert_eq!(ended.status, Status::Failed);
    assert!(ended.error.unwrap().message.contains("100 times"));
}

#[test]
fn a_record_is_read_as_it_was_written_whatever_json_it_holds() {
    let deep = (0..100).fold(json!(1e300), |inner, _| json!([inner]));
    let mut record = running().attempted(Outcome::Succeeded(Value::Null), at(1_010));
    record.parameters.insert("deep".to_owned(), deep.clone());
    record.checkpoint = Some(deep);
    let written = serde_json::to_value(&record).unwrap();
    assert_eq!(written["result"], "null");
    assert_eq!(serde_json::from_value::<Record>(written).unwrap(), record);
}

#[test]
fn a_message_that_is_too_long_is_cut_between_characters() {
    let short = Failure::of_task("é".repeat(Failure::LONGEST_MESSAGE / 2));
    assert_eq!(short.message.len(), Failure::LONGEST_MESSAGE);
    let long = Failure::of_task("é".repeat(Failure::LONGEST_MESSAGE));
    assert!(long.message.len() <= Failure::LONGEST_MESSAGE && long.message.ends_with("é…"));
}

#[test]
fn a_record_outlives_every_message_about_it_and_the_end_by_a_week() {
    const DAY: u64 = 24 * 60 * 60;
    // What a queue of SQS keeps a message for, at most.
    const MESSAGE: u64 = 14 * DAY;
    let claimed = granted(queued().claim(0, at(1_000 + MESSAGE)));
    let put_down = claimed.attempted(to_be_continued(1), at(2_000 + MESSAGE));
    for (record, changed_at) in [
        (&queued(), 1_000),
        (&claimed, 1_000 + MESSAGE),
        (&put_down, 2_000 + MESSAGE),
    ] {
        assert!(record.expires_at > changed_at + MESSAGE);
    }
    let ended = put_down.failed(Failure::of_task("it broke"), at(3_000));
    assert_eq!(ended.expires_at, 3_000 + 7 * DAY);
}

/// One in ten would not, without a feature of `serde_json`.
#[test]
fn fractions_come_back_as_they_were() {
    let mut record = queued();
    for number in [0.945_270_695_553_922_3, 5e-324, f64::MAX, 0.1 + 0.2] {
        record.result = Some(json!([number]));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(
            serde_json::from_str::<Record>(&text).unwrap(),
            record,
            "{number:e}"
        );
    }
}
