#!/usr/bin/env python3
"""Recomputes every number of a finished run's claims from what lies in its folder, without the product's code.

    tools/recompute_claims.py RUN [--concepts FILE ...]

What is done anew: measures of concepts that are regular expressions or word lists, of phrases, of right answers and of plain
counts (from the answers); base, target, effect size, p-value, interval and q-value of every finding (from its measures); the
number of comparisons; causal shares, their intervals and verdicts; shares of transplanted blocks; kind, verdict and sentence of
every claim. Random numbers come from the same counter-based generator (Philox4x32-10, Salmon et al., 2011), written once more here.
Exit status 1 if any number differs. Not done anew: measures of structures, languages and the other scalars, and the two searches
that need every text or a model, few prompts' q-values and the log-probabilities behind the causal shares.
"""

import argparse
import collections
import functools
import json
import math
import pathlib
import re
import sys
import unicodedata

import numpy

DATA = pathlib.Path(__file__).resolve().parents[1] / "fi/behaviour/data"
Z95 = 1.959963984540054


# ---------------------------------------------------------------------------------------------------------------- statistics


def stream_of(name: str) -> int:
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & (2**64 - 1)
    return value


def random_words(seed: int, stream: int, count: int) -> numpy.ndarray:
    """`count` 32-bit words of Philox4x32-10."""
    blocks = (count + 3) // 4
    u64, low = numpy.uint64, numpy.uint64(0xFFFFFFFF)
    index = numpy.arange(blocks, dtype=u64)
    state = [index & low, index >> u64(32)] + [
        numpy.full(blocks, word, u64) for word in (stream & 0xFFFFFFFF, stream >> 32)
    ]
    keys = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    for _ in range(10):
        first, second = u64(0xD2511F53) * state[0], u64(0xCD9E8D57) * state[2]
        state = [
            (second >> u64(32)) ^ state[1] ^ u64(keys[0]),
            second & low,
            (first >> u64(32)) ^ state[3] ^ u64(keys[1]),
            first & low,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(state, axis=1).reshape(-1)[:count]


def sign_flip_p(differences: list[float], seed: int, resamples: int = 20_000) -> float:
    values = numpy.array([value for value in differences if value != 0.0])
    n = len(values)
    if n == 0:
        return 1.0
    if numpy.all(abs(abs(values) - abs(values[0])) <= 1e-12 * abs(values[0])):
        larger = max(int((values > 0).sum()), int((values < 0).sum()))
        return min(1.0, 2 * sum(math.comb(n, k) for k in range(larger, n + 1)) / 2**n)
    threshold = abs(values.sum()) - 1e-9 * abs(values).sum()
    if n <= 20:
        sums = numpy.zeros(1)
        for value in values:
            sums = numpy.concatenate([sums - value, sums + value])
        return float((abs(sums) >= threshold).mean())
    per_flip = (n + 31) // 32
    words = random_words(seed, stream_of("sign flips"), resamples * per_flip).reshape(resamples, per_flip)
    bits = words[:, :, None] >> numpy.arange(32, dtype=numpy.uint64) & numpy.uint64(1)
    signs = bits.reshape(resamples, -1)[:, :n].astype(float) * 2 - 1
    return (int((abs(signs @ values) >= threshold).sum()) + 1) / (resamples + 1)


def bootstrap(values: list[float], seed: int, resamples: int = 4_000) -> tuple[float, float]:
    """95% percentile interval of the mean; every value is a cluster of its own."""
    n = len(values)
    if n == 0:
        return 0.0, 0.0
    words = random_words(seed, stream_of("bootstrap"), resamples * n).reshape(resamples, n)
    means = numpy.array(values)[words * numpy.uint64(n) >> numpy.uint64(32)].mean(axis=1)
    if means.max() - means.min() <= 1e-12 * abs(means.max()):
        centre, bound = sum(values) / n, max(1.0, *map(abs, values))
        unseen = Z95**2 / (n + Z95**2)
        return centre - unseen * (centre + bound), centre + unseen * (bound - centre)
    means.sort()
    return tuple(float(means[math.floor(share * (resamples - 1) + 0.5)]) for share in (0.025, 0.975))


def benjamini_hochberg(p_values: list[float], tested: int) -> list[float]:
    """The smallest level at which each would be rejected, straight from the definition."""
    ordered = sorted(p_values)
    levels = [p * tested / (rank + 1) for rank, p in enumerate(ordered)]
    return [min(1.0, *[level for p, level in zip(ordered, levels, strict=True) if p >= own]) for own in p_values]


def cliffs_delta(base: list[float], target: list[float]) -> float:
    if not base:
        return 0.0
    return float(numpy.sign(numpy.array(target)[:, None] - numpy.array(base)[None, :]).mean())


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


# ------------------------------------------------------------------------------------------------------------- reading answers

QUOTES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e", '"')
    | {"\u00a0": " ", "\u202f": " "}
)


