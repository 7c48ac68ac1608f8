//! What the two services that answer in XML share: text within an element. Neither reads any.

/// Text as it stands within an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
