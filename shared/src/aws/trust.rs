//! Which certificate authorities the functions trust when they call AWS: Amazon's own, from which its services have their
//! certificates (<https://aws.amazon.com/blogs/security/how-to-prepare-for-aws-move-to-its-own-certificate-authority/>).
//! Reading the hundred and more of the system took half of a function's init. The webhook, which is anybody's, trusts the
//! system's.

use std::{fs, io};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};

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

/// Which certificate authorities to trust. Amazon's and the system's are only read when a connection needs them.
#[derive(Clone, Debug)]
pub struct Trust {
    instead_of_amazons_the_systems: bool,
    further: RootCertStore,
}

impl Trust {
    /// What the functions trust in this environment. China's Regions are a partition of their own.
    ///
    /// # Errors
    ///
    /// `AWS_CA_BUNDLE` names a file that cannot be read, or whose certificates cannot, or that has none.
    pub fn of_environment() -> Result<Self, UnusableBundle> {
        let is_in_china = std::env::var("AWS_REGION").is_ok_and(|region| region.starts_with("cn-"));
        let further = std::env::var(BUNDLE).ok().map(bundle).transpose()?;
        Ok(Self {
            instead_of_amazons_the_systems: is_in_china
                || std::env::var(SETTING).is_ok_and(|value| value == "system"),
            further: further.unwrap_or_else(RootCertStore::empty),
        })
    }

    /// What the system trusts.
    pub(crate) fn system() -> Self {
        Self {
            instead_of_amazons_the_systems: true,
            further: RootCertStore::empty(),
        }
    }

    /// TLS for a client that trusts these, with the cryptography of `provider`.
    ///
    /// # Panics
    ///
    /// The provider has neither TLS 1.2 nor 1.3.
    pub fn client_config(&self, provider: CryptoProvider) -> ClientConfig {
        let mut roots = self.further.clone();
        if self.instead_of_amazons_the_systems {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        } else {
            roots.add_parsable_certificates(amazons());
        }
        #[expect(
            clippy::expect_used,
            reason = "a provider without TLS 1.2 and 1.3 is none of those that are built in"
        )]
        ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

fn amazons() -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(ROOTS.as_bytes()).filter_map(Result::ok)
}

/// The certificates in the file at `path`.
fn bundle(path: String) -> Result<RootCertStore, UnusableBundle> {
    let read = fs::read(&path).and_then(|pem| {
        certificates(&pem).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
    });
    read.map_err(|source| UnusableBundle { path, source })
}

fn certificates(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
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
        let found: Vec<String> = amazons().map(|certificate| sha256(&certificate)).collect();
        assert_eq!(found, FINGERPRINTS);
    }

    #[test]
    fn each_of_the_roots_can_be_trusted() {
        let mut roots = RootCertStore::empty();
        assert_eq!(roots.add_parsable_certificates(amazons()), (5, 0));
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

    #[test]
    fn what_only_looks_like_a_certificate_is_refused() {
        for pem in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
        ] {
            assert!(certificates(pem.as_bytes()).is_err(), "{pem}");
        }
    }
}
