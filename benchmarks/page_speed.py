#!/usr/bin/env python3
"""How fast report pages open and answer, by turns in one Chromium: page_speed.py PAGE.html [PAGE.html ...] [--rounds N]

A page of 50,000 features: build/tests/report/write_sample huge FOLDER. Prints milliseconds a page: first contentful paint; the first
search, typed as soon as the list is there; then median and largest of searches and sorts, each until the frame after it is drawn.
"""

import json
import pathlib
import statistics
import sys

from playwright.sync_api import sync_playwright

SEARCHES = ["n", "numbered", "numbered steps", "equals signs", "arithmetic step", "the", "zzz", "l29-pca-65", ""]
SORTS = ["share", "change", "name", "layer", "order"]
ACT = """async ([id, value]) => {
  const field = document.getElementById(id);
  const kind = field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(field, value);
  const start = performance.now();
  field.dispatchEvent(new Event(kind === HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start;
}"""


def visit(browser, path):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(pathlib.Path(path).resolve().as_uri())
    page.wait_for_selector(".entry")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    first = page.evaluate(ACT, ["feature-text", "numbered steps"])
    page.wait_for_timeout(1000)
    searches = [page.evaluate(ACT, ["feature-text", text]) for text in SEARCHES]
    sorts = [page.evaluate(ACT, ["feature-sort", key]) for key in SORTS]
    page.close()
    return {"paint": [paint], "first search": [first], "searches": searches, "sorts": sorts}


def main() -> int:
    arguments = sys.argv[1:]
    rounds = 5
    if "--rounds" in arguments:
        at = arguments.index("--rounds")
        rounds = int(arguments[at + 1])
        del arguments[at : at + 2]
    times = {path: {} for path in arguments}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            for path in arguments:
                for what, values in visit(browser, path).items():
                    times[path].setdefault(what, []).extend(values)
        browser.close()
    for path, kinds in times.items():
        found = {what: [round(statistics.median(values)), round(max(values))] for what, values in kinds.items()}
        print(json.dumps({"page": path, "median and largest, ms": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
