//! The machine on NVIDIA's driver, compiler and cuBLAS.

use super::machine::{Grid, Keep, Machine, Matrix, Order, Product, Sums};
use super::memory::{Hands, Memory, Raw};
use super::source;
use crate::{Error, Result};
use cudarc::cublas::{CudaBlas, result, sys};
use cudarc::driver::result as driver;
use cudarc::driver::sys::CUfunction;
use cudarc::driver::{CudaDevice, CudaSlice, DevicePtr, DriverError};
use cudarc::nvrtc::Ptx;
use dfdx::prelude::Cuda;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

/// How many threads a block has.
const THREADS: usize = 256;
/// How many threads work on a row together at most: see `block_sum`.
const THREADS_A_ROW: usize = 1024;
/// How many blocks a kernel has at most beside each other; threads go on in strides.
const BLOCKS: usize = 1 << 15;

/// Errors unless there is a GPU and a driver for it.
pub(crate) fn probe() -> Result<()> {
    // Both cudarc and dfdx panic where the driver finds no GPU.
    match driver::init().map(|()| CudaDevice::count()) {
        Ok(Ok(1..)) => Ok(()),
        Ok(Ok(_)) => Err(unusable("none")),
        Ok(Err(problem)) | Err(problem) => Err(unusable(problem)),
    }
}

/// What the first GPU is called.
pub(crate) fn name() -> String {
    let mut name = [0; 100];
    // The text is as long as the driver is told, and ends with a zero.
    let done = unsafe {
        cudarc::driver::sys::cuDeviceGetName(name.as_mut_ptr(), name.len() as i32, 0).result()
    };
    let bytes = name.iter().take_while(|byte| **byte != 0).map(|byte| *byte as u8).collect();
    match (done, String::from_utf8(bytes)) {
        (Ok(()), Ok(name)) => name,
        _ => "CUDA".into(),
    }
}

/// The first GPU as dfdx knows it.
pub(crate) fn dfdx() -> Result<Cuda> {
    Cuda::try_build(0, 0).map_err(unusable)
}

fn unusable(problem: impl Debug) -> Error {
    let remedy = "Install NVIDIA's driver, or set ERM_DEVICE=cpu.";
    Error::invalid("a GPU that CUDA can use", format!("{problem:?}"), remedy)
}

struct Gpu {
    device: Arc<CudaDevice>,
    blas: CudaBlas,
    kernels: HashMap<&'static str, CUfunction>,
    sums: Sums,
}

/// The first GPU. The kernels are compiled for it now, which takes a second.
pub(crate) fn open(sums: Sums) -> Result<Hands> {
    let device = CudaDevice::new(0).map_err(failed)?;
    let ptx = cudarc::nvrtc::compile_ptx(source::text()).map_err(failed)?;
    let kernels = load(&ptx).map_err(failed)?;
    let blas = CudaBlas::new(device.clone()).map_err(failed)?;
    let mode = match sums {
        Sums::Single => sys::cublasMath_t::CUBLAS_DEFAULT_MATH,
        Sums::Tf32 => sys::cublasMath_t::CUBLAS_TF32_TENSOR_OP_MATH,
    };
    // The handle is the one that has just been made.
    unsafe { sys::cublasSetMathMode(*blas.handle(), mode) }.result().map_err(failed)?;
    Ok(Hands::new(Rc::new(Gpu { device, blas, kernels, sums })))
}

/// The compiled kernels, which stay as long as the program.
fn load(ptx: &Ptx) -> std::result::Result<HashMap<&'static str, CUfunction>, DriverError> {
    let text = CString::new(ptx.to_src()).expect("a text without zeros");
    // Opening the device has made its context the current one, and the text is PTX.
    let module = unsafe { driver::module::load_data(text.as_ptr().cast()) }?;
    let kernel = |name: &'static str| {
        let text = CString::new(name).expect("a name without zeros");
        // The module is never unloaded.
        Ok((name, unsafe { driver::module::get_function(module, text) }?))
    };
    source::NAMES.into_iter().map(kernel).collect()
}

fn failed(problem: impl Debug) -> Error {
    let remedy =
        "Take smaller batches or a narrower net if memory is short; else set ERM_DEVICE=cpu.";
    Error::invalid("a GPU that does what it is asked", format!("{problem:?}"), remedy)
}

impl Machine for Gpu {
    fn reserve(&self, count: usize) -> Result<Raw> {
        // Whoever reserves writes before anything is read.
        let slice: CudaSlice<f32> = unsafe { self.device.alloc(count) }.map_err(failed)?;
        Ok(Raw::new(*slice.device_ptr(), slice))
    }

