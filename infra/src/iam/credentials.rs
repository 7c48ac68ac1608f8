//! Access keys.

/// Keys for signing calls to AWS.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Public: which key it is.
    pub access_key_id: String,
    /// What signatures are made with.
    pub secret_access_key: String,
    /// Present on temporary keys, as functions get them.
    pub session_token: Option<String>,
}

impl Credentials {
    /// New keys of a user. They open nothing but this local cloud.
    pub(super) fn of_a_user() -> Self {
        Self {
            access_key_id: format!("AKIA{}", random(16)),
            secret_access_key: random(40),
            session_token: None,
        }
    }

    /// New temporary keys, as a function gets them for its role.
    pub(super) fn of_a_role() -> Self {
        Self {
            access_key_id: format!("ASIA{}", random(16)),
            secret_access_key: random(40),
            session_token: Some(random(64)),
        }
    }
}

/// That many upper-case hexadecimal digits.
fn random(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string().to_uppercase());
    }
    text.truncate(length);
    text
}
