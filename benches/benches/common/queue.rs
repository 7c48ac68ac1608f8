//! A queue that nothing but the bench reads.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry};
use benches::aws::Aws;

/// The most that a batch holds
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>).
const BATCH: u64 = 10;

pub(crate) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Makes it, with this number in its name.
    pub(crate) async fn create(aws: &Aws, number: usize) -> Result<Self> {
        let client = Client::new(aws.config());
        let request = client.create_queue().queue_name(format!("bench-{number}"));
        let url = request.send().await?.queue_url.context("the queue has no URL")?;
        Ok(Self { client, url })
    }

    /// From before each message is sent until it was received; deleting it is not counted.
    pub(crate) async fn send_to_receive(&self, messages: u64) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for _ in 0..messages {
            let begin = Instant::now();
            let send = self.client.send_message().queue_url(&self.url);
            send.message_body("message").send().await?;
            let receive = self.client.receive_message().queue_url(&self.url);
            let received = receive.wait_time_seconds(20).send().await?;
            total += begin.elapsed();
            let message = received.messages().first().context("the message never came")?;
            let delete = self.client.delete_message().queue_url(&self.url);
            delete
                .set_receipt_handle(message.receipt_handle.clone())
                .send()
                .await?;
        }
        Ok(total)
    }

    /// Sends so many messages and deletes as many, in batches.
    pub(crate) async fn send_to_delete(&self, messages: u64) -> Result<()> {
        let mut left = messages;
        while left > 0 {
            let batch = left.min(BATCH);
            self.send(batch).await?;
            let mut received = 0;
            while received < batch {
                received += self.receive_and_delete().await?;
            }
            left -= batch;
        }
        Ok(())
    }

    async fn send(&self, messages: u64) -> Result<()> {
        let entry = |id: u64| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
            entry.message_body("message").build()
        };
        let entries = (0..messages).map(entry).collect::<Result<_, _>>()?;
        let request = self.client.send_message_batch().queue_url(&self.url);
        request.set_entries(Some(entries)).send().await?;
        Ok(())
    }

    async fn receive_and_delete(&self) -> Result<u64> {
        let receive = self.client.receive_message().queue_url(&self.url);
        let receive = receive.max_number_of_messages(10).wait_time_seconds(20);
        let received = receive.send().await?;
        let messages = received.messages();
        let entries = messages.iter().enumerate().map(|(id, message)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(id.to_string())
                .set_receipt_handle(message.receipt_handle.clone())
                .build()
        });
        let entries = entries.collect::<Result<_, _>>()?;
        let request = self.client.delete_message_batch().queue_url(&self.url);
        request.set_entries(Some(entries)).send().await?;
        Ok(messages.len() as u64)
    }
}
