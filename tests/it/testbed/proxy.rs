//! A proxy between a kubeconfig and its API server: it counts, and it fails on demand.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;

use super::control_plane::ControlPlane;
use super::fault::{Fault, When};
use super::http::{self, Head};
use super::keys::{self, Identity};
use super::tls::{self, ClientStream, Listener, ServerStream};

/// Which requests a fault is for: method, path with query, and the how manieth request it is, from 1.
type Matcher = Box<dyn Fn(&str, &str, usize) -> bool + Send>;

/// What runs at a write.
type Hook = Arc<Mutex<Box<dyn Fn() + Send>>>;

/// An HTTPS proxy; ends with all its connections on drop.
///
/// The API server sees an administrator, whoever asks; only a bearer token is passed on. HTTP/1.1
/// alone; what follows an upgrade (`exec`, `port-forward`) is passed on as it comes.
pub struct Proxy {
    listener: Listener,
    state: Arc<State>,
    ca: String,
    anyone: Identity,
}

struct State {
    upstream: SocketAddr,
    admin: Arc<ClientConfig>,
    nobody: Arc<ClientConfig>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    log: Vec<(String, String)>,
    writes: usize,
    hooks: Vec<(usize, When, Hook)>,
    faults: Vec<(Matcher, Fault, usize)>,
}

/// What the script says of one request.
struct Verdict {
    hook: Option<(When, Hook)>,
    fault: Option<Fault>,
}

impl Proxy {
    /// Starts one in front of a control plane.
    pub fn start(plane: &ControlPlane) -> Self {
        let state = Arc::new(State {
            upstream: plane.address(),
            admin: plane.admin_tls(),
            nobody: tls::client(plane.ca_pem(), None),
            script: Mutex::default(),
        });
        let tls = tls::server(&plane.server_identity(), Some(plane.ca_pem()));
        let seen = state.clone();
        let listener = Listener::start("127.0.0.1", tls, move |mut stream| {
            // broken connections are what this is for
            let _ = seen.serve(&mut stream);
        });
        let anyone = plane.identity("through-the-proxy", &[]);
        Self { listener, state, ca: plane.ca_pem().to_owned(), anyone }
    }

    /// `https://127.0.0.1:PORT`.
    pub fn server_url(&self) -> String {
        format!("https://{}", self.listener.address)
    }

    /// A kubeconfig by way of it, with one context.
    pub fn kubeconfig(&self, context: &str) -> String {
        keys::kubeconfig(context, &self.server_url(), &self.ca, &self.anyone)
    }

    /// How many requests it got, since the start or since [`Proxy::reset`].
    pub fn requests(&self) -> usize {
        self.state.script().log.len()
    }

    /// How many of them are writes: POST, PUT, PATCH or DELETE, not a dry run, not a review of
    /// permissions.
    pub fn writes(&self) -> usize {
        self.state.script().writes
    }

    /// All requests: method, and path with query.
    pub fn log(&self) -> Vec<(String, String)> {
        self.state.script().log.clone()
    }

    /// Runs `hook` at the n-th write, counted from 1, and then ends the connection.
    pub fn on_write(&self, n: usize, when: When, hook: Box<dyn Fn() + Send>) {
        self.state.script().hooks.push((n, when, Arc::new(Mutex::new(hook))));
    }

    /// Lets so many of the requests that `matches` holds for fail; it sees method, path with query,
    /// and the how manieth request it is. Of several faults the first one holds.
    pub fn fault(
        &self,
        matches: impl Fn(&str, &str, usize) -> bool + Send + 'static,
        fault: Fault,
        times: usize,
    ) {
        self.state.script().faults.push((Box::new(matches), fault, times));
    }

    /// With `true` ends every connection, and each new one before anything is said.
    pub fn down(&self, down: bool) {
        self.listener.refuse(down);
    }

    /// Forgets all counts, hooks and faults, and is up.
    pub fn reset(&self) {
        *self.state.script() = Script::default();
        self.down(false);
    }
}

/// Whether this changes the cluster.
fn is_write(method: &str, path: &str) -> bool {
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    ["POST", "PUT", "PATCH", "DELETE"].contains(&method)
        && !query.contains("dryRun=All")
        && !place.ends_with("reviews")
}

/// Answers until the client has had enough.
fn endless(client: &mut ServerStream) -> io::Result<()> {
    let out = client.get_mut();
    out.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{",
    )?;
    let piece = vec![b' '; 1 << 20];
    loop {
        out.write_all(&piece)?;
        out.flush()?;
    }
}

impl State {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one connection until its end.
    fn serve(&self, client: &mut ServerStream) -> io::Result<()> {
        // one connection to the server a connection of the client, and one more with tokens
        let mut servers: [Option<ClientStream>; 2] = [None, None];
        while let Some(head) = Head::read(client)? {
            let (wire, _) = http::whole_body(client, head.request_framing())?;
            let bearer = usize::from(head.header("authorization").is_some());
            let tls = [&self.admin, &self.nobody][bearer];
            self.pass(client, &mut servers[bearer], tls, &head, &wire)?;
        }
        Ok(())
    }

