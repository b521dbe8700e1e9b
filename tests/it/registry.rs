//! A real registry for one test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::tool;

/// A registry on this machine; ends with the test.
pub struct Registry {
    child: Child,
    /// Host and port.
    pub address: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts one; `None` where the tool cannot be had.
    pub fn start() -> Option<Self> {
        let registry = tool::path("registry")?;
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port().to_string();
        drop(free);
        let child = Command::new(registry)
            .args(["-port", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut server = Self { child, address: format!("127.0.0.1:{port}") };
        while TcpStream::connect(&server.address).is_err() {
            assert!(server.child.try_wait().expect("looks").is_none(), "the registry ended");
            std::thread::yield_now();
        }
        Some(server)
    }
}
