//! Untrusted work on a thread of its own, with limits on stack, memory and time.
//!
//! A template can double a string forty times in a few steps: counting steps does not bound memory, and a failed allocation ends
//! the process. So allocations are counted where a limit is set, and a thread that asks for more is given up: it sleeps for good
//! and keeps what it holds, which the limit bounds. (An allocator may neither unwind nor, short of ending the process, fail.)

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::boundary::panic_text;

const UNLIMITED: isize = isize::MAX;
const POLL: Duration = Duration::from_millis(10);

thread_local! {
    static BYTES_LEFT: Cell<isize> = const { Cell::new(UNLIMITED) };
    static GAVE_UP: Cell<*const AtomicBool> = const { Cell::new(std::ptr::null()) };
}

struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn charge(bytes: isize) {
    let _ = BYTES_LEFT.try_with(|left| {
        if left.get() == UNLIMITED {
            return;
        }
        left.set(left.get().saturating_sub(bytes).min(UNLIMITED - 1));
        if left.get() < 0 {
            give_up();
        }
    });
}

fn give_up() -> ! {
    // The flag outlives the thread, which keeps its Arc for good.
    let _ = GAVE_UP.try_with(|flag| unsafe { flag.get().as_ref() }.map(|flag| flag.store(true, Ordering::Release)));
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as isize);
        System.alloc(layout)
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as isize);
        System.alloc_zeroed(layout)
    }
    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        charge(-(layout.size() as isize));
        System.dealloc(data, layout)
    }
    unsafe fn realloc(&self, data: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        charge(size as isize - layout.size() as isize);
        System.realloc(data, layout, size)
    }
}

#[derive(Clone, Copy)]
pub struct Limits {
    pub stack_bytes: usize,
    pub memory_bytes: isize,
    pub time: Duration,
}

/// What `body` returns, or the text of an error when it panics or exceeds a limit.
pub fn run_limited<Body>(limits: Limits, body: Body) -> Result<Vec<u8>, String>
where
    Body: FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
{
    let gave_up = Arc::new(AtomicBool::new(false));
    let flag = gave_up.clone();
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .stack_size(limits.stack_bytes)
        .spawn(move || {
            GAVE_UP.set(Arc::as_ptr(&flag));
            BYTES_LEFT.set(limits.memory_bytes);
            let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_text(payload)));
            BYTES_LEFT.set(UNLIMITED);
            let _ = sender.send(result);
        })
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err("the thread ended without a result".into()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if gave_up.load(Ordering::Acquire) {
            return Err(format!("needs more than {} MiB of memory", limits.memory_bytes >> 20));
        }
        if start.elapsed() > limits.time {
            return Err(format!("takes longer than {} s", limits.time.as_secs()));
        }
    }
}
