#!/usr/bin/env python3
"""Writes a C++ source that holds files as string literals. Usage: embed_files.py VARIABLE OUTPUT.cpp FILE...

Defines `const std::map<std::string, std::string_view> fi::embedded::VARIABLE`, keyed by file name.
"""

import pathlib
import sys

CHUNK = 12_000  # compilers limit the length of one literal


def literal(text: str) -> str:
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)] or [""]
    return "\n".join(f'R"fi~({chunk})fi~"' for chunk in chunks)


def main() -> int:
    variable, output, *files = sys.argv[1:]
    lines = ["#include <map>", "#include <string>", "#include <string_view>", "", "namespace fi::embedded {", ""]
    lines += [
        f"extern const std::map<std::string, std::string_view> {variable};",
        f"const std::map<std::string, std::string_view> {variable} = {{",
    ]
    for name in files:
        text = pathlib.Path(name).read_text(encoding="utf-8")
        size = len(text.encode("utf-8"))
        lines.append(f'    {{"{pathlib.Path(name).name}", std::string_view({literal(text)}, {size})}},')
    lines += ["};", "", "}  // namespace fi::embedded", ""]
    pathlib.Path(output).write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
