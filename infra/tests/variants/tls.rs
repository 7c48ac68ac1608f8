//! The AWS endpoint over TLS: the functions trust it, and nobody else does of himself.

use std::{path::Path, sync::Arc};

use reqwest::{Method, StatusCode};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, IpAddr, ServerName, pem::PemObject as _},
};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{LocalCloud, Template, each_variant};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_accepted_and_succeeds_over_tls() {
    each_variant(&["--tls"], async |cloud| {
        assert!(cloud.text("endpoint_url").starts_with("https://127.0.0.1:"));
        assert!(cloud.text("api_url").starts_with("http://127.0.0.1:"));
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 10})).await;
        assert_eq!(cloud.ended(&id).await["status"], "succeeded", "{}", cloud.log());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_client_that_has_the_authority_connects() {
    let cloud = LocalCloud::up("self-invoke", &["--tls"]);
    assert!(cloud.unsigned(Method::GET, "/").send().await.is_err());
    let authority = Path::new(cloud.text("ca_certificate"));
    let address = cloud.text("endpoint_url").trim_start_matches("https://");
    let connect = async |roots: RootCertStore| {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::IpAddress(IpAddr::try_from("127.0.0.1").unwrap());
        let connection = TcpStream::connect(address).await.unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, connection)
            .await
            .map(drop)
    };
    let refused = connect(RootCertStore::empty()).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    connect(roots).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_cannot_be_read_fails_the_init_and_is_named() {
    let template = Template::with_variable("self-invoke", "AWS_CA_BUNDLE", "/no/such/bundle.pem");
    let cloud = LocalCloud::up_changed("self-invoke", template, &["--tls"]);
    let task = json!({"kind": "sleep", "millis": 1});
    assert_eq!(
        cloud.post(&task).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert!(cloud.log().contains("/no/such/bundle.pem"), "{}", cloud.log());
}
