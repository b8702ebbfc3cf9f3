//! Downloads from a small server of our own, which fails in every way that servers do.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use md5::{Digest, Md5};

use super::super::tests::folder;
use super::{Download, Watch, part_of};
use crate::Error;
use crate::show::interrupted_after;

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Answer {
    /// Sends what was asked for.
    Serve,
    /// Promises what was asked for, sends so many bytes of it, and hangs up.
    Cut(usize),
    /// Sends the whole file, whatever range was asked for.
    Whole,
    /// As [`Answer::Whole`], but hangs up after so many bytes.
    WholeCut(usize),
    /// Answers with this status alone.
    Status(&'static str),
}

/// What is served: 100 000 bytes without a period.
fn content() -> Vec<u8> {
    (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn checksum() -> String {
    Md5::digest(content()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that gives `answers` one after the other; joined, it tells at which byte each request
/// wanted to start.
fn serve<const N: usize>(answers: [Answer; N]) -> (String, JoinHandle<Vec<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file.tar.gz", listener.local_addr().unwrap());
    let server = spawn(move || {
        answers.iter().map(|answer| reply(*answer, listener.accept().unwrap().0)).collect()
    });
    (url, server)
}

fn reply(answer: Answer, mut client: TcpStream) -> usize {
    let asked = asked_start(&mut client);
    let content = content();
    let start = if matches!(answer, Answer::Whole | Answer::WholeCut(_)) { 0 } else { asked };
    let rest = content.get(start..).unwrap_or_default();
    let (status, sent) = match answer {
        Answer::Status(status) => (status, 0),
        _ if start > 0 && rest.is_empty() => ("416 Range Not Satisfiable", 0),
        Answer::Cut(n) | Answer::WholeCut(n) => {
            (if start > 0 { "206 Partial Content" } else { "200 OK" }, n)
        }
        _ => (if start > 0 { "206 Partial Content" } else { "200 OK" }, rest.len()),
    };
    let promised = if status.starts_with('2') { rest.len() } else { 0 };
    let range = format!("Content-Range: bytes {start}-{}/{}\r\n", content.len() - 1, content.len());
    let range = if start > 0 { range } else { String::new() };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {promised}\r\n{range}Connection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&rest[..sent]).unwrap();
    asked
}

fn asked_start(client: &mut TcpStream) -> usize {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap().to_lowercase();
    let range =
        request.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-'));
    range.map_or(0, |start| start.parse().unwrap())
}

fn fetch(url: &str, target: &Path) -> crate::Result<Vec<(u64, Option<u64>)>> {
    let md5 = checksum();
    let download = Download { url, md5: &md5, first_pause: Duration::from_millis(1) };
    let mut seen = Vec::new();
    download.fetch(target, &mut |done, total| {
        seen.push((done, total));
        Ok(())
    })?;
    Ok(seen)
}

/// What lies in a folder, by name.
fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect()
}

#[test]
fn a_whole_file_arrives_and_reports_its_way() {
    let folder = folder("whole");
    let target = folder.join("new").join("file.tar.gz");
    let (url, server) = serve([Answer::Serve]);
    let seen = fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [0]);
    assert_eq!(fs::read(&target).unwrap(), content());
    assert_eq!(seen.first(), Some(&(0, Some(100_000))));
    assert_eq!(seen.last(), Some(&(100_000, Some(100_000))));
    assert!(seen.is_sorted());
    assert_eq!(names(target.parent().unwrap()), [PathBuf::from("file.tar.gz")]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_cut_connection_goes_on_where_it_stopped() {
    let folder = folder("cut");
    let target = folder.join("file");
    let (url, server) = serve([Answer::Cut(30_000), Answer::Cut(20_000), Answer::Serve]);
    let seen = fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [0, 30_000, 50_000]);
    assert_eq!(fs::read(&target).unwrap(), content());
    assert!(seen.iter().all(|(_, total)| *total == Some(100_000)), "the total is the file's");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_later_call_continues_the_part_of_an_earlier_one() {
    let folder = folder("later");
    let target = folder.join("file");
    let busy = Answer::Status("503 Service Unavailable");
    let (url, server) = serve([Answer::Cut(40_000), busy, busy, busy, busy]);
    let error = fetch(&url, &target).unwrap_err().to_string();
    assert_eq!(server.join().unwrap(), [0, 40_000, 40_000, 40_000, 40_000]);
    assert!(error.contains("503") && error.contains("40000 bytes"), "{error}");
    assert!(error.contains("ERM_DATA"), "{error}");
    assert!(!target.exists());

    let (url, server) = serve([Answer::Serve]);
    fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [40_000]);
    assert_eq!(fs::read(&target).unwrap(), content());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_download_that_is_stopped_keeps_what_it_has() {
    let folder = folder("stopped");
    let target = folder.join("file");
    let md5 = checksum();
    let stop = |url: &str, most: u64| {
        let download = Download { url, md5: &md5, first_pause: Duration::from_secs(600) };
        let watch: Watch = &mut |done, _| match done < most {
            true => Ok(()),
            false => Err(Error::invalid("a patient user", "an interrupt", "Go on later.")),
        };
        download.fetch(&target, watch).unwrap_err().to_string()
    };
    let (url, server) = serve([Answer::Serve]);
    assert!(stop(&url, 1).contains("a patient user"));
    server.join().unwrap();
    let kept = fs::metadata(part_of(&target)).unwrap().len();
    assert!(kept > 0 && kept <= 100_000, "{kept}");
    // In the ten minutes before the second attempt, too.
    let error = interrupted_after(0, || stop("http://127.0.0.1:1/file", kept));
    assert!(error.contains("a patient user"), "{error}");
    let (url, server) = serve([Answer::Serve]);
    fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [kept as usize]);
    assert_eq!(fs::read(&target).unwrap(), content());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_part_that_is_already_whole_only_needs_its_name() {
    let folder = folder("named");
    let target = folder.join("file");
    fs::write(part_of(&target), content()).unwrap();
    let (url, server) = serve([Answer::Serve]);
    fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [100_000]);
    assert_eq!(fs::read(&target).unwrap(), content());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_server_that_ignores_the_range_starts_the_file_over() {
    let folder = folder("ignores");
    let target = folder.join("file");
    let (url, server) = serve([Answer::Cut(30_000), Answer::Whole]);
    fetch(&url, &target).unwrap();
    assert_eq!(server.join().unwrap(), [0, 30_000]);
    assert_eq!(fs::read(&target).unwrap(), content());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_server_that_always_breaks_at_the_same_place_is_given_up() {
    let folder = folder("always");
    let target = folder.join("file");
    let (url, server) = serve([Answer::WholeCut(30_000); 5]);
    let error = fetch(&url, &target).unwrap_err().to_string();
    assert_eq!(server.join().unwrap().len(), 5);
    assert!(error.contains("gave up"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_wrong_checksum_is_an_error_and_leaves_nothing() {
    let folder = folder("wrong");
    let target = folder.join("file");
    // A part from somewhere else: the server completes it to the right length.
    fs::write(part_of(&target), [7; 1000]).unwrap();
    let (url, server) = serve([Answer::Serve]);
    let error = fetch(&url, &target).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.contains("MD5") && error.contains(&checksum()), "{error}");
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_missing_page_is_an_error_at_once() {
    let folder = folder("404");
    let (url, server) = serve([Answer::Status("404 Not Found")]);
    let error = fetch(&url, &folder.join("file")).unwrap_err().to_string();
    assert_eq!(server.join().unwrap().len(), 1, "asked again");
    assert!(error.contains("404") && error.contains("file.tar.gz"), "{error}");
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn no_network_is_an_error_that_says_what_else_to_do() {
    let folder = folder("offline");
    // Nobody listens on a port that was just given back.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetch(&format!("http://{address}/file.tar.gz"), &folder.join("file"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("network") && error.contains("ERM_DATA"), "{error}");
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_cache_that_cannot_be_written_names_the_variable() {
    let folder = folder("readonly");
    // A file where the folder should be stops every user, root too.
    fs::write(folder.join("cache"), "").unwrap();
    let error = fetch("http://127.0.0.1:1/file", &folder.join("cache").join("file"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ERM_CACHE"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_that_says_how_much_room_it_takes() {
    let folder = folder("full");
    let target = folder.join("file");
    // Every write to this device fails as on a full disk.
    std::os::unix::fs::symlink("/dev/full", part_of(&target)).unwrap();
    let (url, server) = serve([Answer::Cut(1000)]);
    let error = fetch(&url, &target).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.contains("Make room") && error.contains("170 MB"), "{error}");
    assert!(!target.exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn two_processes_do_not_write_the_same_part() {
    let folder = folder("two");
    let target = folder.join("file");
    let other = fs::File::create(part_of(&target)).unwrap();
    other.lock().unwrap();
    let error = fetch("http://127.0.0.1:1/file", &target).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}
