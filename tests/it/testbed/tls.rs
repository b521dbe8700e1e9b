//! TLS for the bed's own client and servers.

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use super::keys::Identity;

/// A connection that a client made.
pub type ClientStream = BufReader<StreamOwned<ClientConnection, TcpStream>>;
/// A connection that a server accepted.
pub type ServerStream = BufReader<StreamOwned<ServerConnection, TcpStream>>;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(ca: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.expect("a certificate")).expect("a CA");
    }
    roots
}

/// A client that trusts this CA, and shows this certificate.
pub fn client(ca: &str, who: Option<&Identity>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots(ca));
    Arc::new(match who {
        Some(identity) => {
            let (chain, key) = identity.der();
            builder.with_client_auth_cert(chain, key).expect("a key that fits")
        }
        None => builder.with_no_client_auth(),
    })
}

/// A client that trusts this CA, and shows no certificate.
pub fn anybody(ca: &str) -> Arc<ClientConfig> {
    client(ca, None)
}

/// Connects.
pub fn connect(tls: &Arc<ClientConfig>, address: SocketAddr) -> io::Result<ClientStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let name = address.ip().into();
    let connection = ClientConnection::new(tls.clone(), name).map_err(io::Error::other)?;
    Ok(BufReader::new(StreamOwned::new(connection, stream)))
}

/// A server with this certificate, which offers HTTP/1.1 alone; with a CA it asks for a client
/// certificate of it, and does without one.
pub fn server(identity: &Identity, clients: Option<&str>) -> Arc<ServerConfig> {
    let (chain, key) = identity.der();
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        Some(ca) => {
            let roots = Arc::new(roots(ca));
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            builder.with_client_cert_verifier(
                verifier.allow_unauthenticated().build().expect("a verifier"),
            )
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).expect("a key that fits");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A listening server, a thread a connection; closed with all its connections on drop.
pub struct Listener {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    closed: AtomicBool,
    refusing: AtomicBool,
    live: Mutex<Vec<TcpStream>>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        self.hang_up();
        // wakes the thread that accepts
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl Listener {
    /// Listens on a free port of this address and hands each connection to `serve`.
    pub fn start(
        ip: &str,
        tls: Arc<ServerConfig>,
        serve: impl Fn(ServerStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap_or_else(|error| panic!("{ip}: {error}"));
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let (seen, serve) = (state.clone(), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if seen.closed.load(Ordering::SeqCst) {
                    return;
                }
                if seen.refusing.load(Ordering::SeqCst) {
                    continue;
                }
                let _ = stream.set_nodelay(true);
                if let Ok(copy) = stream.try_clone() {
                    let mut live = seen.live.lock().expect("no thread panics here");
                    live.retain(|stream| stream.peer_addr().is_ok());
                    live.push(copy);
                }
                let (tls, serve) = (tls.clone(), serve.clone());
                thread::spawn(move || {
                    if let Ok(connection) = ServerConnection::new(tls) {
                        let shut = stream.try_clone();
                        serve(BufReader::new(StreamOwned::new(connection, stream)));
                        // the copy among the living would keep it open
                        let _ = shut.map(|stream| stream.shutdown(std::net::Shutdown::Both));
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Closes every connection, and with `true` each new one at once.
    pub fn refuse(&self, refuse: bool) {
        self.state.refusing.store(refuse, Ordering::SeqCst);
        if refuse {
            self.hang_up();
        }
    }

    fn hang_up(&self) {
        for stream in self.state.live.lock().expect("no thread panics here").drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
