//! The report in a browser: it renders without an error, its tables sort, it fits a telephone, and it prints. Chromium
//! does it all from its command line; where there is none, the test says so, and passes only if nobody insists
//! (`REQUIRE_BROWSER`).

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use benches::report;
use serde_json::Value;

mod fixture;

/// As wide as a small telephone, in CSS pixels.
const TELEPHONE: u32 = 390;

/// Asks the page, inside a frame of some width, what it looks like; answers by its own title.
const QUESTIONS: &str = include_str!("browser/questions.html");

/// The first Chromium that can be found.
fn browser() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").map(PathBuf::from);
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&folders).flat_map(|folder| {
        ["chromium", "chromium-browser", "google-chrome", "chrome"].map(|name| folder.join(name))
    });
    let browser = named.or_else(|| found.find(|path| path.is_file()));
    if browser.is_none() {
        assert!(env::var_os("REQUIRE_BROWSER").is_none(), "there is no Chromium");
        eprintln!("skipped: there is no Chromium; CHROMIUM can name one");
    }
    browser
}

/// Runs the browser on a page, with a profile of its own.
fn run(browser: &Path, folder: &Path, page: &str, options: &[&str]) -> Vec<u8> {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(options)
        .arg(format!("file://{}", folder.join(page).display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn answers(browser: &Path, folder: &Path, width: u32) -> Value {
    fs::write(
        folder.join("questions.html"),
        QUESTIONS.replace("WIDTH", &width.to_string()),
    )
    .unwrap();
    let page = run(
        browser,
        folder,
        "questions.html",
        &["--virtual-time-budget=20000", "--dump-dom"],
    );
    let page = String::from_utf8(page).unwrap();
    let title = page
        .split("<title>")
        .nth(1)
        .unwrap()
        .split("</title>")
        .next()
        .unwrap();
    serde_json::from_str(title).unwrap_or_else(|error| panic!("{error}: {title}"))
}

fn report() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    report::write(&fixture::results(fixture::settings_with_soak()), folder.path()).unwrap();
    folder
}

#[test]
fn the_page_renders_and_its_tables_sort() {
    let Some(browser) = browser() else { return };
    let folder = report();
    let page = answers(&browser, folder.path(), 1200);
    assert_eq!(page["errors"].as_array().unwrap().len(), 0, "{page}");
    assert_eq!(page["charts"], 8, "each chart is shown once, the wide one");
    assert_eq!(page["verdicts"][0], "self-invoke");
    // By the value, not by the text: 2.36 ms comes before 16.6 ms; what has none comes last both ways.
    let column = |name: &str| -> Vec<String> { serde_json::from_value(page[name].clone()).unwrap() };
    let (up, mut down) = (column("up"), column("down"));
    assert!(up[0].starts_with("1.07") && up[8].starts_with("5.51"), "{up:?}");
    down.reverse();
    assert_eq!(up, down);
    let names = column("names");
    assert!(names.is_sorted() && names[0] == "always-on", "{names:?}");
    assert_eq!(page["sorted"], "ascending");
}

#[test]
fn the_page_fits_a_telephone() {
    let Some(browser) = browser() else { return };
    let folder = report();
    let page = answers(&browser, folder.path(), TELEPHONE);
    let width = page["width"].as_u64().unwrap();
    assert!(width <= TELEPHONE.into(), "{width}");
    assert_eq!(page["charts"], 8, "the narrow ones are shown instead");
}

#[test]
fn the_page_prints() {
    let Some(browser) = browser() else { return };
    let folder = report();
    let paper = folder.path().join("report.pdf");
    let to = format!("--print-to-pdf={}", paper.display());
    run(
        &browser,
        folder.path(),
        "report.html",
        &[&to, "--no-pdf-header-footer"],
    );
    let paper = fs::read(paper).unwrap();
    assert!(paper.starts_with(b"%PDF"));
    let pages = paper.windows(12).filter(|text| text == b"/Type /Page\n").count();
    assert!(pages > 5, "a page that is cut off has few: {pages}");
}
