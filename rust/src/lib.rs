//! The crates that the C++ side uses, behind one small C interface (`fi_rs.h`).
//!
//! Every entry catches panics: a crafted tokenizer or template becomes an error, never the end of the process.

mod boundary;
mod emoji;
mod language;
mod parquet_rows;
mod parquet_table;
mod raster;
mod sandbox;
mod template;
mod tokenizer;