    fn write(&self, memory: &Memory, values: &[f32]) -> Result<()> {
        assert!(values.len() <= memory.len());
        self.device.bind_to_thread().map_err(failed)?;
        // Both hold that many numbers, and the copy is over when this returns.
        unsafe { driver::memcpy_htod_sync(memory.address(), values) }.map_err(failed)
    }

    fn read(&self, memory: &Memory) -> Result<Vec<f32>> {
        self.device.synchronize().map_err(failed)?;
        let mut values = vec![0.0; memory.len()];
        // Both hold that many numbers.
        unsafe { driver::memcpy_dtoh_sync(&mut values, memory.address()) }.map_err(failed)?;
        Ok(values)
    }

    unsafe fn run(
        &self,
        kernel: &'static str,
        grid: Grid,
        arguments: &mut [*mut c_void],
    ) -> Result<()> {
        let function = *self.kernels.get(kernel).ok_or_else(|| failed(kernel))?;
        let [blocks, threads] = shape(grid);
        let stream = *self.device.cu_stream();
        // The caller vouches for the arguments.
        unsafe { driver::launch_kernel(function, blocks, threads, 0, stream, arguments) }
            .map_err(failed)
    }

    unsafe fn multiply(&self, count: usize, product: Product) -> Result<()> {
        let Product { size: [m, n, k], a, b, c, keep } = product;
        let (one, beta) = (1.0_f32, if keep == Keep::All { 1.0_f32 } else { 0.0 });
        let at = |matrix: &Matrix| matrix.memory.address() + 4 * matrix.start as u64;
        let apart = |matrix: &Matrix| (matrix.memory.len() / count) as i64;
        let order = |matrix: &Matrix| match matrix.order {
            Order::AsItIs => sys::cublasOperation_t::CUBLAS_OP_N,
            Order::Transposed => sys::cublasOperation_t::CUBLAS_OP_T,
        };
        // cuBLAS has columns where we have rows: it computes cᵀ = bᵀ · aᵀ.
        let (handle, orders) = (*self.blas.handle(), (order(&b), order(&a)));
        let (m, n, k) = (n as i32, m as i32, k as i32);
        let strides = [&b, &a, &c].map(|matrix| matrix.stride as i32);
        let (first, second) = (at(&b) as *const f32, at(&a) as *const f32);
        let (out, [lda, ldb, ldc]) = (at(&c) as *mut f32, strides);
        // The caller vouches for the memories. One product alone may be split along its sums.
        let done = unsafe {
            match count {
                1 => result::sgemm(
                    handle, orders.0, orders.1, m, n, k, &one, first, lda, second, ldb, &beta, out,
                    ldc,
                ),
                _ => result::sgemm_strided_batched(
                    handle,
                    orders.0,
                    orders.1,
                    m,
                    n,
                    k,
                    &one,
                    first,
                    lda,
                    apart(&b),
                    second,
                    ldb,
                    apart(&a),
                    &beta,
                    out,
                    ldc,
                    apart(&c),
                    count as i32,
                ),
            }
        };
        done.map_err(failed)
    }

    fn sums(&self) -> Sums {
        self.sums
    }
}

/// How many blocks and threads go over a grid.
fn shape(grid: Grid) -> [(u32, u32, u32); 2] {
    let blocks = |count: usize| count.div_ceil(THREADS).clamp(1, BLOCKS);
    let (columns, rows, threads) = match grid {
        Grid::Each(count) => (blocks(count), 1, THREADS),
        Grid::Table { rows, columns } => (blocks(columns), rows, THREADS),
        Grid::Rows { rows, columns } => {
            (rows, 1, columns.next_power_of_two().clamp(32, THREADS_A_ROW))
        }
    };
    [(columns as u32, rows as u32, 1), (threads as u32, 1, 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_compile_for_a_gpu_without_one() {
        let ptx = cudarc::nvrtc::compile_ptx(source::text()).unwrap().to_src();
        for name in source::NAMES {
            assert!(ptx.contains(&format!(".entry {name}(")), "{name}");
        }
    }

    #[test]
    fn a_grid_covers_its_numbers() {
        assert_eq!(shape(Grid::Each(1000)), [(4, 1, 1), (256, 1, 1)]);
        assert_eq!(shape(Grid::Rows { rows: 7, columns: 100 }), [(7, 1, 1), (128, 1, 1)]);
        let table = Grid::Table { rows: 3, columns: 1 << 30 };
        assert_eq!(shape(table), [(1 << 15, 3, 1), (256, 1, 1)]);
    }
}
