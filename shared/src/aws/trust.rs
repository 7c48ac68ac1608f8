//! Which certificate authorities the functions trust when they call AWS: Amazon's own, from which its services have their
//! certificates (<https://aws.amazon.com/blogs/security/how-to-prepare-for-aws-move-to-its-own-certificate-authority/>).
//! Reading the hundred and more of the system took half of a function's init. The webhook, which is anybody's, trusts the
//! system's.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

/// The five roots that Amazon asks to be in a trust store of one's own (<https://www.amazontrust.com/repository/>). It
/// advises against pinning, so there is [`SETTING`].
const ROOTS: &str = include_str!("amazon-trust-services.pem");

/// With the value `system` the functions trust what the system does: for a proxy that reads along, or should Amazon change
/// its roots.
const SETTING: &str = "TRUST_STORE";

/// The certificate authorities to trust in this environment. China's Regions are a partition of their own.
pub(super) fn context() -> TlsContext {
    let is_in_china = std::env::var("AWS_REGION").is_ok_and(|region| region.starts_with("cn-"));
    if is_in_china || std::env::var(SETTING).is_ok_and(|value| value == "system") {
        return TlsContext::default();
    }
    let store = TrustStore::empty().with_pem_certificate(ROOTS);
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;
    use crate::digest::sha256;

    /// As <https://www.amazontrust.com/repository/> states them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_are_those_that_amazon_publishes() {
        let found: Vec<String> = ROOTS
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .map(|rest| {
                let text = rest.split("-----END").next().unwrap_or_default();
                sha256(&STANDARD.decode(text.replace('\n', "")).unwrap())
            })
            .collect();
        assert_eq!(found, FINGERPRINTS);
    }
}
