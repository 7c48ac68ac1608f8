//! The errors of SQS: what a caller gets to see of each, in the JSON protocol. How an error becomes an HTTP
//! answer is in `protocol`; when it arises is decided where the rule lives.

use axum::http::StatusCode;

/// A refused request: which error of SQS it is, and the sentence that explains it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .code.query_code())]
pub struct SqsError {
    code: ErrorCode,
    message: String,
}

/// The kinds of error. The lists under "Errors" of each operation are in
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>, the ones that
/// any operation can answer in
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Two entries of a batch have the same id.
    BatchEntryIdsNotDistinct,
    /// The messages of a batch are together larger than the limit.
    BatchRequestTooLong,
    /// A batch has no entries.
    EmptyBatchRequest,
    /// A queue attribute, or a message system attribute, of that name does not exist.
    InvalidAttributeName,
    /// The value of a queue attribute is out of its range or of the wrong form.
    InvalidAttributeValue,
    /// The id of a batch entry is not made as an id has to be.
    InvalidBatchEntryId,
    /// A message holds a character outside the allowed set.
    InvalidMessageContents,
    /// A parameter has a value that it cannot have.
    InvalidParameterValue,
    /// The request is not JSON of the right shape.
    MalformedInput,
    /// The visibility timeout was to be changed of a message that nobody is working on.
    MessageNotInflight,
    /// A parameter that the operation needs is not there.
    MissingParameter,
    /// About 120,000 messages of the queue are in flight.
    OverLimit,
    /// The queue was purged less than 60 seconds ago.
    PurgeQueueInProgress,
    /// There is no such queue.
    QueueDoesNotExist,
    /// There is a queue of this name already, with another value for an attribute.
    QueueNameExists,
    /// The receipt handle was not issued by this queue.
    ReceiptHandleIsInvalid,
    /// The request was throttled.
    RequestThrottled,
    /// A resource named by its ARN does not exist.
    ResourceNotFound,
    /// A batch has more than ten entries.
    TooManyEntriesInBatchRequest,
    /// SQS has no operation of this name.
    UnknownOperation,
    /// SQS has the operation or the parameter, but it cannot be used.
    UnsupportedOperation,
}

impl ErrorCode {
    /// The name by which the JSON protocol calls the error, with its namespace: the `__type` of the answer.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::BatchEntryIdsNotDistinct => "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            Self::BatchRequestTooLong => "com.amazonaws.sqs#BatchRequestTooLong",
            Self::EmptyBatchRequest => "com.amazonaws.sqs#EmptyBatchRequest",
            Self::InvalidAttributeName => "com.amazonaws.sqs#InvalidAttributeName",
            Self::InvalidAttributeValue => "com.amazonaws.sqs#InvalidAttributeValue",
            Self::InvalidBatchEntryId => "com.amazonaws.sqs#InvalidBatchEntryId",
            Self::InvalidMessageContents => "com.amazonaws.sqs#InvalidMessageContents",
            Self::InvalidParameterValue => "com.amazon.coral.service#InvalidParameterValueException",
            Self::MalformedInput => "com.amazon.coral.service#SerializationException",
            Self::MessageNotInflight => "com.amazonaws.sqs#MessageNotInflight",
            Self::MissingParameter => "com.amazon.coral.service#MissingRequiredParameterException",
            Self::OverLimit => "com.amazonaws.sqs#OverLimit",
            Self::PurgeQueueInProgress => "com.amazonaws.sqs#PurgeQueueInProgress",
            Self::QueueDoesNotExist => "com.amazonaws.sqs#QueueDoesNotExist",
            Self::QueueNameExists => "com.amazonaws.sqs#QueueNameExists",
            Self::ReceiptHandleIsInvalid => "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            Self::RequestThrottled => "com.amazonaws.sqs#RequestThrottled",
            Self::ResourceNotFound => "com.amazonaws.sqs#ResourceNotFoundException",
            Self::TooManyEntriesInBatchRequest => "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            Self::UnknownOperation => "com.amazon.coral.service#UnknownOperationException",
            Self::UnsupportedOperation => "com.amazonaws.sqs#UnsupportedOperation",
        }
    }

    /// The name by which the older query protocol calls the error. The JSON protocol still sends it, in the
    /// header `x-amzn-query-error` and as the `Code` of a failed batch entry, and SDKs go by it.
    pub fn query_code(self) -> &'static str {
        match self {
            Self::BatchEntryIdsNotDistinct => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::BatchRequestTooLong => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::EmptyBatchRequest => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::InvalidAttributeName => "InvalidAttributeName",
            Self::InvalidAttributeValue => "InvalidAttributeValue",
            Self::InvalidBatchEntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::MalformedInput => "MalformedInput",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::MissingParameter => "MissingParameter",
            Self::OverLimit => "OverLimit",
            Self::PurgeQueueInProgress => "AWS.SimpleQueueService.PurgeQueueInProgress",
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueNameExists => "QueueAlreadyExists",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::RequestThrottled => "RequestThrottled",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::TooManyEntriesInBatchRequest => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::UnknownOperation => "InvalidAction",
            Self::UnsupportedOperation => "AWS.SimpleQueueService.UnsupportedOperation",
        }
    }

    /// The HTTP status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::OverLimit | Self::PurgeQueueInProgress | Self::RequestThrottled => StatusCode::FORBIDDEN,
            Self::ReceiptHandleIsInvalid | Self::ResourceNotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl SqsError {
    /// An error of this kind, explained by `message`.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A parameter has a value that it cannot have, because of `reason`.
    pub(super) fn invalid_parameter(name: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        let message = format!("Value {value} for parameter {name} is invalid. Reason: {reason}");
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    /// A parameter that the operation needs is not there.
    pub(super) fn missing_parameter(name: &str) -> Self {
        Self::new(
            ErrorCode::MissingParameter,
            format!("The request must contain the parameter {name}."),
        )
    }

    /// No queue has that name, URL or ARN.
    pub(super) fn no_such_queue() -> Self {
        Self::new(
            ErrorCode::QueueDoesNotExist,
            "The specified queue does not exist.",
        )
    }

    /// No attribute has that name, or it cannot be set.
    pub(super) fn unknown_attribute(name: &str) -> Self {
        Self::new(
            ErrorCode::InvalidAttributeName,
            format!("Unknown Attribute {name}."),
        )
    }

    /// A FIFO queue was asked for.
    pub(super) fn fifo_not_supported() -> Self {
        let message = "FIFO queues are not supported by the local cloud; create a standard queue.";
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    /// Which error this is.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence that explains it, without the code.
    pub fn message(&self) -> &str {
        &self.message
    }
}