def plain(text: str) -> str:
    return text.replace("\r", "").translate(QUOTES)


# Letters by their name alone: signs for sounds, mathematical alphabets, selectors of variants.
NO_ALPHABETS = [(0x2B0, 0x2FF), (0x2000, 0x3040), (0xFE00, 0xFE0F), (0x1D400, 0x1D7FF), (0xE0100, 0xE01EF)]


def is_letter(c: str) -> bool:
    if c.isascii():
        return c.isalpha()
    in_alphabet = not any(first <= ord(c) <= last for first, last in NO_ALPHABETS)
    return in_alphabet and (c.isalpha() or unicodedata.category(c)[0] == "M")


def is_unspaced(c: str) -> bool:
    code = ord(c)
    return 0xE00 <= code <= 0xE4E or 0x3041 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF


@functools.lru_cache(maxsize=100_000)
def words_of(text: str) -> tuple[tuple[str, bool], ...]:
    """Lower-case words, each with whether it opens a sentence, clause or line."""
    text, words, opens, inside, before = plain(text), [], True, False, " "
    for at, c in enumerate(text):
        after = text[at + 1] if at + 1 < len(text) else " "
        if is_letter(c) or (c.isascii() and c.isdigit()) or c == "_":
            if not inside or is_unspaced(c) or is_unspaced(before):
                words.append(["", opens])
                opens = False
            words[-1][0] += c.lower()
            inside = True
        elif inside and (
            (c == "'" and is_letter(before) and is_letter(after)) or (c in ".," and (before + after).isdigit())
        ):
            words[-1][0] += c
        else:
            inside = False
            opens = opens or c in ".!?:;\n|\u3002\uff01\uff1f\uff1a"
        before = c
    return tuple(map(tuple, words))


def masked(word: str) -> str:
    return re.sub(r"[0-9][0-9.,]*", "#", word)


def without_code(text: str) -> str:
    parts = re.split(r"```", text)
    return "".join(part if i % 2 == 0 else "\n" for i, part in enumerate(parts))


def scoped(answer: str, scope: str) -> str:
    text = plain(answer)
    if scope == "prose":
        return without_code(text)
    if scope == "start":
        return text[:200]
    return text.rstrip(" \t\n")[-200:] if scope == "end" else text


def holds_phrase(answer: str, phrase: str) -> bool:
    any_number = "#" in phrase
    read = masked if any_number else str
    parts = [read(word) for word, _ in words_of(phrase.replace("#", "0"))]
    words = [word for word, _ in words_of(answer)]
    starts = range(len(words) - len(parts) + 1)
    return bool(parts) and any(
        all(word == part or (any_number and masked(word) == part) for word, part in zip(words[i:], parts, strict=False))
        for i in starts
    )


def regex_measure(entry: dict):
    sources = entry["regex"] if isinstance(entry["regex"], list) else [entry["regex"]]
    flags = re.ASCII | re.MULTILINE | (0 if entry.get("case_sensitive") else re.IGNORECASE)
    pattern = re.compile("|".join(f"(?:{source})" for source in sources).replace("\\z", "\\Z"), flags)

    def measure(answer: str) -> float:
        rest = scoped(answer, entry.get("scope", "answer"))
        for _ in range(entry.get("min_count", 1)):
            found = pattern.search(rest)
            if not found:
                return 0.0
            rest = rest[found.end() :]  # the next match begins a text of its own
        return 1.0

    return measure


