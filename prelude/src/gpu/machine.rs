//! What the engine wants of a machine: memory, kernels, products of matrices.

use super::memory::{Memory, Raw};
use crate::Result;
use std::ffi::c_void;

/// A GPU, or what stands in for one in tests. It does one thing after the other.
pub(crate) trait Machine {
    /// Memory for so many numbers, whatever was in it.
    fn reserve(&self, count: usize) -> Result<Raw>;

    /// Writes numbers to the beginning of a memory.
    fn write(&self, memory: &Memory, values: &[f32]) -> Result<()>;

    /// Reads all of a memory, once everything before is done.
    fn read(&self, memory: &Memory) -> Result<Vec<f32>>;

    /// Runs a kernel.
    ///
    /// # Safety
    /// The arguments must be what the kernel of that name takes, and the memories as large as it takes
    /// them to be.
    unsafe fn run(
        &self,
        kernel: &'static str,
        grid: Grid,
        arguments: &mut [*mut c_void],
    ) -> Result<()>;

    /// So many products of matrices of one size, which lie one behind the other in each memory.
    ///
    /// # Safety
    /// The memories must hold the matrices.
    unsafe fn multiply(&self, count: usize, product: Product) -> Result<()>;

    /// How it computes them.
    fn sums(&self) -> Sums;
}

/// How products of matrices are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sums {
    /// In f32 throughout.
    Single,
    /// With factors rounded to TF32, ten bits behind the point, on tensor cores; sums are f32.
    Tf32,
}

/// Over what a kernel's threads are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Grid {
    /// So many numbers.
    Each(usize),
    /// A row of blocks for each of so many rows of numbers.
    Table { rows: usize, columns: usize },
    /// One block for each row.
    Rows { rows: usize, columns: usize },
}

/// `c = a · b`, or `c += a · b`, for matrices `(m, k)` and `(k, n)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<'a> {
    pub size: [usize; 3],
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
    pub c: Matrix<'a>,
    pub keep: Keep,
}

/// A matrix, row after row in a memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    pub memory: &'a Memory,
    /// Where it begins.
    pub start: usize,
    /// From the beginning of a row to that of the next.
    pub stride: usize,
    pub order: Order,
}

/// How a matrix of a product lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    AsItIs,
    /// Its transposed is what lies in memory.
    Transposed,
}

/// Whether what is computed replaces what lies there, or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    All,
}

impl<'a> Matrix<'a> {
    /// Rows of so many numbers, from the beginning of a memory.
    pub fn new(memory: &'a Memory, stride: usize) -> Self {
        Self { memory, start: 0, stride, order: Order::AsItIs }
    }

    /// The same from a column on.
    pub fn from(self, start: usize) -> Self {
        Self { start, ..self }
    }

    /// The transposed of what lies in memory.
    pub fn transposed(self) -> Self {
        Self { order: Order::Transposed, ..self }
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// Where a memory begins.
    Address(u64),
    Whole(i32),
    Real(f32),
    Standing(Standing),
}

/// Where a window stands on an image, as kernels know it: their `Window`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Standing {
    pub height: i32,
    pub width: i32,
    pub kernel: [i32; 2],
    pub stride: i32,
    /// How much of it may lie outside, above the image and to its left.
    pub padding: [i32; 2],
    pub out_height: i32,
    pub out_width: i32,
}

impl From<&Memory> for Argument {
    fn from(memory: &Memory) -> Self {
        Self::Address(memory.address())
    }
}

impl From<usize> for Argument {
    /// Sizes are those of memories, which are small enough: see [`super::memory::LARGEST`].
    fn from(number: usize) -> Self {
        Self::Whole(number as i32)
    }
}

impl From<Keep> for Argument {
    fn from(keep: Keep) -> Self {
        Self::Whole(i32::from(keep == Keep::All))
    }
}

impl From<Standing> for Argument {
    fn from(window: Standing) -> Self {
        Self::Standing(window)
    }
}

impl From<f32> for Argument {
    fn from(number: f32) -> Self {
        Self::Real(number)
    }
}

impl Argument {
    /// Where the argument itself lies, as drivers want it.
    pub fn pointer(&mut self) -> *mut c_void {
        match self {
            Self::Address(address) => std::ptr::from_mut(address).cast(),
            Self::Whole(number) => std::ptr::from_mut(number).cast(),
            Self::Real(number) => std::ptr::from_mut(number).cast(),
            Self::Standing(window) => std::ptr::from_mut(window).cast(),
        }
    }
}

/// Runs a kernel with arguments of their own types.
macro_rules! launch {
    ($hands:expr, $kernel:ident, $grid:expr, $($argument:expr),+ $(,)?) => {
        $hands.launch(stringify!($kernel), $grid, &mut [$($crate::gpu::machine::Argument::from($argument)),+])
    };
}
pub(super) use launch;
