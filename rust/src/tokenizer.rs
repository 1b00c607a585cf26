//! Hugging Face tokenizers.

use tokenizers::Tokenizer;

use crate::boundary::{bytes_of, guarded, text_of, FiBytes, INVALID, OK};

const MAX_JSON_BYTES: usize = 256 << 20;

pub struct FiTokenizer(Tokenizer);

/// # Safety
/// `json` points to `size` bytes; `tokenizer` and `error` are writable.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_tokenizer_new(
    json: *const u8,
    size: usize,
    tokenizer: *mut *mut FiTokenizer,
    error: *mut FiBytes,
) -> i32 {
    let mut made = None;
    let code = guarded(&mut *error, || {
        if size > MAX_JSON_BYTES {
            return Err(format!("tokenizer of {size} bytes, more than {MAX_JSON_BYTES}"));
        }
        let mut parsed = Tokenizer::from_bytes(bytes_of(json, size)).map_err(|e| e.to_string())?;
        parsed.with_padding(None);
        parsed.with_truncation(None).map_err(|e| e.to_string())?;
        made = Some(Box::new(FiTokenizer(parsed)));
        Ok(Vec::new())
    });
    match made {
        Some(boxed) if code == OK => {
            *tokenizer = Box::into_raw(boxed);
            OK
        }
        _ => INVALID,
    }
}

/// # Safety
/// `tokenizer` came from `fi_rs_tokenizer_new` and is freed once.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_tokenizer_free(tokenizer: *mut FiTokenizer) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

/// Writes (id, first byte, last byte + 1) per token, three u32 in native order.
///
/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_encode(
    tokenizer: *const FiTokenizer,
    text: *const u8,
    size: usize,
    add_special: bool,
    out: *mut FiBytes,
) -> i32 {
    guarded(&mut *out, || {
        let encoding = (*tokenizer).0.encode(text_of(text, size)?, add_special).map_err(|e| e.to_string())?;
        let mut bytes = Vec::with_capacity(encoding.len() * 12);
        for (id, span) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            for value in [*id, span.0 as u32, span.1 as u32] {
                bytes.extend_from_slice(&value.to_ne_bytes());
            }
        }
        Ok(bytes)
    })
}

/// # Safety
/// `ids` points to `count` values.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_decode(
    tokenizer: *const FiTokenizer,
    ids: *const u32,
    count: usize,
    skip_special: bool,
    out: *mut FiBytes,
) -> i32 {
    guarded(&mut *out, || {
        let ids = if count == 0 { &[] } else { std::slice::from_raw_parts(ids, count) };
        (*tokenizer).0.decode(ids, skip_special).map(String::into_bytes).map_err(|e| e.to_string())
    })
}

/// The id of a token, or -1.
///
/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_token_to_id(tokenizer: *const FiTokenizer, token: *const u8, size: usize) -> i64 {
    let mut id = -1;
    let mut ignored = FiBytes { data: std::ptr::null_mut(), size: 0 };
    guarded(&mut ignored, || {
        id = (*tokenizer).0.token_to_id(text_of(token, size)?).map_or(-1, i64::from);
        Ok(Vec::new())
    });
    crate::boundary::fi_rs_free(ignored);
    id
}

/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_vocab_size(tokenizer: *const FiTokenizer) -> usize {
    (*tokenizer).0.get_vocab_size(true)
}

/// Ids of special tokens, u32 each, ascending.
///
/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_special_ids(tokenizer: *const FiTokenizer, out: *mut FiBytes) -> i32 {
    guarded(&mut *out, || {
        let mut ids: Vec<u32> = (*tokenizer)
            .0
            .get_added_tokens_decoder()
            .iter()
            .filter(|(_, token)| token.special)
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        Ok(ids.iter().flat_map(|id| id.to_ne_bytes()).collect())
    })
}

/// The token as the vocabulary spells it; nothing for an id that has none.
///
/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_id_to_token(tokenizer: *const FiTokenizer, id: u32, out: *mut FiBytes) -> i32 {
    guarded(&mut *out, || Ok((*tokenizer).0.id_to_token(id).unwrap_or_default().into_bytes()))
}

/// One more than the largest id: vocabularies may have gaps.
///
/// # Safety
/// As the other functions.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_num_ids(tokenizer: *const FiTokenizer) -> usize {
    (*tokenizer).0.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1)
}
