//! SVG to PNG with the fonts that ship with the program, so that the bytes are the same on every machine.

use std::sync::{Arc, OnceLock};

use resvg::{tiny_skia, usvg};

use crate::boundary::{guarded, text_of, FiBytes};

const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/DejaVuSans.ttf"),
    include_bytes!("../fonts/DejaVuSans-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSansMono.ttf"),
];
const MAX_SIDE: f32 = 16_384.0;

fn font_database() -> Arc<usvg::fontdb::Database> {
    static DATABASE: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    DATABASE
        .get_or_init(|| {
            let mut database = usvg::fontdb::Database::new();
            for font in FONTS {
                database.load_font_data(font.to_vec());
            }
            database.set_sans_serif_family("DejaVu Sans");
            database.set_serif_family("DejaVu Sans");
            database.set_monospace_family("DejaVu Sans Mono");
            Arc::new(database)
        })
        .clone()
}

fn rasterise(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let options = usvg::Options { fontdb: font_database(), font_family: "DejaVu Sans".into(), ..Default::default() };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    if !(1.0..=MAX_SIDE).contains(&width) || !(1.0..=MAX_SIDE).contains(&height) {
        return Err(format!("image of {width} x {height} pixels is out of range"));
    }
    let mut pixels =
        tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32).ok_or("image cannot be allocated")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

/// # Safety
/// `svg` points to `size` bytes, `out` to a writable FiBytes.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_svg_to_png(svg: *const u8, size: usize, scale: f32, out: *mut FiBytes) -> i32 {
    guarded(&mut *out, || rasterise(text_of(svg, size)?, scale))
}
