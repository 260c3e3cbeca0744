//! Pages opened in a headless Chromium, with a script of the test's own run in them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a page did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What the test's script gave, as JSON.
    pub result: String,
    /// What was written to the browser's console, errors and refusals of the content policy among it.
    pub console: Vec<String>,
}

/// Opens a page in a frame of that size, which is what its media queries see, and runs `script` in it: the body of an async
/// function, which returns what JSON can hold.
///
/// # Panics
/// If there is no browser, or the script gave nothing.
#[must_use]
pub fn open(page: &str, script: &str, width: u32, height: u32) -> Seen {
    let folder = tempfile::tempdir().expect("a directory can be made");
    let probe = format!(
        "<script>addEventListener('load', async () => {{ let told; try {{ told = await (async () => {{ {script} }})(); }} \
         catch (error) {{ told = {{ error: String(error) }}; }} parent.postMessage(JSON.stringify(told), '*'); }});</script>"
    );
    let (head, tail) = page.rsplit_once("</body>").expect("a page has a body");
    fs::write(folder.path().join("page.html"), format!("{head}{probe}</body>{tail}")).expect("a file can be written");
    let frame = format!(
        "<!doctype html><meta charset=utf-8><body><script>onmessage = (e) => {{ document.body.textContent = 'RESULT' + e.data + 'END'; }};\
         </script><iframe src=page.html width={width} height={height} style=border:0></iframe></body>"
    );
    let outer = folder.path().join("frame.html");
    fs::write(&outer, frame).expect("a file can be written");
    let output = browser(folder.path())
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--window-size={},{}", width.max(500) + 40, height + 40))
        .arg(format!("file://{}", outer.display()))
        .output()
        .expect("the browser starts");
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let result = dom.split_once("RESULT").and_then(|(_, rest)| rest.rsplit_once("END")).map(|(result, _)| result);
    let result = result.unwrap_or_else(|| panic!("the page's script gave nothing\n{log}")).replace("&amp;", "&");
    let result = result.replace("&lt;", "<").replace("&gt;", ">");
    let console = log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Seen { result, console }
}

fn browser(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--disable-extensions", "--disable-background-networking", "--enable-logging=stderr", "--v=0"]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.env("HOME", folder).stdin(Stdio::null());
    command
}

fn binary() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|p| p.is_file());
    found.expect("there is no browser: apt-get install -y --no-install-recommends chromium")
}
