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

#ifdef __cplusplus
}
#endif
