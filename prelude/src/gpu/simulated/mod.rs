//! A machine for tests: the kernels' own source, compiled for the processor.

use super::machine::{Grid, Keep, Machine, Matrix, Order, Product, Sums};
use super::memory::{Hands, Memory, Raw};
use super::source;
use crate::Result;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::process::Command;
use std::rc::Rc;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Runs the kernel of a name on a grid of blocks, each of so many threads.
type Run = unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *mut *mut c_void) -> c_int;

/// How many threads a block has; sums want a power of two.
const THREADS: u32 = 4;
/// How many blocks a row has: more than one, so that strides are tried.
const BLOCKS: u32 = 2;

/// Kernels share static memory there, and so run one at a time.
static KERNELS: LazyLock<std::result::Result<Mutex<Run>, String>> =
    LazyLock::new(|| compiled().map(Mutex::new));

/// The processor in a GPU's place. Its sums are f32, whatever it says of them: that decides which way
/// convolutions go.
struct Simulated(Sums);

/// A simulated machine, or nothing where no C++ compiler is at hand, which is said.
pub(crate) fn hands(sums: Sums) -> Option<Hands> {
    match &*KERNELS {
        Ok(_) => Some(machine(sums)),
        Err(problem) => {
            println!("skipped: the GPU's kernels cannot be compiled for the processor: {problem}");
            None
        }
    }
}

/// The same, whether or not it could run a kernel.
pub(crate) fn machine(sums: Sums) -> Hands {
    Hands::new(Rc::new(Simulated(sums)))
}

fn compiled() -> std::result::Result<Run, String> {
    if Command::new("c++").arg("--version").output().is_err() {
        return Err("there is no C++ compiler called c++".into());
    }
    let folder = std::env::temp_dir().join(format!("erm-kernels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let [source, library] = ["kernels.cpp", "libkernels.so"].map(|name| folder.join(name));
    std::fs::write(&source, program()).map_err(|e| e.to_string())?;
    let compiler = ["-std=c++20", "-O2", "-shared", "-fPIC"];
    let mut command = Command::new("c++");
    command.args(compiler).args(["-pthread", "-o"]).arg(&library).arg(&source);
    let out = command.output().map_err(|e| e.to_string())?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let path = CString::new(library.to_string_lossy().as_bytes()).map_err(|e| e.to_string())?;
    // The library was made just now, and is never unloaded.
    let run = unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
        let run = libc::dlsym(handle, c"simulate".as_ptr());
        assert!(!run.is_null(), "the library has its function");
        std::mem::transmute::<*mut c_void, Run>(run)
    };
    std::fs::remove_dir_all(folder).map_err(|e| e.to_string())?;
    Ok(run)
}

/// The kernels behind one function that knows them by name.
fn program() -> String {
    let mut text = format!("{}\n{}\n", include_str!("machine.cpp"), source::text());
    text += "extern \"C\" int simulate(const char *name, unsigned columns, unsigned rows,\n\
             unsigned threads, void **arguments) {\n";
    for name in source::NAMES {
        writeln!(
            text,
            "if (!strcmp(name, \"{name}\")) return run({name}, {{columns, rows}}, threads, arguments);"
        )
        .expect("a string takes it");
    }
    text + "return 1;\n}\n"
}

impl Machine for Simulated {
    fn reserve(&self, count: usize) -> Result<Raw> {
        // Numbers that nobody has written are no numbers.
        let mut values = vec![f32::NAN; count];
        Ok(Raw::new(values.as_mut_ptr() as u64, values))
    }

    fn write(&self, memory: &Memory, values: &[f32]) -> Result<()> {
        slice(memory)[..values.len()].copy_from_slice(values);
        Ok(())
    }

    fn read(&self, memory: &Memory) -> Result<Vec<f32>> {
        Ok(slice(memory).to_vec())
    }

    unsafe fn run(
        &self,
        kernel: &'static str,
        grid: Grid,
        arguments: &mut [*mut c_void],
    ) -> Result<()> {
        let (columns, rows) = match grid {
            Grid::Each(_) => (BLOCKS, 1),
            Grid::Table { rows, .. } => (BLOCKS, rows as u32),
            Grid::Rows { rows, .. } => (rows as u32, 1),
        };
        let name = CString::new(kernel).expect("a name without zeros");
        let run = KERNELS.as_ref().expect("there are hands only if there are kernels").lock();
        let run = run.unwrap_or_else(PoisonError::into_inner);
        // The caller vouches for the arguments.
        let unknown = unsafe { run(name.as_ptr(), columns, rows, THREADS, arguments.as_mut_ptr()) };
        assert_eq!(unknown, 0, "there is no kernel called {kernel}");
        Ok(())
    }

    unsafe fn multiply(&self, count: usize, product: Product) -> Result<()> {
        for number in 0..count {
            multiply(product, |memory| {
                let len = memory.len() / count;
                &mut slice(memory)[number * len..][..len]
            });
        }
        Ok(())
    }

    fn sums(&self) -> Sums {
        self.0
    }
}

/// One product of matrices, each in its share of a memory.
fn multiply<'a>(product: Product, of: impl Fn(&Memory) -> &'a mut [f32]) {
    let Product { size: [m, n, k], a, b, c, keep } = product;
    let at = |matrix: Matrix, row: usize, column: usize| {
        let (row, column) = match matrix.order {
            Order::AsItIs => (row, column),
            Order::Transposed => (column, row),
        };
        matrix.start + row * matrix.stride + column
    };
    let (left, right, out) = (of(a.memory), of(b.memory), of(c.memory));
    for row in 0..m {
        let mut sums = vec![0.0; n];
        for inner in 0..k {
            let factor = left[at(a, row, inner)];
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += factor * right[at(b, inner, column)];
            }
        }
        for (column, sum) in sums.into_iter().enumerate() {
            let out = &mut out[at(c, row, column)];
            *out = match keep {
                Keep::Nothing => sum,
                Keep::All => *out + sum,
            };
        }
    }
}

/// The numbers of a memory, as this machine's memory is that of the process.
fn slice<'a>(memory: &Memory) -> &'a mut [f32] {
    // It was reserved by this machine, which does one thing at a time.
    unsafe { std::slice::from_raw_parts_mut(memory.address() as *mut f32, memory.len()) }
}
