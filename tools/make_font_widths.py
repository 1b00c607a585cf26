#!/usr/bin/env python3
"""Writes fi/report/figures/dejavu_widths.inc from Debian's fonts-dejavu-core (needs fonttools).

Advance widths of DejaVu Sans and DejaVu Sans Bold in 1/2048 em, for the blocks that figures measure exactly; 0 where the
font has no glyph.
"""

import pathlib
import sys

from fontTools.ttLib import TTFont

FOLDER = pathlib.Path("/usr/share/fonts/truetype/dejavu")
BLOCKS = [(0x20, 0x24F), (0x370, 0x52F), (0x590, 0x6FF), (0x2000, 0x23FF)]


def table(name: str, file: str) -> list[str]:
    font = TTFont(FOLDER / file)
    assert font["head"].unitsPerEm == 2048
    cmap, advances = font.getBestCmap(), font["hmtx"]
    lines = []
    for first, last in BLOCKS:
        widths = [str(advances[cmap[code]][0]) if code in cmap else "0" for code in range(first, last + 1)]
        lines.append(f"constexpr uint16_t {name}{first:X}[] = {{")
        lines += ["    " + ", ".join(widths[i : i + 20]) + "," for i in range(0, len(widths), 20)]
        lines.append("};")
    return lines


def main() -> int:
    target = pathlib.Path(__file__).parent.parent / "fi/report/figures/dejavu_widths.inc"
    head = ["// Made by tools/make_font_widths.py from DejaVu Sans; do not edit."]
    lines = head + table("kRegular", "DejaVuSans.ttf") + table("kBold", "DejaVuSans-Bold.ttf")
    for weight in ("Regular", "Bold"):
        blocks = ", ".join(f"{{0x{first:X}, 0x{last:X}, k{weight}{first:X}}}" for first, last in BLOCKS)
        lines.append(f"constexpr Block k{weight}Blocks[] = {{{blocks}}};")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
