//! The life of a message: delayed, visible, in flight, deleted or past its retention.

use super::*;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
#[tokio::test(start_paused = true)]
async fn a_received_message_is_hidden_for_its_visibility_timeout_to_the_millisecond() {
    let queue = queue_with([]);
    let sent = send(&queue, "once more");
    assert_eq!(poll_one(&queue).await.message.id, sent.message_id);

    advance(29 * SECOND + 999 * MILLISECOND).await;
    assert!(poll(&queue).await.is_empty());
    assert_eq!(queue.counts(), counts(0, 1, 0));
    advance(MILLISECOND).await;
    assert_eq!(queue.counts(), counts(1, 0, 0));
    assert_eq!(poll_one(&queue).await.receive_count, 2);
}

#[tokio::test(start_paused = true)]
async fn a_receive_can_ask_for_a_visibility_timeout_of_its_own() {
    let queue = queue_with([]);
    send(&queue, "body");
    queue.receive(1, NO_WAIT, Some(2 * SECOND)).await.unwrap();
    advance(2 * SECOND).await;
    assert_eq!(poll(&queue).await.len(), 1);

    let too_long = queue
        .receive(1, NO_WAIT, Some(Duration::from_secs(43_201)))
        .await
        .unwrap_err();
    assert_eq!(too_long.code(), ErrorCode::InvalidParameterValue);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_survives_is_received_once_more_and_is_then_deleted_for_good() {
    let queue = queue_with([]);
    let sent = send(&queue, "body");
    let original = poll_one(&queue).await;
    assert!(queue.keep_copy(&original.receipt_handle, SECOND).unwrap());
    queue.delete(&original.receipt_handle).unwrap();
    assert!(poll(&queue).await.is_empty());

    let (received, waited) = elapsed(queue.receive(1, 20 * SECOND, None)).await;
    assert_eq!(waited, SECOND);
    let copy = received.unwrap().remove(0);
    assert_eq!((&copy.message.id, copy.receive_count), (&sent.message_id, 2));

    // The first handle is that of a message which is gone.
    let changed = queue.change_visibility(&original.receipt_handle, NO_WAIT);
    assert_eq!(changed.unwrap_err().code(), ErrorCode::InvalidParameterValue);
    queue.delete(&original.receipt_handle).unwrap();
    assert_eq!(queue.counts().in_flight, 1);

    assert!(!queue.keep_copy(&copy.receipt_handle, SECOND).unwrap());
    queue.delete(&copy.receipt_handle).unwrap();
    advance(60 * SECOND).await;
    assert!(poll(&queue).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_becomes_visible_to_the_millisecond() {
    let queue = queue_with([("DelaySeconds", "5")]);
    send(&queue, "by the queue");
    queue
        .send(NewMessage {
            delay: Some(7 * SECOND),
            ..NewMessage::new("by the message")
        })
        .unwrap();
    queue
        .send(NewMessage {
            delay: Some(NO_WAIT),
            ..NewMessage::new("not at all")
        })
        .unwrap();
    assert_eq!(queue.counts(), counts(1, 0, 2));
    assert_eq!(bodies(&poll(&queue).await), ["not at all"]);

    let (received, waited) = elapsed(queue.receive(10, 20 * SECOND, None)).await;
    assert_eq!(
        (bodies(&received.unwrap()), waited),
        (vec!["by the queue"], 5 * SECOND)
    );
    let (received, waited) = elapsed(queue.receive(10, 20 * SECOND, None)).await;
    assert_eq!(
        (bodies(&received.unwrap()), waited),
        (vec!["by the message"], 2 * SECOND)
    );
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
#[tokio::test(start_paused = true)]
async fn a_message_vanishes_at_the_end_of_its_retention_wherever_it_is() {
    let queue = queue_with([("MessageRetentionPeriod", "60")]);
    send(&queue, "in flight");
    poll(&queue).await;
    send(&queue, "visible");
    queue
        .send(NewMessage {
            delay: Some(100 * SECOND),
            ..NewMessage::new("delayed")
        })
        .unwrap();
    advance(29 * SECOND).await;
    assert_eq!(queue.counts(), counts(1, 1, 1));
    advance(31 * SECOND).await;
    assert_eq!(queue.counts(), counts(0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_deleted_with_its_latest_handle_even_after_its_timeout() {
    let queue = queue_with([]);
    send(&queue, "body");
    let received = poll_one(&queue).await;
    advance(31 * SECOND).await;
    queue.delete(&received.receipt_handle).unwrap();
    assert_eq!(queue.counts(), counts(0, 0, 0));
    queue.delete(&received.receipt_handle).unwrap();
}

#[tokio::test(start_paused = true)]
async fn deleting_with_an_old_handle_succeeds_and_deletes_nothing() {
    let queue = queue_with([]);
    send(&queue, "body");
    let first = poll_one(&queue).await;
    advance(30 * SECOND).await;
    let second = poll_one(&queue).await;
    assert_ne!(first.receipt_handle, second.receipt_handle);
    queue.delete(&first.receipt_handle).unwrap();
    assert_eq!(queue.counts().in_flight, 1);
    queue.delete(&second.receipt_handle).unwrap();
    assert_eq!(queue.counts().in_flight, 0);
    assert_eq!(
        queue.delete("nonsense").unwrap_err().code(),
        ErrorCode::ReceiptHandleIsInvalid
    );
}

#[tokio::test(start_paused = true)]
async fn a_visibility_timeout_of_zero_makes_a_message_visible_at_once() {
    let queue = queue_with([]);
    send(&queue, "body");
    let received = poll_one(&queue).await;
    queue
        .change_visibility(&received.receipt_handle, NO_WAIT)
        .unwrap();
    assert_eq!(poll_one(&queue).await.receive_count, 2);
}

#[tokio::test(start_paused = true)]
async fn the_visibility_timeout_can_be_changed_only_while_the_message_is_in_flight() {
    let queue = queue_with([]);
    send(&queue, "body");
    let code = |received: &ReceivedMessage| {
        queue
            .change_visibility(&received.receipt_handle, SECOND)
            .unwrap_err()
            .code()
    };
    let first = poll_one(&queue).await;
    advance(30 * SECOND).await;
    assert_eq!(code(&first), ErrorCode::MessageNotInflight);

    let second = poll_one(&queue).await;
    assert_eq!(
        code(&first),
        ErrorCode::InvalidParameterValue,
        "it was received again"
    );
    queue.delete(&second.receipt_handle).unwrap();
    assert_eq!(code(&second), ErrorCode::InvalidParameterValue, "it is gone");
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
#[tokio::test(start_paused = true)]
async fn a_message_is_hidden_for_twelve_hours_at_most_from_its_receive() {
    let queue = queue_with([]);
    send(&queue, "body");
    let handle = poll_one(&queue).await.receipt_handle;
    advance(10 * SECOND).await;
    let error = queue
        .change_visibility(&handle, Duration::from_secs(43_191))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidParameterValue);
    queue
        .change_visibility(&handle, Duration::from_secs(43_190))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn changed_attributes_hold_for_later_receives() {
    let queue = queue_with([]);
    send(&queue, "body");
    queue
        .set_attributes([("VisibilityTimeout", "3"), ("MaximumMessageSize", "1024")])
        .unwrap();
    poll_one(&queue).await;
    advance(3 * SECOND).await;
    poll_one(&queue).await;
    let error = queue.send(NewMessage::new("a".repeat(1_025))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidParameterValue);

    let error = queue
        .set_attributes([("DelaySeconds", "3"), ("NoSuch", "1")])
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidAttributeName);
    assert_eq!(
        queue.attributes().delay(),
        NO_WAIT,
        "nothing is changed by a request that fails"
    );
}

#[tokio::test(start_paused = true)]
async fn a_queue_can_be_purged_once_a_minute() {
    let queue = queue_with([]);
    send(&queue, "in flight");
    poll(&queue).await;
    send(&queue, "visible");
    queue.purge().unwrap();
    assert_eq!(queue.counts(), counts(0, 0, 0));
    assert_eq!(queue.purge().unwrap_err().code(), ErrorCode::PurgeQueueInProgress);
    advance(60 * SECOND).await;
    queue.purge().unwrap();
}

#[tokio::test(start_paused = true)]
async fn system_attributes_are_those_of_the_message_and_of_its_receives() {
    let queue = queue_with([]);
    let before = jiff::Timestamp::now().as_millisecond();
    let message = NewMessage {
        trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793".into()),
        group_id: Some("tenant".into()),
        attributes: MessageAttributes::new(),
        ..NewMessage::new("body")
    };
    queue.send(message).unwrap();
    let attributes = poll_one(&queue).await.system_attributes();
    assert_eq!(attributes["ApproximateReceiveCount"], "1");
    assert_eq!(
        attributes["AWSTraceHeader"],
        "Root=1-5759e988-bd862e3fe1be46a994272793"
    );
    assert_eq!(attributes["MessageGroupId"], "tenant");
    assert!(!attributes.contains_key("DeadLetterQueueSourceArn"));
    for timestamp in ["SentTimestamp", "ApproximateFirstReceiveTimestamp"] {
        let millis: i64 = attributes[timestamp].parse().unwrap();
        assert!(
            (before..=jiff::Timestamp::now().as_millisecond()).contains(&millis),
            "{timestamp}"
        );
    }
}
