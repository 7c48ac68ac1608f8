//! The redrive policy: when a message goes to the dead-letter queue, and what it keeps there.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_on_the_next_receive() {
    let (_sqs, queue, dead) = queue_with_dead_letters(2);
    let sent = send(&queue, "poison");
    let sent_at = poll_one(&queue).await.message.sent_timestamp;
    advance(10 * SECOND).await;
    poll_one(&queue).await;
    advance(10 * SECOND).await;
    assert_eq!(queue.counts().visible, 1, "it moves on a receive, not by itself");

    // The receive that moves it returns what comes behind it.
    send(&queue, "healthy");
    assert_eq!(bodies(&poll(&queue).await), ["healthy"]);
    let letter = poll_one(&dead).await;
    assert_eq!(
        (&letter.message.id, letter.message.sent_timestamp),
        (&sent.message_id, sent_at)
    );
    assert_eq!(
        letter.system_attribute("DeadLetterQueueSourceArn").as_deref(),
        Some(queue.arn())
    );
    assert_eq!(letter.receive_count, 3);
}

#[tokio::test(start_paused = true)]
async fn long_polls_on_both_queues_see_a_dead_letter_move() {
    let (_sqs, queue, dead) = queue_with_dead_letters(1);
    send(&queue, "poison");
    poll_one(&queue).await;
    let on_dead = long_poll(&dead, 20 * SECOND).await;
    let on_queue = long_poll(&queue, 15 * SECOND).await;
    let (letters, waited) = elapsed(on_dead).await;
    assert_eq!((bodies(&letters.unwrap()), waited), (vec!["poison"], 10 * SECOND));
    assert!(on_queue.await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_its_dead_letter_queue_a_message_is_received_again() {
    let sqs = service();
    let dead = create(&sqs, "dead", []);
    let policy = format!(
        r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":1}}"#,
        dead.arn()
    );
    let queue = create(&sqs, "tasks", [("RedrivePolicy", policy.as_str())]);
    sqs.delete_queue("dead").unwrap();
    send(&queue, "body");
    poll_one(&queue).await;
    advance(30 * SECOND).await;
    assert_eq!(poll_one(&queue).await.receive_count, 2);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_kept_by_the_time_it_was_sent_first() {
    let (_sqs, queue, dead) = queue_with_dead_letters(1);
    dead.set_attributes([("MessageRetentionPeriod", "60")]).unwrap();
    send(&queue, "poison");
    poll(&queue).await;
    advance(40 * SECOND).await;
    poll(&queue).await;
    advance(19 * SECOND).await;
    assert_eq!(dead.counts().visible, 1);
    advance(SECOND).await;
    assert_eq!(dead.counts().visible, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_counts_receives_for_its_own_redrive_policy() {
    let (sqs, queue, dead) = queue_with_dead_letters(1);
    let last = create(&sqs, "last", []);
    let policy = format!(
        r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":1}}"#,
        last.arn()
    );
    dead.set_attributes([("RedrivePolicy", policy.as_str())]).unwrap();
    send(&queue, "poison");
    poll_one(&queue).await;
    advance(10 * SECOND).await;
    poll(&queue).await;
    assert_eq!(poll_one(&dead).await.receive_count, 2);
    advance(30 * SECOND).await;
    assert!(poll(&dead).await.is_empty());
    let letter = poll_one(&last).await;
    assert_eq!(letter.receive_count, 3);
    assert_eq!(letter.dead_letter_source_arn.as_deref(), Some(dead.arn()));
}
