//! What goes through an API server into a pod: a command, a request, a TLS handshake.
//!
//! `exec` and `portforward` of the Kubernetes API, over `WebSocket`s: no kubectl, no port on this
//! machine. Nothing here changes an object, so a [`super::Stop`] does not end it.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod as Resource;
use kube::api::{Api, AttachParams};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::client::{Client, RequestError, Status, chain};
use crate::pki::Certificate;

/// The most that is read of one answer; a configuration dump of a large mesh is some MiB.
const LIMIT: u64 = 64 << 20;
/// How long a request through a port-forward may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often a stream that breaks is opened again.
const TRIES: u32 = 3;

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a command in a pod gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code; `None` if the container runtime could not run it, as `stderr` says.
    pub code: Option<i32>,
}

impl Client {
    /// Runs a command in a container of a pod, within a time. Bytes that are no UTF-8 are replaced.
    pub async fn exec(
        &self,
        pod: &Pod,
        container: &str,
        command: &[&str],
        within: Duration,
    ) -> Result<Output, RequestError> {
        let run = async {
            let api: Api<Resource> = Api::namespaced(self.kube(), &pod.namespace);
            let params = AttachParams::default().container(container).stdin(false).stderr(true);
            let mut process =
                api.exec(&pod.name, command.to_vec(), &params).await.map_err(|e| refused(&e))?;
            let status = process.take_status().expect("it is taken once");
            let (out, err) = (process.stdout(), process.stderr());
            let texts = async { tokio::try_join!(all(out), all(err)) };
            tokio::pin!(status, texts);
            // the status comes last; where none comes kube 5.0 leaves both texts open for ever
            let (texts, status) = tokio::select! {
                texts = &mut texts => (texts?, status.await),
                status = &mut status => match status {
                    Some(status) => (texts.await?, Some(status)),
                    None => (<_>::default(), None),
                },
            };
            let mut output = Output { stdout: texts.0, stderr: texts.1, code: None };
            let Some(status) = status else {
                let text = format!("the connection to {} broke", pod.name);
                return Err(RequestError::Unreachable(text));
            };
            if status.status.as_deref() == Some("Success") {
                output.code = Some(0);
                return Ok(output);
            }
            let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
            let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
            output.code = code.and_then(|cause| cause.message.as_deref()?.parse().ok());
            if output.code.is_none() {
                output.stderr.push_str(&status.message.unwrap_or_default());
            }
            Ok(output)
        };
        self.count();
        timeout(within, run).await.unwrap_or_else(|_| {
            let (name, seconds) = (&pod.name, within.as_secs());
            Err(RequestError::Unreachable(format!("the command in {name} ran for {seconds} s")))
        })
    }

    /// Asks a port of a pod by HTTP, as from the pod's own loopback: the status and the body.
    pub async fn ask(
        &self,
        pod: &Pod,
        port: u16,
        path: &str,
    ) -> Result<(u16, String), RequestError> {
        // 1.0: no chunks, and the connection ends with the body
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        self.through(pod, port, |mut stream| {
            let request = request.clone();
            async move {
                stream.write_all(request.as_bytes()).await.map_err(broken)?;
                let answer = all(Some(stream)).await?;
                let odd = || RequestError::Unreachable("the answer is no HTTP".to_owned());
                let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
                let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
                // a connection that broke ends a body too
                if length(head).is_some_and(|length| body.len() < length) {
                    let text = "the answer broke off".to_owned();
                    return Err(RequestError::Unreachable(text));
                }
                Ok((code.ok_or_else(odd)?, body.to_owned()))
            }
        })
        .await
    }

    /// The certificates that a port of a pod serves to who asks for a name, leaf first. They are
    /// not checked: whoever asks wants to know which they are.
    pub async fn served(
        &self,
        pod: &Pod,
        port: u16,
        server: &str,
    ) -> Result<Vec<Certificate>, RequestError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the provider has the protocol's suites")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Any(provider)))
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(server.to_owned())
            .map_err(|_| RequestError::Unreachable(format!("`{server}` is no host name")))?;
        self.through(pod, port, |stream| {
            let (connector, name) = (connector.clone(), name.clone());
            async move {
                let session = connector.connect(name, stream).await.map_err(broken)?;
                let chain = session.get_ref().1.peer_certificates().unwrap_or_default();
                let read = |der: &CertificateDer<'_>| Certificate::from_der(der).ok();
                Ok(chain.iter().filter_map(read).collect())
            }
        })
        .await
    }

    /// Does something on a connection to a port of a pod; again if it breaks.
    async fn through<T, F>(
        &self,
        pod: &Pod,
        port: u16,
        work: impl Fn(tokio::io::DuplexStream) -> F,
    ) -> Result<T, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = timeout(DEADLINE, self.through_once(pod, port, &work)).await;
            let result = result.unwrap_or_else(|_| {
                let text = format!(
                    "port {port} of {} gave no answer within {} s",
                    pod.name,
                    DEADLINE.as_secs()
                );
                Err(RequestError::Unreachable(text))
            });
            match result {
                Err(RequestError::Unreachable(_)) if tried < TRIES => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                other => return other,
            }
        }
    }

    async fn through_once<T, F>(
        &self,
        pod: &Pod,
        port: u16,
        work: impl Fn(tokio::io::DuplexStream) -> F,
    ) -> Result<T, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        self.count();
        let api: Api<Resource> = Api::namespaced(self.kube(), &pod.namespace);
        let mut forward =
            api.portforward(&pod.name, &[port]).await.map_err(|error| refused(&error))?;
        let stream = forward.take_stream(port).expect("it was asked for");
        let failed = forward.take_error(port);
        let result = work(stream).await;
        forward.abort();
        // the runtime says more than a stream that ends
        match (&result, failed) {
            (Err(_), Some(failed)) => match timeout(Duration::from_millis(100), failed).await {
                Ok(Some(why)) => {
                    Err(RequestError::Unreachable(format!("port {port} of {}: {why}", pod.name)))
                }
                _ => result,
            },
            _ => result,
        }
    }
}

/// How long the body is, as the head of an answer has it.
fn length(head: &str) -> Option<usize> {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    value.trim().parse().ok()
}

/// All that a stream gives, up to the limit.
async fn all(stream: Option<impl AsyncRead + Unpin>) -> Result<String, RequestError> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let read = stream.take(LIMIT).read_to_end(&mut bytes).await.map_err(broken)?;
        if read as u64 == LIMIT {
            return Err(RequestError::Unreachable("the answer is larger than 64 MiB".to_owned()));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn broken(error: std::io::Error) -> RequestError {
    RequestError::Unreachable(chain(&error))
}

fn refused(error: &kube::Error) -> RequestError {
    match error {
        kube::Error::Api(status) => RequestError::Status(Box::new(Status {
            code: status.code,
            reason: status.reason.clone(),
            message: status.message.clone(),
            ..Status::default()
        })),
        other => super::client::transport(other),
    }
}

/// Takes any certificate.
#[derive(Debug)]
struct Any(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
