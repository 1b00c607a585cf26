//! Jinja templates: chat templates of models (untrusted) and our own report page.
//!
//! The environment is the one that chat templates are written for: trim_blocks, lstrip_blocks, loop controls, `raise_exception`,
//! `strftime_now`, Python's string methods, and a `tojson` that writes like Python's `json.dumps(ensure_ascii=False)`.

use std::io::Write;
use std::time::Duration;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use crate::boundary::{guarded, text_of, FiBytes};
use crate::sandbox::{run_limited, Limits};

const MAX_SOURCE_BYTES: usize = 1 << 20;
const MAX_OUTPUT_BYTES: usize = 64 << 20;
const MAX_RECURSION: usize = 200;
const STACK_BYTES: usize = 1 << 30; // of address space; what is not touched costs nothing

/// What a template may use. Those of models write a few messages; our own page writes a whole report.
struct Allowance {
    fuel: u64, // steps of the engine
    limits: Limits,
}

const CHAT: Allowance = Allowance {
    fuel: 2_000_000,
    limits: Limits { stack_bytes: STACK_BYTES, memory_bytes: 64 << 20, time: Duration::from_secs(10) },
};
const PAGE: Allowance = Allowance {
    fuel: 50_000_000,
    limits: Limits { stack_bytes: STACK_BYTES, memory_bytes: 4 << 30, time: Duration::from_secs(600) },
};

/// Separators of Python's `json.dumps`: ", " and ": ".
struct PythonFormatter;

impl serde_json::ser::Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn json_error(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

fn python_json(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    use serde::Serialize;
    let mut bytes = Vec::new();
    match indent {
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, PythonFormatter)),
        Some(width) => {
            let spaces = " ".repeat(width.min(16));
            let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))
        }
    }
    .map_err(json_error)?;
    String::from_utf8(bytes).map_err(json_error)
}

fn tojson(value: Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    Ok(Value::from_safe_string(python_json(&value, indent)?))
}

/// JSON inside a `<script>` element: what could end the element or start a comment is written as escapes.
fn script_json(value: Value) -> Result<Value, Error> {
    let mut text = String::new();
    for c in python_json(&value, None)?.chars() {
        match c {
            '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", c as u32)),
            _ => text.push(c),
        }
    }
    Ok(Value::from_safe_string(text))
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// Templates ask for today's date; a comparison must not depend on it, so every run gets the same one.
fn strftime_now(format: String) -> String {
    format.replace("%d", "01").replace("%b", "Jan").replace("%B", "January").replace("%m", "01").replace("%Y", "2025")
}

/// `{% generation %}` marks what a model writes, for training; it renders as nothing.
fn without_generation_tags(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(open) = rest.find("{%") {
        let Some(length) = rest[open..].find("%}") else { break };
        let inside = &rest[open + 2..open + length];
        let name = inside.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
        text.push_str(&rest[..open]);
        if name == "generation" || name == "endgeneration" {
            let before = if inside.starts_with('-') { "-" } else { "" };
            let after = if inside.ends_with('-') { "-" } else { "" };
            text.push_str(&format!("{{%{before} if true %}}{{% endif {after}%}}"));
        } else {
            text.push_str(&rest[open..open + length + 2]);
        }
        rest = &rest[open + length + 2..];
    }
    text.push_str(rest);
    text
}

fn chat_syntax() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("default delimiters are valid")
}

fn environment(escape_html: bool, fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(chat_syntax());
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_auto_escape_callback(move |_| if escape_html { AutoEscape::Html } else { AutoEscape::None });
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", tojson);
    environment.add_filter("script_json", script_json);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", strftime_now);
    environment
}

fn render(source: &str, context_json: &str, escape_html: bool, fuel: u64) -> Result<Vec<u8>, String> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(format!("template of {} bytes, more than {MAX_SOURCE_BYTES}", source.len()));
    }
    let source = without_generation_tags(source);
    let values: serde_json::Value = serde_json::from_str(context_json).map_err(|error| error.to_string())?;
    let environment = environment(escape_html, fuel);
    let template = environment.template_from_named_str("template", &source).map_err(describe)?;
    let text = template.render(Serde(&values)).map_err(describe)?;
    if text.len() > MAX_OUTPUT_BYTES {
        return Err(format!("output of {} bytes, more than {MAX_OUTPUT_BYTES}", text.len()));
    }
    Ok(text.into_bytes())
}

fn describe(error: Error) -> String {
    match error.line() {
        Some(line) => format!("template line {line}: {error}"),
        None => error.to_string(),
    }
}

fn render_within_limits(source: &str, context_json: &str, escape_html: bool) -> Result<Vec<u8>, String> {
    let allowance = if escape_html { PAGE } else { CHAT };
    let (source, context_json) = (source.to_string(), context_json.to_string());
    run_limited(allowance.limits, move || render(&source, &context_json, escape_html, allowance.fuel))
}

/// # Safety
/// Pointers and sizes describe readable bytes; `out` is a writable FiBytes.
#[no_mangle]
pub unsafe extern "C" fn fi_rs_render_template(
    source: *const u8,
    source_size: usize,
    context: *const u8,
    context_size: usize,
    escape_html: bool,
    out: *mut FiBytes,
) -> i32 {
    guarded(&mut *out, || {
        render_within_limits(text_of(source, source_size)?, text_of(context, context_size)?, escape_html)
    })
}
