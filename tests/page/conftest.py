"""Debian's Chromium, and the page of each sample report."""

import importlib.util
import pathlib

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_spec = importlib.util.spec_from_file_location(
    "report_conftest", pathlib.Path(__file__).parents[1] / "report/conftest.py"
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
write_sample = _module.write_sample


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Visit:
    """One page, with everything that must not happen counted."""

    def __init__(self, browser, path, width=1440, scheme="light", fragment="", javascript=True):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=javascript,
            offline=True,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.faults = []
        self.page.on(
            "console",
            lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("dialog: " + dialog.message), dialog.dismiss()))
        self.page.on(
            "request", lambda request: None if request.url.startswith("file:") else self.faults.append(request.url)
        )
        self.requests = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + fragment)


@pytest.fixture
def visit(browser, write_sample):
    visits = []

    def open_page(kind, **options):
        visits.append(Visit(browser, write_sample(kind) / "reports/report.html", **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.context.close()
        assert one.faults == []
        assert len([url for url in one.requests if not url.startswith("data:")]) == 1
