"""The page in a real browser. Every test also fails on a console message, a dialog, or a request to anywhere (see conftest)."""

import pathlib

import pytest

AXE = pathlib.Path(__file__).parents[2] / "fi/report/page/node_modules/axe-core/axe.min.js"
KINDS = ["rich", "empty", "nasty"]


SCHEMES = {"light": "rgb(251, 250, 247)", "dark": "rgb(22, 21, 19)"}
WIDTHS = [360, 768, 1440]


def count(page):
    return page.locator("#feature-count").inner_text()


def shown(page):
    return page.locator(".entry .c-name code").all_inner_texts()


def unfold_everything(page):
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")


@pytest.mark.parametrize("kind", KINDS)
def test_fits_every_width_in_light_and_dark(visit, kind):
    page = visit(kind).page
    unfold_everything(page)
    for scheme, background in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", KINDS)
def test_has_one_title_and_landmarks(visit, kind):
    page = visit(kind).page
    for selector in ["h1", "main", "nav", "body > header", "body > footer"]:
        assert page.locator(selector).count() == 1, selector
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))


def test_no_difference_reads_as_a_result(visit):
    page = visit("empty").page
    assert page.locator("h1").inner_text() == "No difference found between the two models."
    assert page.locator("article.claim").count() == 0
    assert page.locator("#feature-browser").count() == 0


def test_untrusted_text_stays_text(visit):
    page = visit("nasty").page
    assert "</script><img src=x onerror=alert(1)>" in page.locator("article.claim h3").first.inner_text()
    page.fill("#feature-text", "<img")
    assert count(page) == "1 of 38 features"
    page.locator("button.open").first.click()
    assert "</script><img src=x onerror=alert(1)>" in page.locator(".callout").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3


def test_filters_features(visit):
    page = visit("rich").page
    assert count(page) == "37 features"
    page.fill("#feature-text", "numbered steps nonsense")
    assert count(page) == "0 of 37 features"
    assert page.get_by_text("No feature fits").is_visible()
    page.fill("#feature-text", "numbered solution")
    assert count(page) == "6 of 37 features"
    page.click("#feature-clear")
    page.select_option("#feature-kind", "added")
    assert set(page.locator(".entry .chip").all_inner_texts()) == {"added"}
    page.click("#feature-clear")
    page.select_option("#feature-layer", "18")
    assert shown(page) == [f"L18-pca-{number}" for number in range(4)]
    page.click("#feature-clear")
    page.select_option("#feature-claim", "suggestive")
    assert shown(page) == ["L18-pca-0", "L20-mean"]
    page.click("#feature-clear")
    assert count(page) == "37 features"


def test_sorts_features(visit):
    page = visit("rich").page
    page.locator("button.open").first.click()
    head = page.locator("[role=columnheader].c-layer")

    def layers():
        return [int(text) for text in page.locator(".entry .c-layer").all_inner_texts()]

    head.locator("button").click()
    assert layers() == sorted(layers()) and layers()[0] == 6
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert layers() == sorted(layers(), reverse=True) and layers()[0] == 28
    page.select_option("#feature-sort", "share")
    shares = [float(text.strip("<%")) for text in page.locator(".entry .c-share").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert head.get_attribute("aria-sort") is None


def test_goes_through_features_by_keyboard(visit):
    page = visit("rich").page
    page.locator("button.open").nth(0).focus()
    page.keyboard.press("Enter")
    assert page.locator(".callout").count() == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.querySelector('code').textContent") == shown(page)[2]
    page.keyboard.press("Enter")
    assert page.locator("button.open").nth(2).get_attribute("aria-expanded") == "true"
    assert page.locator(".callout .token").count() > 10


def is_in_view(locator):
    # A browser scrolls by whole pixels, an element's place has fractions of them.
    return locator.evaluate(
        "(e) => { const box = e.getBoundingClientRect(); return box.top > -1 && box.top < innerHeight; }"
    )


def test_links_lead_to_claims_features_and_layers(visit):
    page = visit("rich", fragment="#claim-2").page
    assert is_in_view(page.locator("#claim-2"))
    page = visit("rich", fragment="#feature-L12-pca-1").page
    row = page.locator("[id='feature-L12-pca-1']")
    assert row.locator("button").get_attribute("aria-expanded") == "true"
    assert is_in_view(row)
    page.get_by_text("Layer by layer, as a table").click()
    page.locator("a[href='#layer-18']").click()
    assert page.input_value("#feature-layer") == "18"
    page.locator("#claim-1 .evidence summary").click()
    page.locator("#claim-1 a[href='#feature-L20-mean']").click()
    assert page.locator("[id='feature-L20-mean'] .callout").is_visible()
    page.locator(".callout a[href='#claim-1']").click()
    assert is_in_view(page.locator("#claim-1"))


def test_click_on_a_layer_shows_its_features(visit):
    page = visit("rich").page
    page.locator(".wide .hit[data-layer='18']").first.click()
    assert page.input_value("#feature-layer") == "18"
    assert count(page) == "4 of 37 features"


def test_searches_answers(visit):
    page = visit("rich").page
    articles = page.locator("#answer-list article:visible")
    assert articles.count() == 10
    page.click("#answer-more")
    assert articles.count() == 19
    page.fill("#answer-text", "photosynthesis")
    assert articles.count() == 1
    assert articles.locator("mark").count() > 0
    page.fill("#answer-text", "")
    page.select_option("#answer-category", "Definitions")
    assert articles.count() == 1


def test_fifty_thousand_features_show_in_part_and_filter_in_all(visit):
    page = visit("huge").page
    assert count(page) == "50,000 features"
    assert page.locator(".entry").count() < 60
    page.fill("#feature-text", "l29-pca-65")
    assert count(page) == "11 of 50,000 features"
    page.click("#feature-clear")
    page.locator(".scroller").evaluate("(e) => e.scrollTo(0, e.scrollHeight)")
    page.wait_for_selector("[role=row][aria-rowindex='50001']")
    page.evaluate("location.hash = 'feature-L7-pca-1000'")
    page.wait_for_selector("[id='feature-L7-pca-1000'] .callout .token")


def test_works_without_scripts(visit):
    page = visit("rich", javascript=False).page
    assert page.locator("#feature-browser tbody tr").count() == 25
    assert page.locator("#answer-list article:visible").count() == 19
    assert not page.locator("#answer-filters").is_visible()


def test_prints_all_evidence(visit):
    page = visit("rich").page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".evidence[open]").count() == 2
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(visit, kind, scheme):
    page = visit(kind, scheme=scheme).page
    unfold_everything(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width in [360, 1440]:
        page.set_viewport_size({"width": width, "height": 900})
        found = [
            (violation["id"], [(node["html"][:120], node["failureSummary"][:300]) for node in violation["nodes"][:3]])
            for violation in page.evaluate("axe.run()")["violations"]
        ]
        assert found == []
