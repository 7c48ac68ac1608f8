"""DynamoDB through boto3, on the template's table. D stands for
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/."""

import uuid

import pytest
from botocore.exceptions import ClientError

TABLE = "Table"


@pytest.fixture
def key():
    return {"id": {"S": uuid.uuid4().hex}}


def test_the_table_is_as_the_template_declares_it(dynamodb, functions):
    """D API_DescribeTable, API_DescribeTimeToLive, API_ListTables"""
    assert functions.description["tables"] == [TABLE] == dynamodb.list_tables()["TableNames"]
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    assert (table["TableStatus"], table["KeySchema"]) == ("ACTIVE", [{"AttributeName": "id", "KeyType": "HASH"}])
    ttl = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_the_table_has_the_arn_that_policies_name(dynamodb):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html"""
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    assert table["TableArn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/Table"


def test_a_new_table_and_its_index_have_such_arns_too(dynamodb):
    """D API_CreateTable, API_GlobalSecondaryIndexDescription"""
    name = uuid.uuid4().hex
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    index = {"IndexName": "Again", "KeySchema": key, "Projection": {"ProjectionType": "KEYS_ONLY"}}
    table = dynamodb.create_table(
        TableName=name,
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index],
    )["TableDescription"]
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"
    assert (table["TableArn"], table["GlobalSecondaryIndexes"][0]["IndexArn"]) == (arn, f"{arn}/index/Again")
    assert dynamodb.delete_table(TableName=name)["TableDescription"]["TableArn"] == arn


def test_an_item_is_put_read_updated_and_deleted(dynamodb, key):
    """D API_PutItem, API_GetItem, API_UpdateItem, API_DeleteItem"""
    item = key | {"n": {"N": "1"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}}
    dynamodb.put_item(TableName=TABLE, Item=item)
    assert dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"] == item
    updated = dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET n = n + :one REMOVE b",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    assert updated["Attributes"] == key | {"n": {"N": "2"}, "l": item["l"]}
    assert dynamodb.delete_item(TableName=TABLE, Key=key, ReturnValues="ALL_OLD")["Attributes"]["n"] == {"N": "2"}
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key=key)


def test_a_condition_that_fails_leaves_the_item(dynamodb, key):
    """D API_PutItem: ConditionalCheckFailedException, with the item where it is asked for"""
    put = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(id)"}
    dynamodb.put_item(**put, Item=key | {"n": {"N": "1"}})
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.put_item(**put, Item=key, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    response = caught.value.response
    assert response["Item"] == key | {"n": {"N": "1"}}
    assert response["Error"]["Message"] == "The conditional request failed"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_transaction_happens_wholly_or_not_at_all(dynamodb, key):
    """D API_TransactWriteItems, API_TransactGetItems: TransactionCanceledException with its reasons"""
    other = {"id": {"S": key["id"]["S"] + "-2"}}
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": TABLE, "Item": key}}, {"Put": {"TableName": TABLE, "Item": other}}]
    )
    found = dynamodb.transact_get_items(
        TransactItems=[{"Get": {"TableName": TABLE, "Key": one}} for one in (key, other)]
    )
    assert [response["Item"] for response in found["Responses"]] == [key, other]
    absent = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(id)"}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": TABLE, "Key": key}},
                {"ConditionCheck": absent | {"Key": other}},
            ]
        )
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert dynamodb.get_item(TableName=TABLE, Key=key)["Item"] == key


def test_batches_queries_and_scans_find_every_item(dynamodb):
    """D API_BatchWriteItem, API_BatchGetItem, API_Query, API_Scan"""
    mark = uuid.uuid4().hex
    items = [{"id": {"S": f"{mark}-{number:02}"}, "mark": {"S": mark}} for number in range(25)]
    written = dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in items]})
    assert written["UnprocessedItems"] == {}
    keys = [{"id": item["id"]} for item in items]
    found = dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys}})["Responses"][TABLE]
    assert sorted(item["id"]["S"] for item in found) == [item["id"]["S"] for item in items]
    queried = dynamodb.query(
        TableName=TABLE, KeyConditionExpression="id = :id", ExpressionAttributeValues={":id": items[3]["id"]}
    )
    assert queried["Items"] == [items[3]]
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=TABLE,
        FilterExpression="mark = :mark",
        ExpressionAttributeValues={":mark": {"S": mark}},
        PaginationConfig={"PageSize": 7},
    )
    pages = list(pages)
    assert len(pages) > 3
    assert sorted(item["id"]["S"] for page in pages for item in page["Items"]) == [item["id"]["S"] for item in items]


@pytest.mark.parametrize(
    "operation, parameters, code",
    [
        ("get_item", {"TableName": "Missing", "Key": {"id": {"S": "1"}}}, "ResourceNotFoundException"),
        ("get_item", {"TableName": TABLE, "Key": {"id": {"N": "1"}}}, "ValidationException"),
        ("put_item", {"TableName": TABLE, "Item": {"n": {"N": "1"}}}, "ValidationException"),
        (
            "update_item",
            {"TableName": TABLE, "Key": {"id": {"S": "1"}}, "UpdateExpression": "SET"},
            "ValidationException",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(dynamodb, operation, parameters, code):
    """D CommonErrors and the errors of each operation"""
    with pytest.raises(ClientError) as caught:
        getattr(dynamodb, operation)(**parameters)
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, 400)