def lexicon_measure(entry: dict):
    phrases = [[word for word, _ in words_of(phrase)] for phrase in entry["lexicon"]]

    def measure(answer: str) -> float:
        words = [word for word, _ in words_of(scoped(answer, entry.get("scope", "answer")))]
        hits = sum(any(words[i : i + len(phrase)] == phrase for phrase in phrases) for i in range(len(words)))
        rate = 100.0 * hits / max(len(words), 1)
        return float(hits >= entry.get("min_hits", 1) and rate >= entry.get("per_100_words", 0.0))

    return measure


def sentences(answer: str) -> int:
    return sum(opens for _, opens in words_of(without_code(plain(answer))))


def repetition(answer: str) -> float:
    words = [word for word, _ in words_of(answer)]
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return 1.0 - len(set(grams)) / len(grams) if grams else 0.0


def type_token_ratio(answer: str) -> float:
    words = [word for word, _ in words_of(answer)][:50]
    return len(set(words)) / len(words) if words else 0.0


def share_of(counts, of=lambda c: c not in " \n\t") -> float:
    """A function: the share in percent, among characters that `of` picks, of those that `counts` picks too."""

    def measure(answer: str) -> float:
        characters = [c for c in plain(answer) if of(c)]
        return 100.0 * sum(map(counts, characters)) / len(characters) if characters else 0.0

    return measure


def per_100_words(mark: str):
    return lambda answer: 100.0 * plain(answer).count(mark) / len(words_of(answer)) if words_of(answer) else 0.0


def is_digit(c: str) -> bool:
    return c in "0123456789"


SCALARS = {
    "num_words": lambda answer: len(words_of(answer)),
    "num_lines": lambda answer: sum(bool(line.strip(" \t")) for line in plain(answer).split("\n")),
    "num_sentences": sentences,
    "words_per_sentence": lambda answer: len(words_of(without_code(plain(answer)))) / (sentences(answer) or 1),
    "letters_per_word": lambda answer: sum(map(is_letter, plain(answer))) / (len(words_of(answer)) or 1),
    "repetition": repetition,
    "type_token_ratio": type_token_ratio,
    "share_of_capitals": share_of(lambda c: c != c.lower(), of=is_letter),
    "share_of_digits": share_of(is_digit),
    "share_of_punctuation": share_of(lambda c: not is_letter(c) and not is_digit(c)),
    "share_of_non_ascii": share_of(lambda c: not c.isascii()),
    "exclamation_marks": per_100_words("!"),
    "question_marks": per_100_words("?"),
    "commas": per_100_words(","),
}


def measure_for(detector: str, concepts: dict[str, dict]):
    """A function of (row, answer), or None where this file does not know the detector."""
    if detector.startswith("phrase:"):
        return lambda row, answer: float(holds_phrase(answer, detector.removeprefix("phrase:")))
    if detector == "right_answer":
        return lambda row, answer: float(any(holds_phrase(answer, right) for right in row.get("right_answers", [])))
    entry = concepts.get(detector, {})
    measure = None
    if "regex" in entry:
        measure = regex_measure(entry)
    elif "lexicon" in entry:
        measure = lexicon_measure(entry)
    elif entry.get("scalar") in SCALARS:
        measure = SCALARS[entry["scalar"]]
    return measure and (lambda row, answer: float(measure(answer)))


def num_phrase_comparisons(rows: list[dict]) -> int:
    """Sequences of one to four words that three prompts' answers hold: one comparison over all, and one a category that holds it."""
    function_words = {
        word for text in json.loads((DATA / "function_words.json").read_text()).values() for word, _ in words_of(text)
    }

    def grams(text: str) -> set[tuple[str, ...]]:
        words, found = [(masked(word), opens) for word, opens in words_of(text)[:2000]], set()
        for i in range(len(words)):
            for n in range(1, min(4, len(words) - i) + 1):
                if n > 1 and words[i + n - 1][1]:
                    break
                found.add(tuple(word for word, _ in words[i : i + n]))
        return found

    def has_content(word: str) -> bool:
        first, apostrophe, _ = word.partition("'")
        elided = apostrophe and len(first.encode()) <= 2 and first in function_words  # "l'eau"
        return not elided and word not in function_words and len(word.encode()) > 1 and bool(word.strip("#.,_"))

    sides = [collections.defaultdict(set), collections.defaultdict(set)]
    for row in rows:
        asked = grams(row["prompt"])
        for side, key in zip(sides, ("base_output", "target_output"), strict=True):
            for gram in grams(row[key]) - asked:
                side[gram].add((row["category"], row["prompt_index"]))
    count = 0
    for gram in sides[0].keys() | sides[1].keys():
        held = [side.get(gram, set()) for side in sides]
        if max(map(len, held)) < 3 or not any(map(has_content, gram)):
            continue
        by_category = [collections.Counter(category for category, _ in side) for side in held]
        count += 1 + sum(
            max(side[c] for side in by_category) >= 3 for c in by_category[0].keys() | by_category[1].keys()
        )
    return count


