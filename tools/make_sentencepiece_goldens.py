#!/usr/bin/env python3
"""Writes tests/data/tokenizer/sentencepiece.json: two small SentencePiece models, with and without the space that is put before a
text, as GGUF files hold them, and what SentencePiece itself makes of 200 texts.  (needs sentencepiece)
"""

import io
import json
import pathlib
import random

import sentencepiece
from make_tokenizer_goldens import ENGLISH, RANGES

# GGUF's token types: normal, unknown, control, user defined, unused, byte.
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def texts(rng: random.Random) -> list[str]:
    made = [" ".join(rng.choices(ENGLISH, k=rng.randint(1, 9))).replace("<|im_start|>", "") for _ in range(140)]
    for letters in RANGES.values():
        for _ in range(3):
            made.append(" ".join("".join(rng.choices(letters, k=rng.randint(1, 6))) for _ in range(rng.randint(1, 4))))
    return [text for text in made if text]


def type_of(model, piece: int) -> int:
    kinds = ((model.is_unknown, UNKNOWN), (model.is_control, CONTROL), (model.is_byte, BYTE))
    return next((kind for check, kind in kinds if check(piece)), NORMAL)


def main() -> None:
    sentences = texts(random.Random(1))
    models = []
    for add_space_prefix in (True, False):
        file = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences * 4),
            model_writer=file,
            model_type="bpe",
            vocab_size=900,
            byte_fallback=True,
            add_dummy_prefix=add_space_prefix,
            remove_extra_whitespaces=False,
            normalization_rule_name="identity",
            character_coverage=0.98,
        )
        model = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
        ids = range(model.get_piece_size())
        models.append(
            {
                "add_space_prefix": add_space_prefix,
                "pieces": [model.id_to_piece(i) for i in ids],
                "scores": [model.get_score(i) for i in ids],
                "types": [type_of(model, i) for i in ids],
                "texts": [{"text": text, "ids": model.encode(text)} for text in texts(random.Random(2))],
            }
        )
    path = pathlib.Path(__file__).parent.parent / "tests/data/tokenizer/sentencepiece.json"
    path.write_text(json.dumps(models, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