    /// Handles one request; an error ends the connection.
    fn pass(
        &self,
        client: &mut ServerStream,
        kept: &mut Option<ClientStream>,
        tls: &Arc<ClientConfig>,
        head: &Head,
        body: &[u8],
    ) -> io::Result<()> {
        let method = head.words()[0].to_owned();
        let verdict = self.judge(&method, head.words().get(1).copied().unwrap_or_default());
        verdict.at(When::BeforeForward)?;
        match &verdict.fault {
            Some(Fault::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Stall(duration)) => thread::sleep(*duration),
            Some(Fault::Endless) => return endless(client),
            Some(fault) => {
                if let Some(answer) = fault.answer() {
                    client.get_mut().write_all(answer.as_bytes())?;
                    return client.get_mut().flush();
                }
            }
            None => {}
        }
        let (mut server, answer) = self.forward(kept.take(), tls, head, body)?;
        if answer.status() == 101 {
            client.get_mut().write_all(answer.text.as_bytes())?;
            client.get_mut().flush()?;
            return pump(client, &mut server);
        }
        let framing = answer.response_framing(&method);
        if verdict.fault == Some(Fault::HalfBody) {
            let (wire, _) = http::whole_body(&mut server, framing)?;
            client.get_mut().write_all(answer.text.as_bytes())?;
            client.get_mut().write_all(&wire[..wire.len() / 2])?;
            client.get_mut().flush()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if verdict.hook.as_ref().is_some_and(|(when, _)| *when == When::AfterForward) {
            http::whole_body(&mut server, framing)?;
        }
        verdict.at(When::AfterForward)?;
        client.get_mut().write_all(answer.text.as_bytes())?;
        http::body(&mut server, framing, &mut |wire, _| {
            client.get_mut().write_all(wire)?;
            client.get_mut().flush()
        })?;
        client.get_mut().flush()?;
        verdict.at(When::AfterAnswer)?;
        let closes = |head: &Head| {
            head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
        };
        if framing == http::Framing::Close || closes(&answer) || closes(head) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        *kept = Some(server);
        Ok(())
    }

    /// Sends the request on, over the kept connection where that still works, and reads the head of
    /// the answer.
    fn forward(
        &self,
        kept: Option<ClientStream>,
        tls: &Arc<ClientConfig>,
        head: &Head,
        body: &[u8],
    ) -> io::Result<(ClientStream, Head)> {
        let ask = |mut server: ClientStream| -> io::Result<(ClientStream, Head)> {
            server.get_mut().write_all(head.text.as_bytes())?;
            server.get_mut().write_all(body)?;
            server.get_mut().flush()?;
            let answer = Head::read(&mut server)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok((server, answer))
        };
        if let Some(done) = kept.and_then(|server| ask(server).ok()) {
            return Ok(done);
        }
        ask(tls::connect(tls, self.upstream)?)
    }

    /// Counts a request and looks up what is to happen to it.
    fn judge(&self, method: &str, path: &str) -> Verdict {
        let mut script = self.script();
        script.log.push((method.to_owned(), path.to_owned()));
        let count = script.log.len();
        let mut hook = None;
        if is_write(method, path) {
            script.writes += 1;
            let writes = script.writes;
            let due = script.hooks.iter().position(|(n, ..)| *n == writes);
            hook = due.map(|index| script.hooks.remove(index)).map(|(_, when, hook)| (when, hook));
        }
        let mut faults = script.faults.iter_mut();
        let fault = faults
            .find(|(matches, _, times)| *times > 0 && matches(method, path, count))
            .map(|(_, fault, times)| {
                *times -= 1;
                fault.clone()
            });
        Verdict { hook, fault }
    }
}

/// Passes bytes on both ways until one side ends.
fn pump(client: &mut ServerStream, server: &mut ClientStream) -> io::Result<()> {
    // one thread has both: each waits this long for the other
    let turn = Some(Duration::from_millis(2));
    client.get_ref().sock.set_read_timeout(turn)?;
    server.get_ref().sock.set_read_timeout(turn)?;
    let mut bytes = [0; 16 * 1024];
    loop {
        for turn in 0..2 {
            let read = if turn == 0 { server.read(&mut bytes) } else { client.read(&mut bytes) };
            let length = match read {
                Ok(0) => return Err(io::ErrorKind::ConnectionAborted.into()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if turn == 0 {
                client.get_mut().write_all(&bytes[..length])?;
                client.get_mut().flush()?;
            } else {
                server.get_mut().write_all(&bytes[..length])?;
                server.get_mut().flush()?;
            }
        }
    }
}

impl Verdict {
    /// Runs the hook if its time has come, and ends the connection.
    fn at(&self, now: When) -> io::Result<()> {
        match &self.hook {
            Some((when, hook)) if *when == now => {
                let hook = hook.lock().unwrap_or_else(PoisonError::into_inner);
                (*hook)();
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            _ => Ok(()),
        }
    }
}
