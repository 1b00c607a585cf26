//! Language identification.

use crate::boundary::{guarded, text_of, FiBytes};

/// Writes "code confidence reliable", such as "fra 0.93 1", or nothing for text without a guess.
///
/// # Safety
/// `text` points to `size` bytes, `out` to a writable FiBytes.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_detect_language(text: *const u8, size: usize, out: *mut FiBytes) -> i32 {
    guarded(&mut *out, || {
        let Some(info) = whatlang::detect(text_of(text, size)?) else {
            return Ok(Vec::new());
        };
        Ok(format!("{} {} {}", info.lang().code(), info.confidence(), i32::from(info.is_reliable())).into_bytes())
    })
}
