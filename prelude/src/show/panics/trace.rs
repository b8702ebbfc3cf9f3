//! The functions that a thread is in, by name.
//!
//! Rust's own traces name them only in libraries that were loaded before the first trace of a
//! process, and each cell is a library of its own.

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::{Object, SymbolMap, SymbolMapName};

/// A recursion without end is no more readable for being complete.
const DEEPEST: usize = 2000;

/// The functions that the calling thread is in, the innermost first, of those libraries that are
/// `wanted`. None are known where a library has lost its table of names.
pub(super) fn functions(wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let places: Vec<Place> = addresses().into_iter().filter_map(Place::of).collect();
    let mut libraries: BTreeMap<&Path, Vec<(usize, u64)>> = BTreeMap::new();
    for (depth, place) in places.iter().enumerate().filter(|(_, it)| wanted(&it.library)) {
        libraries.entry(&place.library).or_default().push((depth, place.offset));
    }
    let mut named: Vec<(usize, String)> = Vec::new();
    for (library, offsets) in libraries {
        named.extend(names(library, &offsets).unwrap_or_default());
    }
    named.sort();
    named.into_iter().map(|(_, name)| name).collect()
}

/// The name at each offset in a library, beside its depth.
fn names(library: &Path, offsets: &[(usize, u64)]) -> Option<Vec<(usize, String)>> {
    let bytes = fs::read(library).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let symbols: SymbolMap<SymbolMapName> = file.symbol_map();
    let name = |(depth, offset): &(usize, u64)| {
        let symbol = symbols.containing(*offset)?;
        Some((*depth, format!("{:#}", rustc_demangle::demangle(symbol.name()))))
    };
    Some(offsets.iter().filter_map(name).collect())
}

/// Where a piece of code lies on disk.
struct Place {
    library: PathBuf,
    offset: u64,
}

impl Place {
    fn of(address: usize) -> Option<Self> {
        let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr reads no memory at the address, and fills in what it knows.
        let found = unsafe { libc::dladdr(address as *const c_void, info.as_mut_ptr()) };
        // SAFETY: zeroes are a valid Dl_info, too.
        let info = unsafe { info.assume_init() };
        if found == 0 || info.dli_fname.is_null() {
            return None;
        }
        // SAFETY: a name that dladdr gives is a C string that lives as long as its library.
        let name = unsafe { CStr::from_ptr(info.dli_fname) };
        let offset = (address - info.dli_fbase as usize) as u64;
        Some(Self { library: PathBuf::from(OsStr::from_bytes(name.to_bytes())), offset })
    }
}

/// The unwinder that panics themselves use.
enum Frame {}
unsafe extern "C" {
    fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut Frame, *mut c_void) -> c_int,
        into: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(frame: *mut Frame) -> usize;
}

/// Where the calling thread will go on when each function that it is in returns.
fn addresses() -> Vec<usize> {
    extern "C" fn visit(frame: *mut Frame, into: *mut c_void) -> c_int {
        const GO_ON: c_int = 0;
        const STOP: c_int = 5;
        // SAFETY: `into` is the list below, and `frame` comes from the unwinder.
        let (list, address) = unsafe { (&mut *into.cast::<Vec<usize>>(), _Unwind_GetIP(frame)) };
        // A call may be the last instruction of a function: what follows it is another one.
        list.push(address.saturating_sub(1));
        if list.len() < DEEPEST { GO_ON } else { STOP }
    }
    let mut list: Vec<usize> = Vec::with_capacity(DEEPEST);
    // SAFETY: the list outlives the call.
    unsafe { _Unwind_Backtrace(visit, (&raw mut list).cast()) };
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn inner() -> Vec<String> {
        std::hint::black_box(functions(|_| true))
    }

    #[inline(never)]
    fn outer() -> Vec<String> {
        std::hint::black_box(inner())
    }

    #[test]
    fn functions_are_known_by_name_the_innermost_first() {
        let all = outer();
        let place = |name: &str| all.iter().position(|it| it.ends_with(name));
        let (inner, outer) = (place("trace::tests::inner"), place("trace::tests::outer"));
        assert!(inner.is_some() && inner < outer, "{all:?}");
        assert!(functions(|_| false).is_empty());
    }
}
