#pragma once

// C interface of the Rust library `fi_rs` (rust/src). Functions return 0 and a result in `out`, or 1 and the text of an error.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct FiBytes {
  uint8_t* data;
  size_t size;
} FiBytes;

typedef struct FiTokenizer FiTokenizer;

void fi_rs_free(FiBytes bytes);

int32_t fi_rs_tokenizer_new(const uint8_t* json, size_t size, FiTokenizer** tokenizer, FiBytes* error);
void fi_rs_tokenizer_free(FiTokenizer* tokenizer);
int32_t fi_rs_encode(const FiTokenizer* tokenizer, const uint8_t* text, size_t size, bool add_special, FiBytes* out);
int32_t fi_rs_decode(const FiTokenizer* tokenizer, const uint32_t* ids, size_t count, bool skip_special, FiBytes* out);
int64_t fi_rs_token_to_id(const FiTokenizer* tokenizer, const uint8_t* token, size_t size);
size_t fi_rs_vocab_size(const FiTokenizer* tokenizer);
size_t fi_rs_num_ids(const FiTokenizer* tokenizer);
int32_t fi_rs_id_to_token(const FiTokenizer* tokenizer, uint32_t id, FiBytes* out);
int32_t fi_rs_special_ids(const FiTokenizer* tokenizer, FiBytes* out);

int32_t fi_rs_render_template(const uint8_t* source, size_t source_size, const uint8_t* context, size_t context_size,
                              bool escape_html, FiBytes* out);
int32_t fi_rs_svg_to_png(const uint8_t* svg, size_t size, float scale, FiBytes* out);
int32_t fi_rs_detect_language(const uint8_t* text, size_t size, FiBytes* out);

enum { FI_INTEGERS = 0, FI_NUMBERS = 1, FI_TEXTS = 2 };

// A column of `num_rows` cells, of which only those of its kind are read. A text ends where text_ends says and begins where the
// one before it ends.
typedef struct FiColumn {
  const uint8_t* name;
  size_t name_size;
  int32_t kind;
  const uint8_t* present;  // [num_rows] 0 for a cell without a value
  const int64_t* integers;
  const double* numbers;
  const uint8_t* text;
  const size_t* text_ends;
} FiColumn;

int32_t fi_rs_write_parquet(const FiColumn* columns, size_t num_columns, size_t num_rows, FiBytes* out);

typedef struct FiParquetRows FiParquetRows;

// Opens the first column of `wanted`, names between newlines, that the file has.
int32_t fi_rs_parquet_rows_new(const uint8_t* path, size_t path_size, const uint8_t* wanted, size_t wanted_size,
                               FiParquetRows** rows, FiBytes* error);
void fi_rs_parquet_rows_free(FiParquetRows* rows);
// The next rows as JSON lines; nothing at the end.
int32_t fi_rs_parquet_rows_next(FiParquetRows* rows, FiBytes* out);

#ifdef __cplusplus
}
#endif
