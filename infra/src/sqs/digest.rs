//! The MD5 digests by which an SDK checks that a message arrived as it was sent. How the digest of attributes
//! is formed:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::message::{AttributeValue, MessageAttribute};

/// The transport byte of values that travel as text: of the types `String` and `Number`.
const TEXT: u8 = 1;
/// The transport byte of values of the type `Binary`.
const BINARY: u8 = 2;

/// The MD5 of a message body, in lower-case hexadecimal.
pub(super) fn of_body(body: &str) -> String {
    hexadecimal(Md5::new_with_prefix(body))
}

/// The MD5 of message attributes, in lower-case hexadecimal; none where there are no attributes. They have to
/// come sorted by name.
pub(super) fn of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<String> {
    let mut attributes = attributes.into_iter().peekable();
    attributes.peek()?;
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        update_with_length(&mut digest, name.as_bytes());
        update_with_length(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            AttributeValue::Text(text) => {
                digest.update([TEXT]);
                update_with_length(&mut digest, text.as_bytes());
            }
            AttributeValue::Binary(bytes) => {
                digest.update([BINARY]);
                update_with_length(&mut digest, bytes);
            }
        }
    }
    Some(hexadecimal(digest))
}

/// Adds a field as the digest has it: the length in four bytes, most significant first, and the field itself.
fn update_with_length(digest: &mut Md5, field: &[u8]) {
    // No field is longer than a message, and a message is far shorter than 4 GiB.
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(field);
}

fn hexadecimal(digest: Md5) -> String {
    format!("{:x}", Bytes::copy_from_slice(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    // The expected digests were computed in Python, with hashlib and struct alone, from the published
    // algorithm; `Foo` and the three of `Kenobi` are also known to be what SQS itself answers.

    fn text(data_type: &str, value: &str) -> MessageAttribute {
        MessageAttribute {
            data_type: data_type.into(),
            value: AttributeValue::Text(value.into()),
        }
    }

    #[test]
    fn the_digest_of_a_body_is_the_md5_of_its_utf_8() {
        assert_eq!(of_body("hello"), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(of_body("grüße"), "fee40dc24d0ad6a90c608052aa4e9e66");
    }

    #[test]
    fn no_attributes_have_no_digest() {
        assert_eq!(of_attributes(&BTreeMap::new()), None);
    }

    #[test]
    fn attributes_are_digested_by_name_type_and_value() {
        let one = BTreeMap::from([("Foo".to_owned(), text("String", "Bar"))]);
        assert_eq!(of_attributes(&one).unwrap(), "ae7155c6026991b6d54b11589678bf9c");

        let three = BTreeMap::from([
            ("Help.Me".to_owned(), text("String", "Me")),
            ("Hello".to_owned(), text("String", "There")),
            ("General".to_owned(), text("String", "Kenobi")),
        ]);
        assert_eq!(of_attributes(&three).unwrap(), "4c360f3fdafd970e05fae2f149d997f5");
    }

    #[test]
    fn binary_values_and_custom_types_enter_the_digest() {
        let seed = MessageAttribute {
            data_type: "Binary".into(),
            value: AttributeValue::Binary(Bytes::from_static(&[0, 255, 16])),
        };
        let attributes = BTreeMap::from([
            ("seed".to_owned(), seed),
            ("attempt".to_owned(), text("Number", "3")),
            ("kind".to_owned(), text("String.json", "\"sleep\"")),
        ]);
        assert_eq!(
            of_attributes(&attributes).unwrap(),
            "7e988c3e432fa2d0fc2275ed26675985"
        );
    }
}
