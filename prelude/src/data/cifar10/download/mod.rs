//! A download that checks what it got, and goes on where it was cut off.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use crate::show::interrupted;
use crate::{Error, Result};

/// How often in a row a download may fail without getting further.
const ATTEMPTS: u32 = 5;

/// After how long a silent server counts as gone.
const SILENCE: Duration = Duration::from_secs(30);

/// How long nobody looks for an interrupt.
const BLINK: Duration = Duration::from_millis(100);

/// One file of the web, known by its checksum.
#[derive(Clone, Copy)]
pub(super) struct Download<'a> {
    /// Its address.
    pub(super) url: &'a str,
    /// The MD5 sum of the whole file, in hexadecimal.
    pub(super) md5: &'a str,
    /// How long to wait before the second attempt; every further wait is twice as long.
    pub(super) first_pause: Duration,
}

/// Is told of `(bytes done, bytes in total)`, where the server says how many there are; an error of
/// it ends the download.
pub(super) type Watch<'a> = &'a mut dyn FnMut(u64, Option<u64>) -> Result<()>;

/// How one attempt failed.
enum Failure {
    /// Another attempt may succeed: the connection, or a busy server.
    Passing(String),
    /// No attempt will.
    Lasting(Error),
}

impl Download<'_> {
    /// Fetches the file to `target`, which appears only when it is complete and its checksum is
    /// right. Until then it grows in `<target>.part`, which the next call continues.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses, the disk is full or read-only, another process
    /// is downloading the same file, the checksum is wrong, or `watch` gives an error.
    pub(super) fn fetch(&self, target: &Path, watch: Watch) -> Result<()> {
        let part = part_of(target);
        let mut file = open(&part)?;
        let done = self.receive(&part, &mut file, watch).and_then(|()| self.verify(&part));
        if done.is_err() && length(&file).is_ok_and(|n| n == 0) {
            // An empty file is nothing to continue from; verify may have removed it already.
            let _ = fs::remove_file(&part);
        }
        done?;
        fs::rename(&part, target).map_err(|e| disk(target, e))
    }

    /// Attempts until the server has sent everything, or the patience is at its end.
    fn receive(&self, part: &Path, file: &mut File, watch: Watch) -> Result<()> {
        let (mut farthest, mut failures) = (0, 0);
        loop {
            let problem = match self.attempt(part, file, watch) {
                Ok(()) => return Ok(()),
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing(problem)) => problem,
            };
            // Only what goes beyond every earlier attempt counts: a server that cannot resume
            // could otherwise start over for ever.
            let reached = length(file).map_err(|e| disk(part, e))?;
            failures = if reached > farthest { 1 } else { failures + 1 };
            farthest = farthest.max(reached);
            if failures >= ATTEMPTS {
                return Err(self.given_up(&problem, part, reached));
            }
            self.pause(failures, reached, watch)?;
        }
    }

    /// Waits before the next attempt, longer after every failure, unless the user gives up before.
    fn pause(&self, failures: u32, reached: u64, watch: Watch) -> Result<()> {
        let until = Instant::now() + self.first_pause * 2_u32.pow(failures - 1);
        while let left = until.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            if interrupted() {
                watch(reached, None)?;
            }
            sleep(left.min(BLINK));
        }
        Ok(())
    }

    /// Asks once for what is still missing, and appends it to `file`.
    fn attempt(
        &self,
        part: &Path,
        file: &mut File,
        watch: Watch,
    ) -> std::result::Result<(), Failure> {
        let lasting = |e| Failure::Lasting(disk(part, e));
        let have = length(file).map_err(lasting)?;
        let mut response = self.ask(have)?;
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(have) => have,
            StatusCode::OK => 0,
            // What we have is longer than the file there, or exactly it; the checksum will tell.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
            status => return Err(self.refused(status)),
        };
        if start < have {
            file.set_len(start).map_err(lasting)?;
        }
        let total = content_length(&response).map(|rest| start + rest);
        let done = append(response.body_mut(), part, file, start, |done| watch(done, total))?;
        match total {
            Some(total) if done < total => {
                Err(Failure::Passing(format!("the connection ended at {done} of {total} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn ask(&self, have: u64) -> std::result::Result<Response<ureq::Body>, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE));
        let mut request = config.build().new_agent().get(self.url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        request.call().map_err(|e| match e {
            ureq::Error::BadUri(_) => Failure::Lasting(self.error(e, "Correct the address")),
            passing => Failure::Passing(passing.to_string()),
        })
    }

    fn refused(&self, status: StatusCode) -> Failure {
        let problem = format!("the server answered {status}");
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Failure::Passing(problem);
        }
        Failure::Lasting(self.error(problem, &self.by_hand()))
    }

    fn verify(&self, part: &Path) -> Result<()> {
        let mut hash = Md5::new();
        File::open(part)
            .and_then(|mut file| io::copy(&mut file, &mut hash))
            .map_err(|e| disk(part, e))?;
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found == self.md5 {
            return Ok(());
        }
        // It cannot be continued into a right file, so it must not lie in the way of the next try.
        fs::remove_file(part).map_err(|e| disk(part, e))?;
        let problem = format!("expected a file with MD5 {}, received one with {found}", self.md5);
        Err(self.error(
            problem,
            "It was deleted; try again, and if that does not help, another network",
        ))
    }

    fn given_up(&self, problem: &str, part: &Path, reached: u64) -> Error {
        let kept = match reached {
            0 => String::new(),
            n => format!(
                " {} keeps the {n} bytes received so far, and the next try goes on there.",
                part.display()
            ),
        };
        let problem = format!("gave up after {ATTEMPTS} attempts without progress: {problem}");
        self.error(problem, &format!("Check the network and try again.{kept} {}", self.by_hand()))
    }

    fn by_hand(&self) -> String {
        let name = self.url.rsplit('/').next().unwrap_or_default();
        format!("Or fetch {name} by other means and set ERM_DATA to its folder")
    }

    fn error(&self, problem: impl ToString, remedy: &str) -> Error {
        Error::Download {
            url: self.url.into(),
            problem: problem.to_string(),
            remedy: remedy.into(),
        }
    }
}

/// Copies `body` to the end of `file`, which has `done` bytes, and returns how many it has then.
fn append(
    body: &mut ureq::Body,
    part: &Path,
    file: &mut File,
    mut done: u64,
    mut watch: impl FnMut(u64) -> Result<()>,
) -> std::result::Result<u64, Failure> {
    watch(done).map_err(Failure::Lasting)?;
    let mut body = body.as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = match body.read(&mut buffer) {
            Ok(0) => return Ok(done),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Failure::Passing(e.to_string())),
        };
        file.write_all(&buffer[..n]).map_err(|e| Failure::Lasting(disk(part, e)))?;
        done += n as u64;
        watch(done).map_err(Failure::Lasting)?;
    }
}

/// Where a download lies until it is whole.
pub(super) fn part_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

/// Opens the unfinished file for this process alone; two writers would spoil it.
fn open(part: &Path) -> Result<File> {
    if let Some(folder) = part.parent() {
        fs::create_dir_all(folder).map_err(|e| disk(folder, e))?;
    }
    let file =
        OpenOptions::new().create(true).append(true).open(part).map_err(|e| disk(part, e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::file(
            part,
            "another process is downloading this file",
            "Wait until it is done, then try again",
        )),
        // Some network folders know no locks; the checksum still guards the result.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn length(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}

fn disk(path: &Path, e: io::Error) -> Error {
    let remedy = match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Make room (CIFAR-10 takes 170 MB) and try again: what was received is kept. Or set ERM_CACHE to a folder on another disk"
        }
        _ => "Set ERM_CACHE to a folder where Erm may write",
    };
    Error::file(path, e, remedy)
}

fn content_length(response: &Response<ureq::Body>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Where a partial answer starts: `Content-Range: bytes 500-999/1000` starts at 500.
fn range_start(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
