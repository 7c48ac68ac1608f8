"""Event source mappings of SQS queues, end to end. L stands for https://docs.aws.amazon.com/lambda/latest/dg/."""

import hashlib
import json
import uuid

from cloud import eventually


def send(cloud, queue, *wishes, **parameters):
    """Sends messages in one batch. Answers their ids."""
    entries = [{"Id": str(index), "MessageBody": json.dumps(wish)} | parameters for index, wish in enumerate(wishes)]
    sent = cloud.client("sqs").send_message_batch(QueueUrl=cloud.queue_url(queue), Entries=entries)
    return [one["MessageId"] for one in sent["Successful"]]


def handled(cloud, function, marker):
    """The messages that the function received, by their bodies."""
    return [message for batch in batches(cloud, function, marker) for message in batch]


def batches(cloud, function, marker):
    """The same for each invocation."""
    return [
        [json.loads(record["body"]) for record in event["Records"]]
        for _, _, event in cloud.received(function, marker)
    ]


def is_empty(cloud, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = cloud.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=cloud.queue_url(queue), AttributeNames=names)["Attributes"]
    return set(attributes.values()) == {"0"}


def test_a_record_has_the_documented_shape(mappings):
    """L with-sqs.html#example-standard-queue-message-event"""
    marker = uuid.uuid4().hex
    attribute = {"DataType": "String", "StringValue": "red"}
    [message_id] = send(mappings, "PlainQueue", {"marker": marker}, MessageAttributes={"colour": attribute})
    [(_, _, event)] = eventually(lambda: mappings.received("Plain", marker), "the event arrives")
    [record] = event["Records"]
    body = json.dumps({"marker": marker})
    system = record.pop("attributes")
    handle = record.pop("receiptHandle")
    digest = record.pop("md5OfMessageAttributes", None)
    assert record == {
        "messageId": message_id,
        "body": body,
        "messageAttributes": {
            "colour": {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        },
        "md5OfBody": hashlib.md5(body.encode()).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:PlainQueue",
        "awsRegion": "us-east-1",
    }
    assert handle
    assert digest is None or len(digest) == 32
    expected = {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert expected <= set(system) and system["ApproximateReceiveCount"] == "1"


def test_what_was_handled_is_deleted(mappings):
    """L with-sqs.html: Lambda deletes the messages of a batch that succeeded"""
    marker = uuid.uuid4().hex
    send(mappings, "PlainQueue", {"marker": marker})
    eventually(lambda: mappings.received("Plain", marker), "the event arrives")
    eventually(lambda: is_empty(mappings, "PlainQueue"), "the message is deleted")


def test_messages_come_in_batches(mappings):
    """L services-sqs-configure.html: a batch of up to 10,000 with a batching window; here 100 and 1 second"""
    marker = uuid.uuid4().hex
    for start in (0, 10, 20):
        send(mappings, "Gathered", *({"marker": marker, "n": start + number} for number in range(10)))
    eventually(lambda: len(handled(mappings, "Gathering", marker)) == 30, "all arrive")
    assert len(batches(mappings, "Gathering", marker)) == 1
    eventually(lambda: is_empty(mappings, "Gathered"), "all are deleted")


def test_only_the_reported_messages_come_again_and_end_as_dead_letters(mappings):
    """L services-sqs-errorhandling.html#services-sqs-batchfailurereporting; the queue's maxReceiveCount is 2"""
    marker = uuid.uuid4().hex
    bad, good = {"marker": marker, "fails": True}, {"marker": marker, "n": 1}
    ids = send(mappings, "Reported", bad, good)
    letter = mappings.take("DeadLetters")
    assert (letter["MessageId"], json.loads(letter["Body"])) == (ids[0], bad)
    assert letter["Attributes"]["DeadLetterQueueSourceArn"].endswith(":Reported")
    messages = handled(mappings, "Reporting", marker)
    assert (messages.count(bad), messages.count(good)) == (2, 1)


def test_an_error_of_the_function_brings_the_whole_batch_again(mappings):
    """L with-sqs.html: the messages become visible again after their visibility timeout"""
    marker = uuid.uuid4().hex
    wish = {"marker": marker, "error": "no"}
    [message_id] = send(mappings, "PlainQueue", wish)
    assert mappings.take("DeadLetters")["MessageId"] == message_id
    events = mappings.received("Plain", marker)
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for _, _, event in events]
    assert counts == ["1", "2"]
    assert events[1][1] - events[0][1] > 0.9


def test_failures_are_not_read_where_they_are_not_asked_for(mappings):
    """L services-sqs-errorhandling.html: without ReportBatchItemFailures a response is a success"""
    marker = uuid.uuid4().hex
    send(mappings, "PlainQueue", {"marker": marker, "fails": True})
    eventually(lambda: mappings.received("Plain", marker), "the event arrives")
    eventually(lambda: is_empty(mappings, "PlainQueue"), "the message is deleted")
    assert len(mappings.received("Plain", marker)) == 1


def test_a_timeout_of_the_function_brings_the_message_again(mappings):
    """L with-sqs.html: a timeout is an error of the function; its timeout here is 1 second"""
    marker = uuid.uuid4().hex
    [message_id] = send(mappings, "PlainQueue", {"marker": marker, "sleep": 3})
    assert mappings.take("DeadLetters")["MessageId"] == message_id
    assert len(mappings.received("Plain", marker)) == 2


def test_messages_are_handled_concurrently(mappings):
    """L services-sqs-scaling.html: five concurrent batches at first"""
    marker = uuid.uuid4().hex
    send(mappings, "PlainQueue", *({"marker": marker, "sleep": 0.6} for _ in range(5)))
    events = eventually(
        lambda: len(mappings.received("Plain", marker)) == 5 and mappings.received("Plain", marker), "all"
    )
    times = [time for _, time, _ in events]
    assert max(times) - min(times) < 0.6
