//! Tables to Parquet: a column is whole numbers, numbers or text, and any of its rows may be absent.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::boundary::{bytes_of, guarded, text_of, FiBytes};

const INTEGERS: i32 = 0;
const NUMBERS: i32 = 1;
const TEXTS: i32 = 2;

/// One column of a table, as `fi_rs.h` describes it.
#[repr(C)]
pub struct FiColumn {
    name: *const u8,
    name_size: usize,
    kind: i32,
    present: *const u8,
    integers: *const i64,
    numbers: *const f64,
    text: *const u8,
    text_ends: *const usize,
}

enum Values<'a> {
    Integers(&'a [i64]),
    Numbers(&'a [f64]),
    Texts(Vec<&'a str>),
}

struct Column<'a> {
    name: &'a str,
    present: &'a [u8],
    values: Values<'a>,
}

unsafe fn slice_of<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data, count)
}

unsafe fn texts_of<'a>(text: *const u8, ends: &[usize]) -> Result<Vec<&'a str>, String> {
    let mut start = 0;
    let mut texts = Vec::with_capacity(ends.len());
    for &end in ends {
        texts.push(text_of(text.wrapping_add(start), end - start)?);
        start = end;
    }
    Ok(texts)
}

unsafe fn column_of<'a>(column: &FiColumn, num_rows: usize) -> Result<Column<'a>, String> {
    let values = match column.kind {
        INTEGERS => Values::Integers(slice_of(column.integers, num_rows)),
        NUMBERS => Values::Numbers(slice_of(column.numbers, num_rows)),
        TEXTS => Values::Texts(texts_of(column.text, slice_of(column.text_ends, num_rows))?),
        kind => return Err(format!("unknown kind of column {kind}")),
    };
    let present = bytes_of(column.present, num_rows);
    Ok(Column { name: text_of(column.name, column.name_size)?, present, values })
}

fn schema_of(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical) = match column.values {
            Values::Integers(_) => (PhysicalType::INT64, None),
            Values::Numbers(_) => (PhysicalType::DOUBLE, None),
            Values::Texts(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let builder = Type::primitive_type_builder(column.name, physical).with_repetition(Repetition::OPTIONAL);
        builder.with_logical_type(logical).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("table").with_fields(fields).build().map(Arc::new)
}

/// The next column of the file: a definition level a row, then the values that are present.
fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<Vec<u8>>,
    present: &[u8],
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = present.iter().map(|&flag| i16::from(flag != 0)).collect();
    let values: Vec<T::T> = values.zip(present).filter(|(_, &flag)| flag != 0).map(|(value, _)| value).collect();
    let mut writer = group.next_column()?.ok_or(ParquetError::General("more columns than the schema has".into()))?;
    writer.typed::<T>().write_batch(&values, Some(&levels), None)?;
    writer.close()
}

fn write_table(columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema_of(columns)?, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for column in columns {
        match &column.values {
            Values::Integers(values) => {
                write_column::<Int64Type>(&mut group, column.present, values.iter().copied())?;
            }
            Values::Numbers(values) => {
                write_column::<DoubleType>(&mut group, column.present, values.iter().copied())?;
            }
            Values::Texts(texts) => {
                let bytes = texts.iter().map(|text| ByteArray::from(text.as_bytes().to_vec()));
                write_column::<ByteArrayType>(&mut group, column.present, bytes)?;
            }
        }
    }
    group.close()?;
    writer.into_inner()
}

/// # Safety
/// `columns` points to `num_columns` columns of `num_rows` rows each; `out` to a writable FiBytes.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_write_parquet(
    columns: *const FiColumn,
    num_columns: usize,
    num_rows: usize,
    out: *mut FiBytes,
) -> i32 {
    guarded(&mut *out, || {
        let described = slice_of(columns, num_columns);
        let columns = described.iter().map(|column| column_of(column, num_rows)).collect::<Result<Vec<_>, _>>()?;
        write_table(&columns).map_err(|error| error.to_string())
    })
}
