//! A picture of work under way, drawn anew from time to time.

use std::time::{Duration, Instant};

use serde_json::json;

use super::display::{data, next_id};
use super::{Forms, Front, Show, escape, say};

/// How often a picture is drawn at most.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause after a picture is at least so many times as long as the drawing of it took, so that no
/// more than half a percent of the time goes into pictures.
const THRIFT: u32 = 200;

/// A picture that is replaced in place while work goes on, and taken away when this is dropped.
///
/// Only Erm's kernel shows it; elsewhere nothing is drawn.
pub struct Live {
    front: Front,
    id: String,
    next: Instant,
    is_seen: bool,
}

impl Live {
    /// A picture that is drawn for the first time a second from now.
    pub fn start() -> Self {
        Self::on(Front::of_this_process())
    }

    fn on(front: Front) -> Self {
        Self { front, id: next_id(), next: Instant::now() + PAUSE, is_seen: false }
    }

    /// Draws the picture if it is time to; cheap enough to call at every step of a training.
    pub fn draw<T: Show>(&mut self, picture: impl FnOnce() -> T) {
        let start = Instant::now();
        if self.front != Front::Lines || start < self.next {
            return;
        }
        say(&line(&self.id, &picture().forms()));
        self.is_seen = true;
        self.next = start + PAUSE.max(start.elapsed() * THRIFT);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.is_seen {
            say(&line(&self.id, &Forms::new()));
        }
    }
}

fn line(id: &str, forms: &Forms) -> String {
    escape(&json!({ "live": { "data": data(forms), "id": id } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_line_and_an_empty_one_takes_it_away() {
        let drawn = line("erm-1", &"x".forms());
        assert_eq!(drawn, "\x1e{\"live\":{\"data\":{\"text/plain\":\"x\"},\"id\":\"erm-1\"}}\n");
        let gone = line("erm-1", &Forms::new());
        assert_eq!(gone, "\x1e{\"live\":{\"data\":{},\"id\":\"erm-1\"}}\n");
    }

    #[test]
    fn a_picture_waits_its_time_and_is_thrifty() {
        let mut live = Live::on(Front::Lines);
        live.draw(|| -> &str { panic!("nothing is drawn in the first second") });
        live.next = Instant::now();
        live.draw(|| {
            std::thread::sleep(Duration::from_millis(6));
            "slow"
        });
        assert!(live.is_seen);
        assert!(live.next > Instant::now() + Duration::from_millis(1100), "200 times 6 ms");
        live.draw(|| -> &str { panic!("nothing is drawn in the pause") });
    }

    #[test]
    fn nothing_is_drawn_for_anybody_else() {
        let mut live = Live::on(Front::Pipe);
        live.next = Instant::now();
        live.draw(|| -> &str { panic!("nobody would see it") });
    }
}
