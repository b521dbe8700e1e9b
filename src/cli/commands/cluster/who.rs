//! Who runs this process, for Leases and records.

use std::path::Path;

use time::OffsetDateTime;

use crate::cluster::{Holder, Me};
use crate::file::Disk;

/// More than any file under /proc that is read here.
const MAX: u64 = 1 << 20;

/// This process.
pub fn me() -> Me {
    let uname = rustix::system::uname();
    let disk = Disk::new();
    let pid = std::process::id();
    Me {
        holder: Holder {
            host: word(&uname.nodename().to_string_lossy()),
            boot: word(&text(&disk, "/proc/sys/kernel/random/boot_id").unwrap_or_default()),
            pid,
            start: start(&disk, pid).unwrap_or_default(),
            user: word(&user(&disk)),
        },
        runs,
        now,
    }
}

/// The clock.
#[expect(
    clippy::disallowed_methods,
    reason = "`plan`, `apply`, `status`, `report` and `retire` look at the clock"
)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Whether the process of a holder, on this host and boot, still runs. Where that cannot be told it
/// counts as running.
fn runs(holder: &Holder) -> bool {
    let disk = Disk::new();
    if text(&disk, "/proc/self/stat").is_none() {
        return true;
    }
    start(&disk, holder.pid) == Some(holder.start)
}

/// When a process started, in ticks since the boot: field 22 of `/proc/PID/stat`, proc(5).
fn start(disk: &Disk, pid: u32) -> Option<u64> {
    let stat = text(disk, &format!("/proc/{pid}/stat"))?;
    // the name of the program may hold spaces and brackets itself
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

fn user(disk: &Disk) -> String {
    let id = rustix::process::getuid().as_raw().to_string();
    let users = text(disk, "/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    found.unwrap_or(id)
}

fn text(disk: &Disk, path: &str) -> Option<String> {
    let bytes = disk.read_limited(Path::new(path), MAX).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// Records are words with spaces between.
fn word(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    if kept.is_empty() { "unknown".to_owned() } else { kept }
}
