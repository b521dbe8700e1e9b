//! One port for all clusters: HTTP/1.1, a thread a connection.

use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;

use serde_json::Value;

use super::api::{Answer, Request};
use super::mesh::Mesh;
use super::{api, pod};
use crate::testbed::{Head, Upgrade, whole_body};

/// A server, as long as the test binary runs.
pub struct Server {
    pub port: u16,
    /// Requests by cluster, in the order of the mesh.
    pub requests: Arc<Vec<AtomicUsize>>,
    /// How often clients were asked for traffic, by cluster.
    pub traffic: Arc<Vec<AtomicUsize>>,
    /// What changed an object.
    pub writes: Arc<AtomicUsize>,
}

/// Enough for TLS in a debug build.
const STACK: usize = 1 << 20;

impl Server {
    /// Serves a mesh.
    pub fn start(mesh: Arc<RwLock<Mesh>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let count = mesh.read().expect("no holder panics").all().len();
        let zeros = || Arc::new((0..count).map(|_| AtomicUsize::new(0)).collect());
        let counts = Counts { requests: zeros(), traffic: zeros(), writes: Arc::default() };
        let Counts { requests, traffic, writes } = counts.clone();
        let server = Self { port, requests, traffic, writes };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let (mesh, counts) = (mesh.clone(), counts.clone());
                let serve = move || {
                    // a client that goes away is no fault of anybody
                    let _ = connection(&stream, &mesh, &counts);
                };
                let thread = thread::Builder::new().stack_size(STACK).spawn(serve);
                thread.expect("a thread");
            }
        });
        server
    }
}

/// What is counted.
#[derive(Clone)]
struct Counts {
    requests: Arc<Vec<AtomicUsize>>,
    traffic: Arc<Vec<AtomicUsize>>,
    writes: Arc<AtomicUsize>,
}

fn connection(stream: &TcpStream, mesh: &RwLock<Mesh>, counts: &Counts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let (_, body) = whole_body(&mut reader, head.request_framing())?;
        let words = head.words();
        let (method, target) = (words[0].to_owned(), words[1].to_owned());
        let Some((cluster, target)) = target[1..].split_once('/') else {
            return Ok(());
        };
        let request = Request::new(&method, &format!("/{target}"), &body);
        let place = {
            let mesh = mesh.read().expect("no holder panics");
            let place = mesh.all().iter().position(|one| one.name == cluster);
            match place {
                Some(place) if !mesh.all()[place].dead => place,
                // the connection ends without a word
                _ => return Ok(()),
            }
        };
        counts.requests[place].fetch_add(1, Ordering::Relaxed);
        if let Some(upgrade) = Upgrade::of(&head) {
            let answer = {
                let mesh = mesh.read().expect("no holder panics");
                if target.contains("http_code") {
                    counts.traffic[place].fetch_add(1, Ordering::Relaxed);
                }
                pod::answer(&mesh, &mesh.all()[place], &request)
            };
            return match answer {
                Ok(answer) => answer.send(stream, &upgrade),
                // this connection ends: whoever keeps it for another request must know
                Err(answer) => respond(stream, &answer, "Connection: close\r\n"),
            };
        }
        let answer = if method == "GET" || request.is_dry() {
            let mesh = mesh.read().expect("no holder panics");
            api::look(&mesh.all()[place], &request)
        } else {
            let mut mesh = mesh.write().expect("no holder panics");
            let name = mesh.all()[place].name.clone();
            api::write(mesh.cluster_mut(&name), &request, &counts.writes)
        };
        respond(stream, &answer, "")?;
    }
    Ok(())
}

fn respond(mut stream: &TcpStream, answer: &Answer, more: &str) -> io::Result<()> {
    let Answer { status, body } = answer;
    let body = if *body == Value::Null { String::new() } else { body.to_string() };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())
}
