//! Servers as child processes that never outlive the test binary.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::thread;

use crate::tool;

/// A request to start a program, and where to send what came of it.
type Order = (Command, Sender<io::Result<Child>>);

/// Starts a program that is killed when this process dies, however it dies.
///
/// The kernel's parent death signal is bound to the *thread* that forked, and threads of tests end
/// with their test: so one thread that never ends starts all of them.
pub fn spawn(command: Command) -> io::Result<Child> {
    static NURSERY: OnceLock<Sender<Order>> = OnceLock::new();
    let nursery = NURSERY.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in orders {
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, child) = mpsc::channel();
    nursery.send((command, answer)).expect("the thread never ends");
    child.recv().expect("the thread answers")
}

/// A command that dies with us where `setpriv` is there, as on every Debian; a plain one elsewhere.
pub fn mortal(program: &Path) -> Command {
    if !Path::new("/usr/bin/setpriv").exists() {
        tool::not_run("servers that die with a killed test binary", "`setpriv` is not there");
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A running server; killed on drop.
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a program with these arguments; what it prints goes to a file.
    pub fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).expect("a log");
        let mut command = mortal(program);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(out.try_clone().expect("a second handle")).stderr(out);
        let child = spawn(command).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { child, log: log.to_owned() }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be looked at")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines that it printed.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}
