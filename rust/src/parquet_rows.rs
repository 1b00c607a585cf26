//! Rows of one column of a Parquet file as JSON lines. Files come from anywhere: they are read on a thread with limits.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::Value;

use crate::boundary::{guarded, text_of, FiBytes, INVALID, OK};
use crate::sandbox::{run_limited, Limits};

const LIMITS: Limits = Limits { stack_bytes: 64 << 20, memory_bytes: 2 << 30, time: Duration::from_secs(120) };
const ROWS_AT_ONCE: usize = 256;

struct Rows {
    rows: RowIter<'static>,
    num_read: usize,
}

pub struct FiParquetRows(Arc<Mutex<Rows>>);

/// Of a value that may stand in a column of texts or of chat messages; `None` for any other.
fn json_of(field: &Field) -> Option<Value> {
    match field {
        Field::Null => Some(Value::Null),
        Field::Bool(flag) => Some(Value::Bool(*flag)),
        Field::Int(number) => Some(Value::from(*number)),
        Field::Long(number) => Some(Value::from(*number)),
        Field::Double(number) => Some(Value::from(*number)),
        Field::Str(text) => Some(Value::from(text.as_str())),
        Field::Group(row) => row
            .get_column_iter()
            .map(|(name, value)| Some((name.clone(), json_of(value)?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        Field::ListInternal(list) => list.elements().iter().map(json_of).collect::<Option<Vec<_>>>().map(Value::Array),
        _ => None,
    }
}

fn open_rows(path: &str, wanted: &str) -> Result<Rows, String> {
    let file = File::open(Path::new(path)).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
    let schema = reader.metadata().file_metadata().schema();
    let find = |name: &str| schema.get_fields().iter().find(|field| field.name() == name).cloned();
    let Some(column) = wanted.split('\n').find_map(find) else {
        let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
        return Err(format!("it has no column '{}', only {}", wanted.replace('\n', "' or '"), names.join(", ")));
    };
    let projection = Type::group_type_builder(schema.name()).with_fields(vec![column]).build();
    let rows = RowIter::from_file_into(Box::new(reader))
        .project(Some(projection.map_err(|error| error.to_string())?))
        .map_err(|error| error.to_string())?;
    Ok(Rows { rows, num_read: 0 })
}

impl Rows {
    fn next_lines(&mut self) -> Result<Vec<u8>, String> {
        let mut lines = Vec::new();
        for row in self.rows.by_ref().take(ROWS_AT_ONCE) {
            self.num_read += 1;
            let row = row.map_err(|error| format!("row {}: {error}", self.num_read))?;
            let value = json_of(&Field::Group(row))
                .ok_or_else(|| format!("row {}: it is of a type that is neither text nor messages", self.num_read))?;
            serde_json::to_writer(&mut lines, &value).map_err(|error| error.to_string())?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

/// Opens the first column of `wanted`, names between newlines, that the file has.
///
/// # Safety
/// Pointers and sizes describe readable bytes; `rows` and `error` are writable.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_parquet_rows_new(
    path: *const u8,
    path_size: usize,
    wanted: *const u8,
    wanted_size: usize,
    rows: *mut *mut FiParquetRows,
    error: *mut FiBytes,
) -> i32 {
    let opened = Arc::new(Mutex::new(None));
    let code = guarded(&mut *error, || {
        let (path, wanted) = (text_of(path, path_size)?.to_string(), text_of(wanted, wanted_size)?.to_string());
        let slot = opened.clone();
        run_limited(LIMITS, move || {
            let rows = open_rows(&path, &wanted)?;
            *slot.lock().map_err(|error| error.to_string())? = Some(rows);
            Ok(Vec::new())
        })
    });
    let made = if code == OK { opened.lock().ok().and_then(|mut slot| slot.take()) } else { None };
    let Some(made) = made else { return INVALID };
    *rows = Box::into_raw(Box::new(FiParquetRows(Arc::new(Mutex::new(made)))));
    OK
}

/// # Safety
/// `rows` came from `fi_rs_parquet_rows_new` and is freed once.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_parquet_rows_free(rows: *mut FiParquetRows) {
    if !rows.is_null() {
        drop(Box::from_raw(rows));
    }
}

/// The next rows, an object of one key and a newline each; nothing at the end. After an error the reader is of no use any more.
///
/// # Safety
/// `rows` came from `fi_rs_parquet_rows_new`; `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_parquet_rows_next(rows: *mut FiParquetRows, out: *mut FiBytes) -> i32 {
    guarded(&mut *out, || {
        let rows = (*rows).0.clone();
        run_limited(LIMITS, move || {
            rows.try_lock().map_err(|_| "an earlier part could not be read".to_string())?.next_lines()
        })
    })
}
