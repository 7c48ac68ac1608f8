"""SQS through boto3. Q stands for https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/, R for
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/."""

import hashlib
import json
import struct
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from cloud import eventually

QUEUE_ATTRIBUTES = {"VisibilityTimeout": "7", "DelaySeconds": "0", "MessageRetentionPeriod": "120"}


@pytest.fixture
def queue(sqs):
    """The URL of a new queue."""
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"]
    yield url
    try:
        sqs.delete_queue(QueueUrl=url)
    except sqs.exceptions.QueueDoesNotExist:
        pass


def arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, url, **parameters):
    return sqs.receive_message(QueueUrl=url, **{"WaitTimeSeconds": 1, **parameters}).get("Messages", [])


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def md5_of_attributes(attributes):
    """Q sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation"""
    digest = hashlib.md5()
    for name, attribute in sorted(attributes.items()):
        is_binary = attribute["DataType"].startswith("Binary")
        value = attribute["BinaryValue"] if is_binary else attribute["StringValue"].encode()
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(struct.pack("!I", len(part)) + part)
        digest.update(b"\x02" if is_binary else b"\x01")
        digest.update(struct.pack("!I", len(value)) + value)
    return digest.hexdigest()


def test_queues_are_created_found_listed_and_deleted(sqs):
    """R API_CreateQueue, API_GetQueueUrl, API_ListQueues, API_DeleteQueue"""
    prefix = f"listed-{uuid.uuid4().hex[:8]}-"
    urls = [sqs.create_queue(QueueName=f"{prefix}{number}")["QueueUrl"] for number in range(3)]
    # The same again is no error, other attributes are.
    assert sqs.create_queue(QueueName=f"{prefix}0")["QueueUrl"] == urls[0]
    code, status = refused(sqs.create_queue, QueueName=f"{prefix}0", Attributes={"VisibilityTimeout": "99"})
    assert (code, status) == ("QueueAlreadyExists", 400)
    assert sqs.get_queue_url(QueueName=f"{prefix}1")["QueueUrl"] == urls[1]
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2})
    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:]]
    for url in urls:
        sqs.delete_queue(QueueUrl=url)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=prefix)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName=f"{prefix}0")


