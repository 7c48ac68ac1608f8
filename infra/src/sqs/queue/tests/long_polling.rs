//! Long polls: when they end, who gets what, and that nobody who leaves takes anything along.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_empty_at_its_deadline_and_at_once_when_a_message_comes() {
    let queue = queue_with([]);
    let (received, waited) = elapsed(queue.receive(1, 20 * SECOND, None)).await;
    assert_eq!((received.unwrap().len(), waited), (0, 20 * SECOND));

    let waiting = long_poll(&queue, 20 * SECOND).await;
    advance(3 * SECOND).await;
    send(&queue, "here");
    let (received, waited) = elapsed(waiting).await;
    assert_eq!((bodies(&received.unwrap()), waited), (vec!["here"], NO_WAIT));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_gets_a_message_the_moment_its_visibility_timeout_expires() {
    let queue = queue_with([]);
    send(&queue, "body");
    poll(&queue).await;
    advance(25 * SECOND).await;
    let (received, waited) = elapsed(queue.receive(1, 20 * SECOND, None)).await;
    assert_eq!((received.unwrap().len(), waited), (1, 5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_learns_of_a_timeout_that_was_shortened() {
    let queue = queue_with([]);
    send(&queue, "body");
    let received = poll_one(&queue).await;
    let waiting = long_poll(&queue, 20 * SECOND).await;
    queue
        .change_visibility(&received.receipt_handle, 4 * SECOND)
        .unwrap();
    let (received, waited) = elapsed(waiting).await;
    assert_eq!((received.unwrap().len(), waited), (1, 4 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn waiting_receives_get_messages_in_the_order_in_which_they_came() {
    let queue = queue_with([]);
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(long_poll(&queue, 20 * SECOND).await);
    }
    for number in 0..5 {
        send(&queue, &number.to_string());
    }
    for (number, task) in waiting.into_iter().enumerate() {
        let (received, waited) = elapsed(task).await;
        assert_eq!(
            (bodies(&received.unwrap()), waited),
            (vec![number.to_string().as_str()], NO_WAIT)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_receive_dropped_while_it_waits_takes_no_message_and_does_not_block_the_others() {
    let queue = queue_with([]);
    send(&queue, "body");
    poll(&queue).await;
    let first = long_poll(&queue, 20 * SECOND).await;
    let second = long_poll(&queue, 20 * SECOND).await;
    advance(15 * SECOND).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    send(&queue, "new");
    assert_eq!(bodies(&second.await.unwrap()), ["new"]);

    // And one that is dropped after the message came, but before it could look.
    let third = long_poll(&queue, 20 * SECOND).await;
    let fourth = long_poll(&queue, 20 * SECOND).await;
    send(&queue, "newer");
    third.abort();
    assert_eq!(bodies(&fourth.await.unwrap()), ["newer"]);
}

#[tokio::test(start_paused = true)]
async fn the_next_in_line_takes_over_the_timer_of_one_who_left() {
    let queue = queue_with([]);
    queue
        .send(NewMessage {
            delay: Some(10 * SECOND),
            ..NewMessage::new("delayed")
        })
        .unwrap();
    let first = long_poll(&queue, 3 * SECOND).await;
    let second = long_poll(&queue, 20 * SECOND).await;
    let (received, waited) = elapsed(second).await;
    assert_eq!(
        (bodies(&received.unwrap()), waited),
        (vec!["delayed"], 10 * SECOND)
    );
    assert!(first.await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_receives_learn_that_the_queue_was_deleted() {
    let sqs = service();
    let queue = create(&sqs, "tasks", []);
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.receive(1, 20 * SECOND, None).await })
        })
        .collect();
    settle().await;
    sqs.delete_queue("tasks").unwrap();
    for task in waiting {
        let (answer, waited) = elapsed(task).await;
        assert_eq!(answer.unwrap().unwrap_err().code(), ErrorCode::QueueDoesNotExist);
        assert_eq!(waited, NO_WAIT);
    }
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
#[tokio::test(start_paused = true)]
async fn at_the_limit_of_messages_in_flight_short_polls_fail_and_long_polls_wait() {
    let queue = queue_with([]);
    for _ in 0..=MAXIMUM_IN_FLIGHT {
        send(&queue, "x");
    }
    let mut received = queue.receive(MAXIMUM_IN_FLIGHT, NO_WAIT, None).await.unwrap();
    assert_eq!(received.len(), MAXIMUM_IN_FLIGHT);
    let error = queue.receive(1, NO_WAIT, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::OverLimit);

    let waiting = long_poll(&queue, 20 * SECOND).await;
    queue.delete(&received.remove(0).receipt_handle).unwrap();
    let (received, waited) = elapsed(waiting).await;
    assert_eq!((received.unwrap().len(), waited), (1, NO_WAIT));
}

/// On the real clock and several threads: senders, and receivers that now and then give up in the middle of a
/// poll.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_reaches_exactly_one_receiver_however_many_come_and_go() {
    const MESSAGES: usize = 4_000;
    let queue = queue_with([]);
    let (found, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let receivers: Vec<_> = (0..16)
        .map(|number| {
            let (queue, found) = (Arc::clone(&queue), found.clone());
            tokio::spawn(async move {
                loop {
                    let patience = Duration::from_micros(200 * (number + 1));
                    let poll = queue.receive(3, SECOND, None);
                    let Ok(received) = tokio::time::timeout(patience, poll).await else {
                        continue;
                    };
                    for received in received.unwrap() {
                        queue.delete(&received.receipt_handle).unwrap();
                        found.send(received.message.id.clone()).unwrap();
                    }
                }
            })
        })
        .collect();
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for number in 0..MESSAGES / 4 {
                    sent.push(send(&queue, &number.to_string()).message_id);
                    if number % 10 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                sent
            })
        })
        .collect();
    let mut missing = HashSet::new();
    for sender in senders {
        missing.extend(sender.await.unwrap());
    }
    assert_eq!(missing.len(), MESSAGES);
    while !missing.is_empty() {
        // The queue's visibility timeout is 30 s: a message lost on the way would not come before that.
        let id = tokio::time::timeout(10 * SECOND, seen.recv())
            .await
            .unwrap()
            .unwrap();
        assert!(missing.remove(&id), "{id} came twice");
    }
    receivers.iter().for_each(JoinHandle::abort);
    assert_eq!(queue.counts(), counts(0, 0, 0));
}
