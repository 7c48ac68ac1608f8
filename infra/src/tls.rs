//! TLS for the AWS endpoint: a certificate authority of the local cloud's own, and a certificate from it. Both are made
//! anew at each start, and their keys stay in memory; clients find the authority's certificate in a file.

use std::{io::Write as _, path::Path, sync::Arc};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring::{Ticketer, default_provider},
    pki_types::PrivatePkcs8KeyDer,
};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

/// What the endpoint's certificate is for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// An endpoint's TLS. The file with the authority's certificate lives as long as this.
#[derive(Debug)]
pub struct Tls {
    authority: NamedTempFile,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Makes an authority, and a certificate for `localhost` and `127.0.0.1`. The keys are of ECDSA on P-256.
    ///
    /// # Errors
    ///
    /// The authority's certificate cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        parameters
            .distinguished_name
            .push(DnType::CommonName, "lambda-offload, a local cloud");
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        let mut file = tempfile::Builder::new()
            .prefix("local-cloud-")
            .suffix(".pem")
            .tempfile()?;
        file.write_all(authority.pem().as_bytes())
            .with_context(|| format!("cannot write {}", file.path().display()))?;
        Ok(Self {
            config: Arc::new(server_config(&authority)?),
            authority: file,
        })
    }

    /// The file that has the authority's certificate, in PEM.
    pub fn authority(&self) -> &Path {
        self.authority.path()
    }

    /// What takes connections.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// TLS 1.2 and 1.3, and nothing older (<https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/>).
/// Connections are resumed by tickets. There is HTTP/1.1 alone.
fn server_config(authority: &CertifiedIssuer<'_, KeyPair>) -> anyhow::Result<ServerConfig> {
    let mut parameters = CertificateParams::new(NAMES.map(str::to_owned))?;
    parameters.distinguished_name.push(DnType::CommonName, NAMES[0]);
    parameters.use_authority_key_identifier_extension = true;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, authority)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    config.ticketer = Ticketer::new()?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rustls::{
        ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
        version::{TLS12, TLS13},
    };
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::*;

    fn client(trusted: &Tls, version: &'static SupportedProtocolVersion) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(trusted.authority()).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// Connects once. Answers the protocol's version, and whether it was the whole handshake.
    async fn connect(
        client: &TlsConnector,
        server: &Tls,
        name: &'static str,
    ) -> std::io::Result<(ProtocolVersion, HandshakeKind)> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let acceptor = server.acceptor();
        let answered = tokio::spawn(async move {
            let mut connection = acceptor.accept(far).await?;
            connection.write_all(b"!").await?;
            connection.shutdown().await
        });
        let name = ServerName::try_from(name).unwrap();
        let mut connection = client.connect(name, near).await?;
        // Tickets come with the first byte.
        connection.read_u8().await?;
        answered.await.unwrap()?;
        let (_, session) = connection.get_ref();
        Ok((
            session.protocol_version().unwrap(),
            session.handshake_kind().unwrap(),
        ))
    }

    /// <https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/>
    #[tokio::test]
    async fn a_session_is_resumed_in_both_versions_and_under_both_names() {
        let server = Tls::new().unwrap();
        for (version, expected) in [
            (&TLS12, ProtocolVersion::TLSv1_2),
            (&TLS13, ProtocolVersion::TLSv1_3),
        ] {
            for name in NAMES {
                let client = client(&server, version);
                let first = connect(&client, &server, name).await.unwrap();
                assert_eq!(first, (expected, HandshakeKind::Full));
                let second = connect(&client, &server, name).await.unwrap();
                assert_eq!(second, (expected, HandshakeKind::Resumed));
            }
        }
    }

    #[tokio::test]
    async fn who_trusts_another_authority_or_asks_for_another_name_does_not_connect() {
        let (server, other) = (Tls::new().unwrap(), Tls::new().unwrap());
        assert!(
            connect(&client(&other, &TLS13), &server, "localhost")
                .await
                .is_err()
        );
        assert!(
            connect(&client(&server, &TLS13), &server, "example.com")
                .await
                .is_err()
        );
    }

    #[test]
    fn the_file_ends_with_it_and_holds_no_key() {
        let tls = Tls::new().unwrap();
        let path = tls.authority().to_owned();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("PRIVATE"));
        drop(tls);
        assert!(!path.exists());
    }
}
