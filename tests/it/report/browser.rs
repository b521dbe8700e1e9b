//! The page in a real browser, where there is one: at each width nothing is wider than the screen,
//! nothing is said on the console, and nothing is asked of anybody.

use std::fs;
use std::process::{Command, Stdio};

use meshgen::verify::page::to_html;

use super::sample;
use crate::tool;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const WIDTHS: [u32; 3] = [1440, 820, 390];

/// Puts each page into a frame of each width, and writes what it measured into the document.
const PROBE: &str = "
addEventListener('load', () => {
  const said = [...document.querySelectorAll('iframe')].map(frame => {
    const view = frame.contentWindow, page = frame.contentDocument;
    const shown = [...page.querySelectorAll('svg.picture')].filter(picture => picture.getBoundingClientRect().width > 0);
    const small = shown.some(picture => picture.getBoundingClientRect().width < 0.97 * picture.viewBox.baseVal.width);
    const fits = page.documentElement.scrollWidth <= view.innerWidth;
    const loads = view.performance.getEntriesByType('resource').length;
    return [frame.title, fits ? 'fits' : 'is wider', shown.length, small ? 'shrunk' : 'legible', loads].join(' ');
  });
  document.body.textContent = 'measured:' + said.join(';') + ';';
});
";

fn browser() -> Option<&'static str> {
    let runs = |name: &&&str| {
        let mut command = Command::new(name);
        command.args(["--version", "--no-sandbox"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    BROWSERS.iter().find(runs).copied()
}

#[test]
fn a_browser_shows_it_at_every_width() {
    let Some(browser) = browser() else {
        return tool::not_run("chromium", "there is no Chromium to look at the page with");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut frames = String::new();
    for (name, page) in [
        ("troubled-1", sample::troubled(1)),
        ("troubled-3", sample::troubled(3)),
        ("healthy-12", sample::healthy(12)),
        ("troubled-50", sample::troubled(50)),
        ("offline-2", sample::offline(2)),
    ] {
        fs::write(folder.path().join(format!("{name}.html")), to_html(&page)).expect("a file");
        for width in WIDTHS {
            frames += &format!(
                "<iframe title='{name}-{width}' src='{name}.html' width={width} height=900></iframe>"
            );
        }
    }
    let probe = folder.path().join("probe.html");
    fs::write(&probe, format!("<!doctype html><body>{frames}<script>{PROBE}</script>"))
        .expect("a file");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--enable-logging=stderr",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--allow-file-access-from-files", "--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", probe.display()))
        .output()
        .expect("it runs");
    let (said, log) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let measured = said.split("measured:").nth(1).and_then(|rest| rest.split('<').next());
    let measured = measured.unwrap_or_else(|| panic!("nothing was measured:\n{said}\n{log}"));
    let lines: Vec<&str> = measured.split(';').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 15, "{measured}");
    for line in lines {
        let (_, rest) = line.split_once(' ').expect("a name");
        assert_eq!(rest, "fits 1 legible 0", "{line}");
    }
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
