//! Emoji of several code points (skin tones, families, flags, keycaps) among other text.
//!
//! usvg falls back for a whole text at a time, and gives up where two fonts make different numbers of glyphs of it: then all that the
//! main font lacks becomes boxes. (Spans with fonts of their own break it: it counts their clusters in bytes.) So where an emoji
//! stands among other text, it is drawn as its first code point, and a flag as its two letters; an SVG file keeps what it says.

const STYLE: char = '\u{FE0F}';
const JOINER: char = '\u{200D}';
const NON_JOINER: char = '\u{200C}';

fn is_emoji(c: char) -> bool {
    is_flag_letter(c) || matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B50}' | '\u{2B55}')
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// What changes the look of the emoji before it.
fn is_modifier(c: char) -> bool {
    matches!(c, STYLE | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}')
}

fn is_emoji_alone(text: &str) -> bool {
    text.chars().all(|c| is_emoji(c) || is_modifier(c) || c == JOINER || c.is_ascii_whitespace())
}

/// `text` with each emoji as one code point.
fn simplify(text: &str, out: &mut String) {
    let mut last = ' ';
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let follows_base = is_emoji(last) || last.is_ascii_digit() || matches!(last, '#' | '*');
        if follows_base && is_modifier(c) {
            continue;
        }
        if is_emoji(last) && c == JOINER {
            chars.next();
            continue;
        }
        if is_flag_letter(last) && is_flag_letter(c) {
            out.push(NON_JOINER);
        }
        out.push(c);
        last = c;
    }
}

/// An SVG in whose text elements emoji among other text are one code point each. Attributes must not hold '>', as those of our own
/// writer do not.
pub fn simplify_mixed_text(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(tag) = rest.find("<text") {
        let Some(start) = rest[tag..].find('>').map(|end| tag + end + 1) else { break };
        let Some(end) = rest[start..].find('<').map(|length| start + length) else { break };
        out.push_str(&rest[..start]);
        match &rest[start..end] {
            content if is_emoji_alone(content) => out.push_str(content),
            content => simplify(content, &mut out),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}