def test_a_queue_that_is_not_there_is_named_so(sqs):
    """R CommonErrors, API_SendMessage: QueueDoesNotExist, and the code of the older protocol in a header."""
    url = sqs.get_queue_url(QueueName="Queue")["QueueUrl"] + "-missing"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.send_message(QueueUrl=url, MessageBody="x")
    response = caught.value.response
    assert response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_attributes_of_a_queue(sqs, queue):
    """R API_GetQueueAttributes, API_SetQueueAttributes; Q quotas-queues.html for the defaults."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    defaults = {
        "VisibilityTimeout": "30",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "MaximumMessageSize": "1048576",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
    }
    assert defaults.items() <= attributes.items()
    assert attributes["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:" + queue.rsplit("/", 1)[1]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=QUEUE_ATTRIBUTES)
    names = list(QUEUE_ATTRIBUTES)
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"] == QUEUE_ATTRIBUTES
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    code, status = refused(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["Colour"])
    assert (code, status) == ("InvalidAttributeName", 400)
    for name, value in (("VisibilityTimeout", "43201"), ("DelaySeconds", "901"), ("MessageRetentionPeriod", "59")):
        code, status = refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={name: value})
        assert (code, status) == ("InvalidAttributeValue", 400), name


def test_tags_of_a_queue(sqs, queue):
    """R API_TagQueue, API_UntagQueue, API_ListQueueTags"""
    sqs.tag_queue(QueueUrl=queue, Tags={"a": "1", "b": "2"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"b": "2"}


def test_a_message_comes_back_with_its_attributes_and_digests(sqs, queue):
    """R API_SendMessage, API_ReceiveMessage; Q sqs-message-metadata.html"""
    attributes = {
        "text": {"DataType": "String", "StringValue": "ä €"},
        "number": {"DataType": "Number.int", "StringValue": "42"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hällo", MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == md5("hällo")
    assert sent["MD5OfMessageAttributes"] == md5_of_attributes(attributes)
    [message] = receive(sqs, queue, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hällo")
    assert message["MessageAttributes"] == attributes
    assert (message["MD5OfBody"], message["MD5OfMessageAttributes"]) == (md5("hällo"), md5_of_attributes(attributes))
    system = message["Attributes"]
    assert system["ApproximateReceiveCount"] == "1" and system["SenderId"]
    now = time.time() * 1000
    assert now - 10_000 < int(system["SentTimestamp"]) <= int(system["ApproximateFirstReceiveTimestamp"]) < now + 1000
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_attributes_come_only_when_they_are_asked_for(sqs, queue):
    """R API_ReceiveMessage: MessageAttributeNames, with `prefix.*`"""
    attributes = {name: {"DataType": "String", "StringValue": "1"} for name in ("a.x", "a.y", "b")}
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    [message] = receive(sqs, queue, VisibilityTimeout=0)
    assert not {"Attributes", "MessageAttributes", "MD5OfMessageAttributes"} & message.keys()
    [message] = receive(sqs, queue, MessageAttributeNames=["a.*"], AttributeNames=["SentTimestamp"])
    assert sorted(message["MessageAttributes"]) == ["a.x", "a.y"]
    assert list(message["Attributes"]) == ["SentTimestamp"]
    wanted = {name: attributes[name] for name in ("a.x", "a.y")}
    assert message["MD5OfMessageAttributes"] == md5_of_attributes(wanted)


def test_batches_answer_for_each_entry(sqs, queue):
    """R API_SendMessageBatch, API_ChangeMessageVisibilityBatch, API_DeleteMessageBatch"""
    entries = [{"Id": f"e{number}", "MessageBody": str(number)} for number in range(9)]
    entries.append({"Id": "bad", "MessageBody": "x", "DelaySeconds": 901})
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert {one["Id"]: one["MD5OfMessageBody"] for one in sent["Successful"]} == {
        f"e{number}": md5(str(number)) for number in range(9)
    }
    [failed] = sent["Failed"]
    assert (failed["Id"], failed["SenderFault"], failed["Code"]) == ("bad", True, "InvalidParameterValue")
    messages = receive(sqs, queue, MaxNumberOfMessages=10)
    assert sorted(message["Body"] for message in messages) == [str(number) for number in range(9)]
    handles = [{"Id": f"h{index}", "ReceiptHandle": one["ReceiptHandle"]} for index, one in enumerate(messages)]
    visible = [handle | {"VisibilityTimeout": 0} for handle in handles[:3]]
    assert len(sqs.change_message_visibility_batch(QueueUrl=queue, Entries=visible)["Successful"]) == 3
    again = receive(sqs, queue, MaxNumberOfMessages=10)
    assert len(again) == 3
    wrong = {"Id": "wrong", "ReceiptHandle": "nonsense"}
    fresh = [{"Id": f"a{index}", "ReceiptHandle": one["ReceiptHandle"]} for index, one in enumerate(again)]
    deleted = sqs.delete_message_batch(QueueUrl=queue, Entries=[*handles[3:], *fresh, wrong])
    assert len(deleted["Successful"]) == 9
    assert [(one["Id"], one["Code"]) for one in deleted["Failed"]] == [("wrong", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize(
    "entries, code",
    [
        ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (
            [{"Id": str(number), "MessageBody": "x"} for number in range(11)],
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        ([{"Id": "a", "MessageBody": "x"}] * 2, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (
            [{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(sqs, queue, entries, code):
    """R API_SendMessageBatch: its errors"""
    assert refused(sqs.send_message_batch, QueueUrl=queue, Entries=entries) == (code, 400)


def test_a_message_has_a_largest_size(sqs, queue):
    """Q quotas-messages.html: 1 MiB"""
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1024 * 1024)
    code, status = refused(sqs.send_message, QueueUrl=queue, MessageBody="x" * (1024 * 1024 + 1))
    assert (code, status) == ("InvalidParameterValue", 400)


@pytest.mark.parametrize("body, code", [("\x00", "InvalidMessageContents"), ("", "MissingParameter")])
def test_a_body_has_to_be_text(sqs, queue, body, code):
    """R API_SendMessage: the characters that are allowed, and at least one of them"""
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody=body) == (code, 400)


def test_a_long_poll_ends_with_the_message(sqs, queue, in_background):
    """Q sqs-short-and-long-polling.html"""
    waiting = in_background(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
    time.sleep(0.3)
    assert not waiting.done()
    sent = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert waiting.result()["Messages"][0]["Body"] == "x"
    assert time.monotonic() - sent < 5


def test_a_long_poll_ends_with_its_time(sqs, queue):
    """Q sqs-short-and-long-polling.html: without messages an empty answer"""
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert 1 <= time.monotonic() - started < 5
    assert refused(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=21) == ("InvalidParameterValue", 400)
    assert refused(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=11) == ("InvalidParameterValue", 400)


def test_a_received_message_is_hidden_for_its_visibility_timeout(sqs, queue):
    """Q sqs-visibility-timeout.html"""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [first] = receive(sqs, queue, VisibilityTimeout=1)
    received = time.monotonic()
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"]
    assert attributes == dict(zip(counts, ["0", "1"]))
    [second] = receive(sqs, queue, WaitTimeSeconds=10, AttributeNames=["ApproximateReceiveCount"])
    assert time.monotonic() - received > 0.9
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
    [third] = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=third["ReceiptHandle"])
    # Deleting twice is no error, nor is an old handle of a message that is gone.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=third["ReceiptHandle"])
    assert receive(sqs, queue, WaitTimeSeconds=0) == []


def test_visibility_is_changed_only_of_messages_in_flight(sqs, queue):
    """R API_ChangeMessageVisibility: MessageNotInflight, ReceiptHandleIsInvalid, at most 12 hours"""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    [message] = receive(sqs, queue)
    change = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
    assert refused(sqs.change_message_visibility, **change, VisibilityTimeout=43_201) == (
        "InvalidParameterValue",
        400,
    )
    sqs.change_message_visibility(**change, VisibilityTimeout=0)
    code, status = refused(sqs.change_message_visibility, **change, VisibilityTimeout=10)
    assert (code, status) == ("AWS.SimpleQueueService.MessageNotInflight", 400)
    change["ReceiptHandle"] = "nonsense"
    assert refused(sqs.change_message_visibility, **change, VisibilityTimeout=1) == ("ReceiptHandleIsInvalid", 404)


def test_a_delayed_message_comes_later(sqs, queue):
    """Q sqs-message-timers.html"""
    sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=1)
    sent = time.monotonic()
    names = ["ApproximateNumberOfMessagesDelayed"]
    assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"] == {names[0]: "1"}
    assert receive(sqs, queue, WaitTimeSeconds=0) == []
    assert len(receive(sqs, queue, WaitTimeSeconds=10)) == 1
    assert time.monotonic() - sent > 0.9


def test_what_is_received_too_often_goes_to_the_dead_letter_queue_and_back(sqs, queue):
    """Q sqs-dead-letter-queues.html, sqs-configure-dead-letter-queue-redrive.html; R API_ListDeadLetterSourceQueues, API_StartMessageMoveTask"""
    dead_letters = sqs.create_queue(QueueName=f"dead-{uuid.uuid4().hex}")["QueueUrl"]
    policy = {"deadLetterTargetArn": arn(sqs, dead_letters), "maxReceiveCount": "2"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead_letters)["queueUrls"] == [queue]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x")
    for _ in range(2):
        assert len(receive(sqs, queue, VisibilityTimeout=0)) == 1
    assert receive(sqs, queue, VisibilityTimeout=0) == []
    [letter] = receive(sqs, dead_letters, VisibilityTimeout=0, AttributeNames=["All"])
    assert letter["MessageId"] == sent["MessageId"]
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, queue)
    # What is moved back is a new message, with an id of its own.
    assert sqs.start_message_move_task(SourceArn=arn(sqs, dead_letters))["TaskHandle"]
    [back] = receive(sqs, queue, WaitTimeSeconds=10)
    assert (back["Body"], back["MessageId"] == sent["MessageId"]) == ("x", False)
    sqs.delete_queue(QueueUrl=dead_letters)


def test_a_purge_empties_a_queue_once_a_minute(sqs, queue):
    """R API_PurgeQueue: PurgeQueueInProgress within 60 seconds"""
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(number), "MessageBody": "x"} for number in range(5)])
    receive(sqs, queue)
    sqs.purge_queue(QueueUrl=queue)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    empty = dict.fromkeys(names, "0")
    eventually(
        lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"] == empty, "it is empty"
    )
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=queue)


def test_a_queue_of_the_template_has_its_name(sqs, functions):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html"""
    assert functions.description["queues"] == ["Queue"]
    assert sqs.get_queue_url(QueueName="Queue")["QueueUrl"].endswith("/123456789012/Queue")
