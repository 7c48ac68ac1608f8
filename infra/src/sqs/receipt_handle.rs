//! Receipt handles: what a receive hands out, and what deletes the message or changes its visibility timeout.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html>

use base64::{Engine, prelude::BASE64_STANDARD};
use uuid::Uuid;

use super::error::{ErrorCode, SqsError};

/// One receive of one message. To clients it is an opaque string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceiptHandle {
    /// The message's number within its queue.
    pub(super) message: u64,
    /// Which of the message's receives this is.
    pub(super) receive: u64,
}

impl ReceiptHandle {
    /// The handle as the string that clients see. `queue` is the queue's own random id.
    pub(super) fn encode(self, queue: Uuid) -> String {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(queue.as_bytes());
        bytes[16..24].copy_from_slice(&self.message.to_be_bytes());
        bytes[24..].copy_from_slice(&self.receive.to_be_bytes());
        BASE64_STANDARD.encode(bytes)
    }

    /// Reads a handle back, and fails with [`ErrorCode::ReceiptHandleIsInvalid`] if it is not one or if
    /// another queue issued it.
    pub(super) fn decode(handle: &str, queue: Uuid) -> Result<Self, SqsError> {
        let bytes = BASE64_STANDARD
            .decode(handle)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let Some(bytes) = bytes else {
            let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
            return Err(SqsError::new(ErrorCode::ReceiptHandleIsInvalid, message));
        };
        let (issuer, rest) = bytes.split_at(16);
        if issuer != queue.as_bytes() {
            let message = format!("The receipt handle \"{handle}\" is not valid for this queue.");
            return Err(SqsError::new(ErrorCode::ReceiptHandleIsInvalid, message));
        }
        let (message, receive) = rest.split_at(8);
        Ok(Self {
            message: number(message),
            receive: number(receive),
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_reads_back_as_it_was() {
        let queue = Uuid::new_v4();
        let handle = ReceiptHandle {
            message: 70_000,
            receive: 3,
        };
        assert_eq!(ReceiptHandle::decode(&handle.encode(queue), queue), Ok(handle));
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        let queue = Uuid::new_v4();
        for malformed in ["", "garbage", "AQEB", "é", &"A".repeat(100)] {
            let error = ReceiptHandle::decode(malformed, queue).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ReceiptHandleIsInvalid, "{malformed:?}");
        }
    }

    #[test]
    fn a_handle_of_another_queue_is_refused() {
        let handle = ReceiptHandle {
            message: 1,
            receive: 1,
        }
        .encode(Uuid::new_v4());
        let error = ReceiptHandle::decode(&handle, Uuid::new_v4()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ReceiptHandleIsInvalid);
        assert!(error.message().ends_with("is not valid for this queue."));
    }
}
