"""The page in a real browser. Every test also fails on a console message, a dialog, or a request to anywhere (see conftest)."""

import pathlib

import pytest

AXE = pathlib.Path(__file__).parents[2] / "fi/report/page/node_modules/axe-core/axe.min.js"
KINDS = ["rich", "empty", "nasty"]


def rows(page):
    return page.locator("#feature-table tbody tr[id]").count()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_the_width(visit, kind, width, scheme):
    page = visit(kind, width=width, scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(251, 250, 247)" if scheme == "light" else "rgb(22, 21, 19)")


@pytest.mark.parametrize("kind", KINDS)
def test_has_one_title_and_landmarks(visit, kind):
    page = visit(kind).page
    for selector in ["h1", "main", "nav", "body > header", "body > footer"]:
        assert page.locator(selector).count() == 1, selector
    assert page.evaluate(
        "document.querySelectorAll('[id]').length === new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )


def test_no_difference_reads_as_a_result(visit):
    page = visit("empty").page
    assert page.locator("h1").inner_text() == "No difference found between the two models."
    assert page.locator("article.claim").count() == 0


def test_untrusted_text_stays_text(visit):
    page = visit("nasty").page
    assert "</script><img src=x onerror=alert(1)>" in page.locator("article.claim h3").first.inner_text()
    page.locator("#feature-table button.open").first.click()
    page.locator("#feature-table button.open").first.click()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_filters_features(visit):
    page = visit("rich").page
    everything = rows(page)
    assert everything == 37
    page.fill("#feature-text", "numbered steps nonsense")
    assert rows(page) == 0
    page.fill("#feature-text", "numbered solution")
    assert 0 < rows(page) < everything
    page.click("#feature-clear")
    page.select_option("#feature-kind", "added")
    assert 0 < rows(page) < everything
    assert set(page.locator("#feature-table tbody .chip").all_inner_texts()) == {"added"}
    page.click("#feature-clear")
    page.select_option("#feature-layer", "18")
    assert rows(page) == 4
    page.click("#feature-clear")
    assert rows(page) == everything


def test_sorts_features(visit):
    page = visit("rich").page
    page.click("#feature-clear")

    def layers():
        return [int(text) for text in page.locator("#feature-table tbody tr[id] td:nth-child(3)").all_inner_texts()]

    page.click("th[data-sort=layer] button")
    assert layers() == sorted(layers(), reverse=True)
    page.click("th[data-sort=layer] button")
    assert layers() == sorted(layers())
    assert page.locator("th[data-sort=layer]").get_attribute("aria-sort") == "ascending"


def test_unfolds_a_feature_by_keyboard(visit):
    page = visit("rich").page
    button = page.locator("#feature-table button.open").nth(1)
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.locator(".callout").count() == 2
    assert page.locator(".callout .token").count() > 10
    page.keyboard.press("Enter")
    assert page.locator(".callout").count() == 1


def test_follows_links_to_claims_and_features(visit):
    page = visit("rich", fragment="#claim-2").page
    assert page.locator("#claim-2").is_visible()
    page = visit("rich", fragment="#feature-L12-pca-1").page
    line = page.locator("[id='feature-L12-pca-1']")
    assert line.locator("button").get_attribute("aria-expanded") == "true"
    assert line.evaluate(
        "(e) => { const box = e.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }"
    )


def test_click_on_a_layer_shows_its_features(visit):
    page = visit("rich").page
    page.locator(".wide .hit[data-layer='18']").first.click()
    assert page.input_value("#feature-layer") == "18"
    assert rows(page) == 4


def test_searches_answers(visit):
    page = visit("rich").page
    shown = page.locator("#answer-list article:visible")
    assert shown.count() == 10
    page.click("#answer-more")
    assert shown.count() == 19
    page.fill("#answer-text", "photosynthesis")
    assert shown.count() == 1
    assert shown.locator("mark").count() > 0


def test_large_reports_show_a_part_and_filter_all(visit):
    page = visit("large").page
    assert rows(page) == 50
    assert page.locator("#feature-count").inner_text() == "2000 features"
    page.click("#feature-more")
    assert rows(page) == 100
    page.fill("#feature-text", "l29-pca-65")
    assert rows(page) == 1


def test_works_without_scripts(visit):
    page = visit("rich", javascript=False).page
    assert page.locator("#feature-table tbody tr").count() == 25
    assert page.locator("#answer-list article:visible").count() == 19
    assert not page.locator("#feature-filters").is_visible()


def test_prints_all_evidence(visit):
    page = visit("rich").page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".evidence[open]").count() == 2
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing(visit, kind, scheme, width):
    page = visit(kind, scheme=scheme, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run()")["violations"]
    found = [
        (violation["id"], [(node["html"][:120], node["failureSummary"][:200]) for node in violation["nodes"][:3]])
        for violation in violations
    ]
    assert found == []
