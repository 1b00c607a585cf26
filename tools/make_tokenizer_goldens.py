#!/usr/bin/env python3
"""Writes tests/data/tokenizer/smollm2.jsonl: 2,000 strings in 20 scripts with their token ids.

The ids come from `tokenizers` as `transformers` loads it from the GGUF, with the pre-tokenizer that the model was published with (the
GGUF loader of `transformers` drops the splitting of digits), and must equal those of a plain BPE written here.

Usage: make_tokenizer_goldens.py SMOLLM2.gguf   (needs transformers, gguf, regex)
"""

import json
import pathlib
import random
import sys

import regex
from gguf import GGUFReader
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

RANGES = {
    "latin": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "latin_extended": "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßœšžğışő",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔ",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГД",
    "armenian": "աբգդեզէըթժիլխծկհձղճմյնշ",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "bengali": "অআইঈউঊএঐওঔকখগঘচছজঝটঠডঢণতথদধনপফবভমযরলশষসহ",
    "tamil": "அஆஇஈஉஊஎஏஐஒஓகஙசஞடணதநபமயரலவழளறன",
    "thai": "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "hangul": "가나다라마바사아자차카타파하한국어말",
    "hiragana": "あいうえおかきくけこさしすせそたちつてとなにぬねの",
    "katakana": "アイウエオカキクケコサシスセソタチツテトナニヌネノ",
    "han": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年",
    "ethiopic": "ሀለሐመሠረሰሸቀበተቸኀነኘአከኸወዐዘዠየደጀገጠጨጰጸፀፈፐ",
    "khmer": "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអ",
    "symbols": "+-*/=<>()[]{}.,;:!?'\"@#$%^&_|~`0123456789",
    "emoji": "😀😁😂🤣😃😄🙏👍🏽👩‍💻🎉❤️🔥✨🇫🇷🇯🇵",
}
ENGLISH = [
    "it's",
    "don't",
    "we'll",
    "I'm",
    "they've",
    "he'd",
    "The",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "13",
    "lazy",
    "dogs,",
    "then",
    "2024-05-17",
    "at",
    "10:30;",
    "price:",
    "$1,299.99!",
    "def",
    "main(argc):",
    "return",
    "x**2",
    "#",
    "comment\n\tindented\r\nline",
    "",
    "two",
    "",
    "",
    "spaces",
    "<|im_start|>user",
    "```python\nprint('hi')\n```",
    "e.g.",
    "U.S.A.",
]


def strings(rng: random.Random):
    for letters in RANGES.values():
        for _ in range(90):
            words = ["".join(rng.choices(letters, k=rng.randint(1, 8))) for _ in range(rng.randint(1, 8))]
            yield rng.choice(["", " ", "\n"]) + rng.choice([" ", "  ", "\n", ", "]).join(words)
    for _ in range(200):
        yield rng.choice([" ", "  ", "\n\n", "\t"]).join(rng.choices(ENGLISH, k=rng.randint(1, 14)))


WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


def byte_letters() -> dict[int, str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        letters.setdefault(byte, chr(256 + len(letters) - len(plain)))
    return letters


class PlainBpe:
    """Byte-level BPE by the book: digits apart, the GPT-2 pattern, the best merge first."""

    def __init__(self, path: pathlib.Path):
        fields = GGUFReader(str(path)).fields
        tokens = fields["tokenizer.ggml.tokens"].contents()
        types = fields["tokenizer.ggml.token_type"].contents()
        merges = fields["tokenizer.ggml.merges"].contents()
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): i for i, merge in enumerate(merges)}
        special = sorted((t for t, kind in zip(tokens, types) if kind in (3, 4)), key=len, reverse=True)
        self.special = regex.compile("(" + "|".join(map(regex.escape, special)) + ")")
        self.letters = byte_letters()

    def word(self, text: str) -> list[int]:
        parts = [self.letters[byte] for byte in text.encode()]
        while len(parts) > 1:
            best = min(range(len(parts) - 1), key=lambda i: self.ranks.get((parts[i], parts[i + 1]), 1 << 30))
            if (parts[best], parts[best + 1]) not in self.ranks:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        return [self.ids[part] for part in parts]

    def encode(self, text: str) -> list[int]:
        ids = []
        for i, piece in enumerate(self.special.split(text)):
            if i % 2:
                ids.append(self.ids[piece])
                continue
            for run in regex.split(r"(\p{N})", piece):
                ids += [id for word in WORDS.findall(run) for id in self.word(word)]
        return ids


def main() -> int:
    path = pathlib.Path(sys.argv[1])
    plain = PlainBpe(path)
    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    out = pathlib.Path(__file__).parent.parent / "tests/data/tokenizer/smollm2.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for text in strings(random.Random(0)):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            if ids != plain.encode(text):
                raise SystemExit(f"two tokenizers disagree on {text!r}: {ids} and {plain.encode(text)}")
            file.write(json.dumps({"text": text, "ids": ids}, ensure_ascii=False, separators=(",", ":")) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
