//! What is at hand on an image's way: what is kept of it, and the rooms of a stage.

use super::places::{Home, Place, Places};
use super::shares::MOST_A_SHARE;
use crate::engine::block::Block;
use crate::engine::head::Head;
use crate::engine::winograd;

/// What a step keeps of one image.
pub(super) struct Image {
    kept: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
    /// Where each maximum was.
    pub chosen: Vec<u16>,
    /// What the linear layer reads, and the factor that dropout gave each.
    pub features: Vec<f32>,
    pub dropout: Vec<f32>,
    pub logits: Vec<f32>,
}

impl Image {
    /// Buffers for one image on its way through a net.
    pub fn new(places: &Places, head: &Head) -> Self {
        let buffers = |layouts: &[Option<Block>]| {
            layouts.iter().map(|layout| vec![0.0; layout.map_or(0, Block::len)]).collect()
        };
        Self {
            kept: buffers(&places.kept),
            slopes: buffers(&places.slopes),
            chosen: vec![0; places.all_words],
            features: vec![0.0; head.features()],
            dropout: vec![1.0; head.features()],
            logits: vec![0.0; head.classes()],
        }
    }

    /// The buffer of a value that is kept.
    pub fn buffer(&mut self, place: Place) -> &mut [f32] {
        match place.home {
            Home::Kept(buffer) => &mut self.kept[buffer][place.start..],
            Home::Slope(buffer) => &mut self.slopes[buffer][place.start..],
            Home::Room(_) => unreachable!("a room belongs to a stage"),
        }
    }
}

/// The rooms of a stage for as many images as go together, and memory for what is on its way.
pub(super) struct Rooms {
    rooms: Vec<Vec<f32>>,
    pub winograd: winograd::Scratch,
}

impl Rooms {
    pub fn new(layouts: &[Block]) -> Self {
        let rooms = layouts.iter().map(|layout| vec![0.0; MOST_A_SHARE * layout.len()]);
        Self { rooms: rooms.collect(), winograd: winograd::Scratch::default() }
    }

    /// Where the image that is number `n` of those that go together lies.
    pub fn at(&mut self, place: Place, n: usize, image: &mut Image) -> *mut f32 {
        let len = place.layout.len();
        let buffer = match place.home {
            Home::Room(room) => &mut self.rooms[room][n * len..],
            _ => image.buffer(place),
        };
        assert!(buffer.len() >= len);
        buffer.as_mut_ptr()
    }
}
