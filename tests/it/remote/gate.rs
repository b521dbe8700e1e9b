//! A server in front of a registry: it counts, asks for credentials, breaks requests, and kills who asks.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};

/// A request.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The how manieth it is, from 1.
    pub number: usize,
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Seen {
    pub fn writes(&self) -> bool {
        self.method == "PUT" || self.method == "POST"
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// The registry answers it.
    Forward,
    /// Answered here: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Whoever asks is killed; the registry has not seen it.
    KillBefore,
    /// Whoever asks is killed once the registry has done it.
    KillAfter,
    /// The connection ends.
    Reset,
    /// Half of the registry's answer comes.
    Half,
    /// The registry's answer comes with one bit of its body flipped.
    Flip,
}

impl Act {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }
}

type Script = Box<dyn Fn(&Seen) -> Act + Send + Sync>;

/// The server; its threads end with the tests.
pub struct Gate {
    /// Host and port.
    pub address: String,
    state: Arc<State>,
}

struct State {
    registry: String,
    seen: Mutex<Vec<Seen>>,
    script: Mutex<Arc<Script>>,
    victim: Mutex<Option<u32>>,
    named: Condvar,
}

impl Gate {
    /// Starts one in front of a registry.
    pub fn start(registry: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let forward: Script = Box::new(|_| Act::Forward);
        let state = Arc::new(State {
            registry: registry.to_owned(),
            seen: Mutex::default(),
            script: Mutex::new(Arc::new(forward)),
            victim: Mutex::default(),
            named: Condvar::new(),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                // broken connections are what this is for
                std::thread::spawn(move || drop(state.serve(&stream)));
            }
        });
        Self { address, state }
    }

    /// From now on requests go so; what was seen is forgotten.
    pub fn script(&self, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) {
        *self.state.script.lock().expect("no panic") = Arc::new(Box::new(script));
        self.state.seen.lock().expect("no panic").clear();
    }

    /// The process that is killed.
    pub fn victim(&self, process: u32) {
        *self.state.victim.lock().expect("no panic") = Some(process);
        self.state.named.notify_all();
    }

    /// Nobody is to be killed yet.
    pub fn spare(&self) {
        *self.state.victim.lock().expect("no panic") = None;
    }

    /// What was asked since the script began.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("no panic").clone()
    }
}

impl State {
    fn kill(&self) {
        let mut victim = self.victim.lock().expect("no panic");
        while victim.is_none() {
            victim = self.named.wait(victim).expect("no panic");
        }
        let process = victim.expect("named").to_string();
        let status = Command::new("kill").args(["-9", &process]).status();
        assert!(status.expect("`kill` runs").success());
    }

    /// Serves one request; every connection has one.
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let words: Vec<&str> = first.split(' ').collect();
        let [method, target, _] = words[..] else { return Ok(()) };
        let (method, target) = (method.to_owned(), target.to_owned());
        let seen = {
            let mut all = self.seen.lock().expect("no panic");
            let number = all.len() + 1;
            let seen = Seen { number, method, target, headers };
            all.push(seen.clone());
            seen
        };
        let script = Arc::clone(&self.script.lock().expect("no panic"));
        let act = script(&seen);
        let length = seen.headers.get("content-length").and_then(|text| text.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let mut stream = stream;
        match act {
            Act::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
                stream.write_all(&body)
            }
            Act::Reset => Ok(()),
            Act::KillBefore => {
                self.kill();
                Ok(())
            }
            Act::KillAfter => {
                self.forward(&seen, &body)?;
                self.kill();
                Ok(())
            }
            Act::Forward => stream.write_all(&self.forward(&seen, &body)?),
            Act::Half => {
                let answer = self.forward(&seen, &body)?;
                stream.write_all(&answer[..answer.len() - (answer.len() - head(&answer)) / 2 - 1])
            }
            Act::Flip => {
                let mut answer = self.forward(&seen, &body)?;
                let at = head(&answer);
                if at < answer.len() {
                    answer[at] ^= 1;
                }
                stream.write_all(&answer)
            }
        }
    }

    /// What the registry answers, to its last byte.
    fn forward(&self, seen: &Seen, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.registry)?;
        let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", seen.method, seen.target);
        for (name, value) in &seen.headers {
            if name != "connection" && name != "authorization" {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        stream.write_all(format!("{text}\r\n").as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// Where the body of an answer begins.
fn head(answer: &[u8]) -> usize {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4)
}
