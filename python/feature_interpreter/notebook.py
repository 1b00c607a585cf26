"""HTML that notebooks show for results. Prompts, answers and names are untrusted: all text is escaped, and no script is used."""

import html
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_KIND_COLOURS = {"added": "#0072b2", "removed": "#d55e00", "modified": "#7a5195", "shared": "#777777"}
_MODEL_COLOURS = {"base": "63,111,176", "target": "200,98,45"}
_MAX_ROWS = 20
_MAX_EXAMPLES = 3


def text(value: Any) -> str:
    """A value as inert text: escaped, control characters visible, nothing that turns the direction of what follows."""
    return html.escape("".join(_visible(char) for char in str(value)), quote=True)


def _visible(char: str) -> str:
    if char in "\n\t":
        return char
    if char in _OVERRIDES or 0x7F <= ord(char) <= 0x9F or unicodedata.category(char) == "Cs":
        return "\ufffd"
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else char


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _tag(kind: str) -> str:
    colour = _KIND_COLOURS.get(kind, "#777777")
    return f'<span style="color:#fff;background:{colour};border-radius:3px;padding:0 .4em">{text(kind)}</span>'


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text(heading)}</th>' for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _of_many(shown: int, total: int, what: str) -> str:
    return "" if shown >= total else f"<p>{shown} of {total} {what} are shown.</p>"


def _block(content: str) -> str:
    return f'<pre style="white-space:pre-wrap;text-align:left;margin:0"><bdi>{text(content)}</bdi></pre>'


def _layers(claim: Mapping) -> str:
    layers = claim["layers"]
    return f"{layers[0]}\u2013{layers[-1]}" if len(layers) > 1 else "".join(map(str, layers))


def claim(document: Mapping) -> str:
    """A claim with its evidence in a line and its first example."""
    effect = document["effect"]
    facts = [
        f"{text(effect['metric'])}: base {_number(effect['base'])}, target {_number(effect['target'])}",
        f"95% interval of the difference {_number(effect['ci_low'])} to {_number(effect['ci_high'])}",
        f"q = {_number(effect['q_value'])} on {effect['num_prompts']} prompts",
    ]
    parts = [
        f"<p>{_tag(document['kind'])} <b>{text(document['verdict'])}</b> <bdi>{text(document['sentence'])}</bdi></p>",
        f"<p>{'; '.join(facts)}</p>",
    ]
    if document["examples"]:
        example = document["examples"][0]
        answers = [_block(example[name]) for name in ("prompt", "base_output", "target_output")]
        parts.append(_table(["prompt", "base", "target"], [answers]))
    return f"<div>{''.join(parts)}</div>"


def claims(documents: Sequence[Mapping]) -> str:
    """Claims as a table, the strongest first."""
    rows = [
        [
            text(c["id"]),
            _tag(c["kind"]),
            text(c["verdict"]),
            f"<bdi>{text(c['sentence'])}</bdi>",
            _layers(c),
            _number(c["effect"]["base"]),
            _number(c["effect"]["target"]),
            _number(c["effect"]["q_value"]),
        ]
        for c in documents[:_MAX_ROWS]
    ]
    headings = ["claim", "kind", "verdict", "what differs", "layers", "base", "target", "q"]
    return f"<div>{_table(headings, rows)}{_of_many(len(rows), len(documents), 'claims')}</div>"


def _highlighted(tokens: Sequence[Mapping], model: str) -> str:
    marks = [
        f'<span style="background:rgba({_MODEL_COLOURS[model]},{min(max(float(value), 0.0), 1.0):.2f})">{text(token["text"])}</span>'
        for token in tokens
        for value in [token.get(model, 0.0)]
    ]
    return f'<pre style="white-space:pre-wrap;text-align:left;margin:0">{"".join(marks)}</pre>'


def _token_cue(cue: Mapping) -> str:
    tokens = ", ".join(f"<code>{text(token)}</code>" for token in cue["tokens"])
    return f"{tokens} fire it in {cue['num_fired']} of {cue['num_texts']} texts that leave it quiet"


def feature(document: Mapping) -> str:
    """A feature: what fires it, what it promotes, and examples with the tokens marked on which either model has it."""
    name = document["name"] or "unnamed"
    rows = [
        ["fires on", text(document["fires_on"] or "")],
        ["promotes", text(document["promotes"] or "")],
        ["promoted tokens", ", ".join(f"<code>{text(token)}</code>" for token in document["promoted_tokens"])],
        ["suppressed tokens", ", ".join(f"<code>{text(token)}</code>" for token in document["suppressed_tokens"])],
        *([["tokens alone", _token_cue(document["token_cue"])]] if document.get("token_cue") else []),
        ["use", f"base {_number(document['base_use'])}, target {_number(document['target_use'])}"],
    ]
    examples = [
        [text(example["category"]), _highlighted(example["tokens"], "base"), _highlighted(example["tokens"], "target")]
        for example in document["examples"][:_MAX_EXAMPLES]
    ]
    parts = [
        f"<p>{_tag(document['kind'])} <b><bdi>{text(name)}</bdi></b> {text(document['id'])}, layer {document['layer']}, "
        f"{text(document['engine'])}</p>",
        _table(["", ""], rows),
        _table(["category", "base", "target"], examples) if examples else "",
    ]
    return f"<div>{''.join(parts)}</div>"


def features(documents: Sequence[Mapping]) -> str:
    """Features as a table."""
    rows = [
        [
            text(f["id"]),
            _tag(f["kind"]),
            str(f["layer"]),
            text(f["engine"]),
            f"<bdi>{text(f['name'] or '')}</bdi>",
            _number(f["base_use"]),
            _number(f["target_use"]),
        ]
        for f in documents[:_MAX_ROWS]
    ]
    headings = ["feature", "kind", "layer", "engine", "name", "base use", "target use"]
    return f"<div>{_table(headings, rows)}{_of_many(len(rows), len(documents), 'features')}</div>"


def report(document: Mapping) -> str:
    """The answer in a sentence, the relation of the models, the claims, and how many features there are."""
    names = f"{text(document['base']['name'])} \u2192 {text(document['target']['name'])}"
    parts = [
        f"<p><b><bdi>{names}</bdi></b>: {text(document['relation'])}. <bdi>{text(document['relation_note'])}</bdi></p>",
        f"<p><bdi>{text(document['summary'])}</bdi></p>",
        claims(document["claims"]) if document["claims"] else "",
        f"<p>{len(document['features'])} features, {len(document['layers'])} layers compared.</p>",
    ]
    return f"<div>{''.join(parts)}</div>"
