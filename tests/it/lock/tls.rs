//! https: by the system's trust, or by a file that is named.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{chart, packed, project, said};
use crate::project::Project;
use crate::tool;

/// A server with a certificate of a CA of its own: its port, and the CA in PEM.
fn start() -> (u16, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a CA").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("versions")
    .with_no_client_auth()
    .with_single_cert(vec![certificate.der().clone()], key.into())
    .expect("a certificate that fits");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            let mut first = String::new();
            let mut line = String::new();
            // a client that does not trust us goes away
            if reader.read_line(&mut first).is_err() {
                continue;
            }
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let body = packed("one", &chart("1.0.0"));
            let head = if first.contains("/down") {
                "302 X\r\nLocation: http://localhost:1/a.tgz"
            } else {
                "200 X"
            };
            let head = format!(
                "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let stream = reader.get_mut();
            let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            let _ = sent.and_then(|()| stream.flush());
        }
    });
    (port, authority)
}

fn lock(project: &Project, source: &str, authority: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(project.path()).args(["lock", &format!("a={source}")]);
    match authority {
        Some(text) => {
            project.write("ca.pem", text);
            command.env("SSL_CERT_FILE", project.path().join("ca.pem"));
        }
        None => drop(command.env_remove("SSL_CERT_FILE")),
    }
    tool::output(&mut command, "")
}

#[test]
fn a_server_is_believed_by_its_certificate_alone() {
    let (port, authority) = start();
    let project = project();
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let output = lock(&project, &url("/a.tgz"), None);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("certificate"), "{}", said(&output));
    // another name than the certificate's
    let output = lock(&project, &format!("https://127.0.0.1:{port}/a.tgz"), Some(&authority));
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let output = lock(&project, &url("/down"), Some(&authority));
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("from https to plain http"), "{}", said(&output));
    assert!(!fs::exists(project.path().join("charts")).expect("looks"));
    let output = lock(&project, &url("/a.tgz"), Some(&authority));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
