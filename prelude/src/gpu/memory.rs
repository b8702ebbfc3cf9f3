//! Memory on a machine, which comes back to be used again.

use super::machine::{Argument, Grid, Keep, Machine, Order, Product, Sums, launch};
use crate::{Error, Result};
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::rc::Rc;

/// How many numbers one memory holds at most: kernels count in 32 bits.
pub(crate) const LARGEST: usize = 1 << 30;

/// Memory as a machine gives it away.
pub(crate) struct Raw {
    address: u64,
    /// What frees it.
    _owner: Box<dyn Any>,
}

/// Numbers on a machine; clones are the same numbers.
#[derive(Clone)]
pub(crate) struct Memory {
    lease: Rc<Lease>,
    start: usize,
    len: usize,
}

/// Raw memory on loan.
struct Lease {
    raw: Option<Raw>,
    len: usize,
    free: Rc<Free>,
}

/// What has come back, by its length.
type Free = RefCell<HashMap<usize, Vec<Raw>>>;

/// A machine, and the memory that it has given away before.
#[derive(Clone)]
pub(crate) struct Hands {
    machine: Rc<dyn Machine>,
    free: Rc<Free>,
}

impl Raw {
    /// Memory at an address, which is free as soon as its owner is dropped.
    pub fn new(address: u64, owner: impl Any) -> Self {
        Self { address, _owner: Box::new(owner) }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers at {:#x}", self.len, self.address())
    }
}

impl Memory {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where they begin.
    pub fn address(&self) -> u64 {
        let raw = self.lease.raw.as_ref().expect("it is there as long as its lease");
        raw.address + (self.start * size_of::<f32>()) as u64
    }

    /// Some of the numbers, from one of them on.
    pub fn part(&self, start: usize, len: usize) -> Self {
        assert!(start + len <= self.len, "{start} and {len} more of {}", self.len);
        Self { lease: self.lease.clone(), start: self.start + start, len }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let raw = self.raw.take().expect("it is taken once");
        self.free.borrow_mut().entry(self.len).or_default().push(raw);
    }
}

impl Hands {
    pub fn new(machine: Rc<dyn Machine>) -> Self {
        Self { machine, free: Rc::default() }
    }

    /// Memory for so many numbers, whatever was in it.
    pub fn reserve(&self, len: usize) -> Result<Memory> {
        if len > LARGEST {
            let remedy = "Take smaller batches, smaller pictures or a narrower net.";
            let expected = format!("at most {LARGEST} numbers in one piece on the GPU");
            return Err(Error::invalid(expected, len.to_string(), remedy));
        }
        let returned = self.free.borrow_mut().get_mut(&len).and_then(Vec::pop);
        let raw = match returned {
            Some(raw) => raw,
            // What has come back may be of other lengths: it makes room.
            None => self.machine.reserve(len).or_else(|_| {
                self.free.borrow_mut().clear();
                self.machine.reserve(len)
            })?,
        };
        let lease = Rc::new(Lease { raw: Some(raw), len, free: self.free.clone() });
        Ok(Memory { lease, start: 0, len })
    }

    /// These numbers on the machine.
    pub fn upload(&self, values: &[f32]) -> Result<Memory> {
        let memory = self.reserve(values.len())?;
        self.machine.write(&memory, values)?;
        Ok(memory)
    }

    /// The numbers of a memory.
    pub fn read(&self, memory: &Memory) -> Result<Vec<f32>> {
        self.machine.read(memory)
    }

    /// The same numbers in a memory of their own.
    pub fn copy(&self, memory: &Memory) -> Result<Memory> {
        let copy = self.reserve(memory.len())?;
        launch!(self, add, Grid::Each(copy.len()), memory, &copy, copy.len(), Keep::Nothing)?;
        Ok(copy)
    }

    /// Runs a kernel with what it takes; see [`launch!`].
    pub fn launch(
        &self,
        kernel: &'static str,
        grid: Grid,
        arguments: &mut [Argument],
    ) -> Result<()> {
        let mut pointers: Vec<*mut c_void> = arguments.iter_mut().map(Argument::pointer).collect();
        // Each call names a kernel and what it takes side by side with it; tests hold all of them against the
        // engine on the CPU.
        unsafe { self.machine.run(kernel, grid, &mut pointers) }
    }

    /// A product of matrices.
    pub fn multiply(&self, product: Product) -> Result<()> {
        self.multiply_each(1, product)
    }

    /// So many products of matrices of one size, which lie one behind the other in each memory.
    pub fn multiply_each(&self, count: usize, product: Product) -> Result<()> {
        let Product { size: [m, n, k], a, b, c, .. } = product;
        for (matrix, size) in [(a, [m, k]), (b, [k, n]), (c, [m, n])] {
            let [rows, columns] = match matrix.order {
                Order::AsItIs => size,
                Order::Transposed => [size[1], size[0]],
            };
            let end = matrix.start + (rows - 1) * matrix.stride + columns;
            let fits = columns <= matrix.stride && end <= matrix.memory.len() / count;
            assert!(fits, "{count} times {matrix:?} {size:?}");
        }
        // They hold what was asked for just now.
        unsafe { self.machine.multiply(count, product) }
    }

    /// How products are computed.
    pub fn sums(&self) -> Sums {
        self.machine.sums()
    }
}
