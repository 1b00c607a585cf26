//! Passing results, errors and panics across the C interface.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Bytes owned by the Rust side until `fi_rs_free` is called: a result, or the text of an error.
#[repr(C)]
pub struct FiBytes {
    pub data: *mut u8,
    pub size: usize,
}

pub const OK: i32 = 0;
pub const INVALID: i32 = 1;

impl FiBytes {
    pub fn new(bytes: Vec<u8>) -> Self {
        let boxed = bytes.into_boxed_slice();
        let size = boxed.len();
        FiBytes { data: Box::into_raw(boxed) as *mut u8, size }
    }
}

/// # Safety
/// `bytes` came from a function of this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_free(bytes: FiBytes) {
    if !bytes.data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size)));
    }
}

/// # Safety
/// `data` points to `size` readable bytes.
pub unsafe fn bytes_of<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data, size)
}

/// # Safety
/// As `bytes_of`.
pub unsafe fn text_of<'a>(data: *const u8, size: usize) -> Result<&'a str, String> {
    std::str::from_utf8(bytes_of(data, size)).map_err(|error| format!("text is not UTF-8: {error}"))
}

pub fn panic_text(payload: Box<dyn std::any::Any + Send>) -> String {
    let text =
        payload.downcast_ref::<&str>().map(|s| s.to_string()).or_else(|| payload.downcast_ref::<String>().cloned());
    format!("the input broke the parser: {}", text.unwrap_or_else(|| "unknown reason".into()))
}

/// A panic is an error of the input, which the caller reports: the library itself prints nothing.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Runs `body`; its result or error text goes to `out`.
pub fn guarded(out: &mut FiBytes, body: impl FnOnce() -> Result<Vec<u8>, String>) -> i32 {
    silence_panics();
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_text(payload)));
    let (code, bytes) = match outcome {
        Ok(bytes) => (OK, bytes),
        Err(text) => (INVALID, text.into_bytes()),
    };
    *out = FiBytes::new(bytes);
    code
}
