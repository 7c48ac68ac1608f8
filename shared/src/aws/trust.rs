//! Which certificate authorities the functions trust when they call AWS: Amazon's own, from which its services have their
//! certificates (<https://aws.amazon.com/blogs/security/how-to-prepare-for-aws-move-to-its-own-certificate-authority/>).
//! Reading the hundred and more of the system took half of a function's init. The webhook, which is anybody's, trusts the
//! system's.

use std::{fs, io};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

/// The five roots that Amazon asks to be in a trust store of one's own (<https://www.amazontrust.com/repository/>). It
/// advises against pinning, so there are [`SETTING`] and [`BUNDLE`].
const ROOTS: &str = include_str!("amazon-trust-services.pem");

/// With the value `system` the functions trust what the system does, should Amazon change its roots.
const SETTING: &str = "TRUST_STORE";

/// Names a PEM file of certificate authorities that are trusted as well: of a proxy that reads along, or of the local
/// cloud. The variable is AWS's own, which its SDK for Rust does not read
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>).
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// The file that [`BUNDLE`] names is of no use.
#[derive(Debug, thiserror::Error)]
#[error("cannot read certificates from {path}, which {BUNDLE} names")]
pub struct UnusableBundle {
    path: String,
    source: io::Error,
}

/// The certificate authorities to trust in this environment. China's Regions are a partition of their own.
///
/// # Errors
///
/// `AWS_CA_BUNDLE` names a file that cannot be read, or has no certificate in it.
pub fn tls_context() -> Result<TlsContext, UnusableBundle> {
    let is_in_china = std::env::var("AWS_REGION").is_ok_and(|region| region.starts_with("cn-"));
    let mut store = if is_in_china || std::env::var(SETTING).is_ok_and(|value| value == "system") {
        TrustStore::default()
    } else {
        TrustStore::empty().with_pem_certificate(ROOTS)
    };
    if let Ok(path) = std::env::var(BUNDLE) {
        store.add_pem_certificate(bundle(path)?);
    }
    Ok(TlsContext::builder()
        .with_trust_store(store)
        .build()
        .unwrap_or_default())
}

/// The certificates in the file at `path`.
fn bundle(path: String) -> Result<String, UnusableBundle> {
    let read = fs::read_to_string(&path).and_then(|text| {
        if text.contains("-----BEGIN CERTIFICATE-----") {
            Ok(text)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "there is no certificate in it",
            ))
        }
    });
    read.map_err(|source| UnusableBundle { path, source })
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

    #[test]
    fn a_bundle_without_certificates_is_refused_and_named() {
        for path in [
            "/no/such/file.pem",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            let error = bundle(path.to_owned()).unwrap_err();
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}
