//! SVG to PNG with the fonts that ship with the program, so that the bytes are the same on every machine. Text that these fonts
//! cannot draw (Han, Devanagari, emoji, ...) is drawn with whatever fonts the machine has, in boxes where it has none. Emoji fonts
//! mostly hold small PNG images (CBDT): resvg draws those only with its feature `raster-images`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb::Database;
use resvg::{tiny_skia, usvg};

use crate::boundary::{guarded, text_of, FiBytes};
use crate::emoji::simplify_mixed_text;

const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/DejaVuSans.ttf"),
    include_bytes!("../fonts/DejaVuSans-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSansMono.ttf"),
];
const FONT_FOLDERS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];
const MAX_DEPTH: usize = 4;
const MAX_SIDE: f32 = 16_384.0;

fn read_own_fonts() -> Database {
    let mut database = Database::new();
    for font in FONTS {
        database.load_font_data(font.to_vec());
    }
    database.set_sans_serif_family("DejaVu Sans");
    database.set_serif_family("DejaVu Sans");
    database.set_monospace_family("DejaVu Sans Mono");
    database
}

/// Font files below a folder, in the order of their paths, which no file system changes.
fn font_files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let is_font = |path: &Path| {
        path.extension()
            .is_some_and(|end| ["ttf", "otf", "ttc", "otc"].iter().any(|known| end.eq_ignore_ascii_case(known)))
    };
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() && depth > 0 {
            files.extend(font_files(&path, depth - 1));
        } else if is_font(&path) {
            files.push(path);
        }
    }
    files
}

fn own_fonts() -> Arc<Database> {
    static OWN: OnceLock<Arc<Database>> = OnceLock::new();
    OWN.get_or_init(|| Arc::new(read_own_fonts())).clone()
}

/// Our own fonts, then those of the machine: read once, and only when a text needs them.
fn all_fonts() -> Arc<Database> {
    static ALL: OnceLock<Arc<Database>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut database = own_fonts().as_ref().clone();
        for path in FONT_FOLDERS.iter().flat_map(|folder| font_files(Path::new(folder), MAX_DEPTH)) {
            if let Ok(bytes) = std::fs::read(&path) {
                database.load_font_data(bytes);
            }
        }
        Arc::new(database)
    })
    .clone()
}

/// Looks for a character that a text's font lacks in our other fonts first.
fn font_resolver() -> usvg::FontResolver<'static> {
    let among = usvg::FontResolver::default_fallback_selector();
    let select_fallback: usvg::FallbackSelectionFn = Box::new(move |c, tried, fonts| {
        among(c, tried, fonts).or_else(|| {
            *fonts = all_fonts();
            among(c, tried, fonts)
        })
    });
    usvg::FontResolver { select_fallback, ..Default::default() }
}

fn rasterise(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let options = usvg::Options {
        fontdb: own_fonts(),
        font_family: "DejaVu Sans".into(),
        font_resolver: font_resolver(),
        ..Default::default()
    };
    let tree = usvg::Tree::from_str(&simplify_mixed_text(svg), &options).map_err(|error| error.to_string())?;
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