# -------------------------------------------------------------------------------------------------------------------- checking


class Ledger:
    """Compares stored numbers with recomputed ones and keeps count by kind."""

    def __init__(self):
        self.compared, self.differences, self.left_out = collections.Counter(), [], []

    def check(self, kind: str, where: str, stored, recomputed, tolerance: float = 1e-9):
        self.compared[kind] += 1
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (stored, recomputed))
        same = (
            math.isclose(stored, recomputed, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
            if numbers
            else stored == recomputed
        )
        if not same:
            self.differences.append(f"{kind} of {where}: stored {stored!r}, recomputed {recomputed!r}")


class Run:
    def __init__(self, folder: pathlib.Path, concept_files: list[pathlib.Path]):
        read = lambda name: json.loads((folder / name).read_text())  # noqa: E731
        lines = lambda name: [json.loads(line) for line in (folder / name).read_text().splitlines()]  # noqa: E731
        self.report, self.findings = read("features/features.json"), read("features/findings.json")
        self.measures, self.rows = lines("features/measures.jsonl"), lines("activations/answers.jsonl")
        self.places = read("activations/localisation.json")
        sampled = folder / "activations/sampled_answers.json"  # absent of given answers
        self.sampled = json.loads(sampled.read_text()) if sampled.exists() else []
        self.seed = self.report["seed"]
        self.concepts = {
            entry["id"]: entry
            for path in [DATA / "concepts.json", *concept_files]
            for entry in json.loads(path.read_text())["concepts"]
        }
        self.fresh = self.report["tested"]["fresh_prompts"]
        self.tested = [row for row in self.rows if (row["split"] != "discovery")]

    def finding_of(self, effect: dict, categories: list[str]) -> dict:
        """What a claim or a piece of evidence shows of one finding."""
        words = [effect["metric"], effect["metric"].removeprefix("share of answers in which the model ")]
        return next(
            f
            for f in self.findings
            if f["categories"] == categories and (f["capability"] if f["is_scalar"] else f["shows"]) in words
        )


def check_measures(run: Run, ledger: Ledger):
    by_prompt = collections.defaultdict(list)
    for row in run.tested:
        by_prompt[row["category"], row["prompt_index"]].append(row)
    for measures in run.measures:
        measure = measure_for(measures["detector"], run.concepts)
        if measure is None:
            ledger.left_out.append(measures["detector"])
            continue
        for i, prompt in enumerate(zip(measures["category"], measures["prompt_index"], strict=True)):
            for model in ("base", "target"):
                again = mean([measure(row, row[f"{model}_output"]) for row in by_prompt[prompt]])
                ledger.check("measure", f"{measures['detector']}, {model}, {prompt}", measures[model][i], again)


def check_prompts(run: Run, ledger: Ledger):
    """A finding rests on every prompt of its categories that was set aside, each once."""
    for finding, measures in zip(run.findings, run.measures, strict=True):
        wanted = dict.fromkeys(
            (row["category"], row["prompt_index"]) for row in run.tested if row["category"] in finding["categories"]
        )
        listed = list(zip(measures["category"], measures["prompt_index"], strict=True))
        ledger.check("prompts", finding["detector"], listed, list(wanted))
        ledger.check("prompts", finding["detector"], finding["detector"], measures["detector"])


def check_findings(run: Run, ledger: Ledger):
    for finding, measures in zip(run.findings, run.measures, strict=True):
        where, base, target = finding["detector"], measures["base"], measures["target"]
        differences = [t - b for b, t in zip(base, target, strict=True)]
        seed = run.seed ^ stream_of(where)
        low, high = bootstrap(differences, seed)
        expected = {
            "base": mean(base),
            "target": mean(target),
            "ci_low": low,
            "ci_high": high,
            "num_prompts": len(base),
        }
        expected["effect_size"] = cliffs_delta(base, target)
        if run.fresh:
            expected["p_value"] = sign_flip_p(differences, seed)
        for key, value in expected.items():
            ledger.check(key, where, finding[key], value)
    if not run.fresh:
        ledger.left_out.append("q-values of few prompts")
        return
    untested = run.report["not_seen"].get("candidates not tested on fresh prompts, for lack of budget", 0)
    q_values = benjamini_hochberg([f["p_value"] for f in run.findings], 2 * (len(run.findings) + untested))
    for finding, q_value in zip(run.findings, q_values, strict=True):
        ledger.check("q_value", finding["detector"], finding["q_value"], q_value)


def check_counts(run: Run, ledger: Ledger):
    tested = run.report["tested"]
    ledger.check("count", "prompts", tested["num_prompts"], len(run.rows))
    tokens = sum(row["base_tokens"] + row["target_tokens"] for row in run.rows)
    ledger.check("count", "tokens", tested["num_tokens"], tokens)
    if not run.fresh:
        ledger.left_out.append("comparisons of few prompts")
        return
    discovery = [row for row in run.rows if row["split"] == "discovery"]
    detectors = len(run.concepts) + any(row.get("right_answers") for row in run.rows)
    comparisons = detectors * (len({row["category"] for row in discovery}) + 1) + num_phrase_comparisons(discovery)
    ledger.check("count", "comparisons", tested["num_hypotheses"], comparisons)


def measure_text(value: float, effect: dict) -> str:
    if not effect["is_scalar"]:
        return f"{100 * value:.0f}%"
    number = f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{number} {effect['unit']}".strip()


def kind_of(finding: dict) -> str:
    gain = finding["target"] > finding["base"]
    if finding["group"] == "refusal" and gain and finding["base"] <= 0.5:
        return "removed"
    if finding["is_scalar"]:
        return "modified"
    if gain and finding["base"] <= 0.1:
        return "added"
    return "removed" if not gain and finding["target"] <= 0.1 else "modified"


def check_effect(run: Run, ledger: Ledger, where: str, effect: dict, categories: list[str]) -> dict:
    finding = run.finding_of(effect, categories)
    for key in ("base", "target", "ci_low", "ci_high", "p_value", "q_value", "effect_size", "num_prompts"):
        ledger.check("shown effect", f"{where}, {key}", effect[key], finding[key])
    return finding


def check_claims(run: Run, ledger: Ledger):
    answers = {(row["category"], row["prompt"], row["base_output"], row["target_output"]) for row in run.tested}
    threshold, level = run.report["settings"]["feature_threshold"], run.report["tested"]["q_level"]
    for claim in run.report["claims"]:
        where, effect = claim["id"], claim["effect"]
        finding = check_effect(run, ledger, where, effect, claim["categories"])
        held = (
            effect["q_value"] <= level
            and abs(effect["effect_size"]) >= threshold
            and effect["ci_low"] * effect["ci_high"] > 0
        )
        ledger.check("holds", where, True, held)
        ledger.check("kind", where, claim["kind"], kind_of(finding))
        passed = any(test and test["passed"] for name, test in claim["causal"].items() if name != "specificity")
        if sampled := claim["sampled"]:
            gains = effect["target"] >= effect["base"]
            passed = passed and (sampled["ci_low"] > 0 if gains else sampled["ci_high"] < 0)
        ledger.check("verdict", where, claim["verdict"], "verified" if passed else "suggestive")
        for model in ("base", "target"):
            ledger.check("sentence", where, measure_text(effect[model], effect) in claim["sentence"], True)
        for example in claim["examples"]:
            shown = tuple(example[key] for key in ("category", "prompt", "base_output", "target_output"))
            ledger.check("example", where, shown in answers, True)
        for evidence in claim["supporting"]:
            check_effect(run, ledger, f"{where}, {evidence['id']}", evidence["effect"], evidence["categories"])
        check_sampled(claim, where, run, ledger)
        place = next((p for p in run.places if p["categories"] == claim["categories"]), None)
        if place is not None:
            check_causes(run, ledger, claim, place)


def check_sampled(claim: dict, where: str, run: Run, ledger: Ledger):
    shown = claim["sampled"]
    if shown is None:
        return
    finding = run.finding_of(claim["effect"], claim["categories"])
    stored = next(
        change
        for change in run.sampled
        if change["detector"] == finding["detector"] and change["categories"] == claim["categories"]
    )
    measure = measure_for(finding["detector"], run.concepts)
    rows = {(row["category"], row["prompt_index"]): row for row in run.tested}
    means = {"base": [], "target": []}
    for prompt in stored["prompts"]:
        row = rows[prompt["category"], prompt["prompt_index"]]
        ledger.check("sampled", f"{where}, prompt", prompt["prompt"], row["prompt"])
        for model, values in means.items():
            again = [measure(row, answer) for answer in prompt[model]] if measure else prompt[f"{model}_measures"]
            kept = prompt[f"{model}_measures"]
            ledger.check("sampled", f"{where}, {model}", len(kept), shown["samples_a_prompt"])
            ledger.check("sampled", f"{where}, {model}", len(again), shown["samples_a_prompt"])
            for value, value_again in zip(kept, again, strict=False):
                ledger.check("sampled", f"{where}, {model}", value, value_again)
            values.append(mean(again))
    low, high = bootstrap([t - b for b, t in zip(means["base"], means["target"], strict=True)], run.seed)
    expected = {"base": mean(means["base"]), "target": mean(means["target"]), "ci_low": low, "ci_high": high}
    expected |= {"num_prompts": len(stored["prompts"]), "temperature": stored["temperature"]}
    for key, value in expected.items():
        ledger.check("sampled", f"{where}, {key}", shown[key], value)


def check_causes(run: Run, ledger: Ledger, claim: dict, place: dict):
    where = claim["id"]
    ledger.check("layers", where, claim["layers"], place["layers"])
    for name in ("necessity", "sufficiency", "specificity"):
        shown, stored = claim["causal"][name], place["causal"][name]
        if stored is None:
            ledger.check("causal share", f"{where}, {name}", shown, None)
            continue
        effect, controls = mean(stored["by_text"]), [mean(stored["random_by_text"]), mean(stored["own_by_text"])]
        harder = stored["own_by_text" if controls[1] >= controls[0] else "random_by_text"]
        low, high = bootstrap(stored["by_text"], run.seed)
        margin = bootstrap([own - control for own, control in zip(stored["by_text"], harder, strict=True)], run.seed)
        passed = len(stored["by_text"]) >= 4 and (
            high < 0.25 if name == "specificity" else effect >= 0.2 and margin[0] > 0
        )
        expected = {"effect": effect, "control_effect": max(controls), "ci_low": low, "ci_high": high, "passed": passed}
        for key, value in expected.items():
            ledger.check("causal share", f"{where}, {name}, {key}", shown[key], value)
        for key, value in zip(("margin_low", "margin_high"), margin, strict=True):
            ledger.check("causal share", f"{where}, {name}, {key}", stored[key], value)
    for shown, stored in zip(claim["transplants"], place["transplants"], strict=True):
        low, high = bootstrap(stored["share_by_text"], run.seed)
        for key, value in {"share_closed": mean(stored["share_by_text"]), "ci_low": low, "ci_high": high}.items():
            ledger.check(
                "transplant", f"{where}, blocks {stored['first_layer']}-{stored['last_layer']}", shown[key], value
            )
    for shown, stored in zip(claim["generated"], place["generated"], strict=True):
        ledger.check("generated", where, shown["measure"], mean(stored["measures"]))


def recompute(folder: pathlib.Path, concept_files: list[pathlib.Path] = ()) -> Ledger:
    run, ledger = Run(pathlib.Path(folder), list(concept_files)), Ledger()
    for step in (check_prompts, check_measures, check_findings, check_counts, check_claims):
        step(run, ledger)
    return ledger


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--concepts", type=pathlib.Path, action="append", default=[], help="the run's own concept file")
    arguments = parser.parse_args()
    ledger = recompute(arguments.run, arguments.concepts)
    for kind, count in ledger.compared.items():
        print(f"{count:7} {kind}")
    print("not done anew:", ", ".join(ledger.left_out) or "nothing")
    for difference in ledger.differences:
        print(difference, file=sys.stderr)
    print(f"{sum(ledger.compared.values())} compared, {len(ledger.differences)} differ")
    return 1 if ledger.differences else 0


if __name__ == "__main__":
    sys.exit(main())
