// One call of each service through AWS's SDK for JavaScript; the results go to standard output as JSON.
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
const { SQSClient, GetQueueUrlCommand, SendMessageCommand, ReceiveMessageCommand, DeleteMessageCommand } =
  require("@aws-sdk/client-sqs");
const { DynamoDBClient, PutItemCommand, GetItemCommand } = require("@aws-sdk/client-dynamodb");

async function main() {
  const lambda = new LambdaClient({});
  const payload = (answer) => JSON.parse(Buffer.from(answer.Payload).toString());
  const invoked = await lambda.send(
    new InvokeCommand({ FunctionName: "Worker", Payload: JSON.stringify({ response: "hi" }) }),
  );
  const failed = await lambda.send(new InvokeCommand({ FunctionName: "Worker", Payload: '{"error":"no"}' }));
  const missing = await lambda.send(new InvokeCommand({ FunctionName: "Nobody" })).catch((error) => error);

  const sqs = new SQSClient({});
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "Queue" }));
  // This SDK checks the MD5 digests of what it sends and receives.
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "from JavaScript ä" }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));

  const dynamodb = new DynamoDBClient({});
  const Item = { id: { S: "javascript" }, n: { N: "1" } };
  await dynamodb.send(new PutItemCommand({ TableName: "Table", Item }));
  const again = await dynamodb
    .send(new PutItemCommand({ TableName: "Table", Item, ConditionExpression: "attribute_not_exists(id)" }))
    .catch((error) => error);
  const read = await dynamodb.send(new GetItemCommand({ TableName: "Table", Key: { id: Item.id } }));

  return {
    invoked: payload(invoked),
    failed: [failed.FunctionError, payload(failed).errorMessage],
    missing: [missing.name, missing.$metadata.httpStatusCode],
    body: Messages[0].Body,
    again: again.name,
    read: read.Item,
  };
}

main().then((result) => console.log(JSON.stringify(result)));
