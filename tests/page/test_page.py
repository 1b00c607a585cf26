"""The page in a real browser. Every test also fails on a console message, a dialog, or a request to anywhere (see conftest)."""

import itertools
import pathlib
import re

import pytest
from playwright.sync_api import expect

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
    assert count(page) == "1 of 40 features"
    page.locator("button.open").first.click()
    assert "</script><img src=x onerror=alert(1)>" in page.locator(".callout").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 4


def test_filters_features(visit):
    page = visit("rich").page
    assert count(page) == "39 features"
    page.fill("#feature-text", "numbered steps nonsense")
    assert count(page) == "0 of 39 features"
    assert page.get_by_text("No feature fits").is_visible()
    page.fill("#feature-text", "numbered solution")
    assert count(page) == "6 of 39 features"
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
    assert count(page) == "39 features"


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
    assert page.locator(".callout .token[title='base 0.25, target 1.00 of the largest']").count() > 0


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
    page.wait_for_function("document.querySelector('#feature-layer').value === '18'")  # a new address is told later
    assert count(page) == "4 of 39 features"


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


def start_printing(page):
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")


def test_prints_every_claim_with_all_its_evidence(visit):
    page = visit("rich").page
    start_printing(page)
    assert page.locator(".evidence[open]").count() == 2
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("article.claim .more .prompt:visible").count() == 3
    assert page.locator("#answer-list article:visible").count() == 19
    assert not page.locator("nav").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("details[open]").count() == 0
    assert page.locator("#answer-list article:visible").count() == 10


def test_prints_a_table_of_features_instead_of_those_in_view(visit):
    page = visit("rich").page
    page.select_option("#feature-kind", "added")
    number = int(count(page).split()[0])
    start_printing(page)
    assert page.locator(".print-only tbody tr").count() == number
    assert page.locator(".print-only caption").inner_text() == f"{number} features"
    assert page.locator(".print-only .callout").count() <= 1
    assert not page.locator(".feature-table").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".print-only tr").count() == 0


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_paper_holds_the_first_two_hundred_features(visit):
    page = visit("huge").page
    before = pages_of(page.pdf())
    page.fill("#feature-text", "l29-pca-65")
    assert count(page) == "11 of 50,000 features"
    few = pages_of(page.pdf())
    # 189 rows fewer are six pages fewer at least: the print has the rows, not the window on them.
    assert before - few >= 6
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".print-only tbody tr").count() == 11
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.click("#feature-clear")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".print-only tbody tr").count() == 200
    assert "The first 200 of 50,000 features" in page.locator(".print-only caption").text_content()


def answer(page, number, model):
    return page.locator("#answer-list article").nth(number).locator(f".answer.{model}")


def test_colours_tokens_by_kl_and_goes_back_to_words(visit):
    page = visit("rich").page
    words = answer(page, 0, "base").locator(".said").inner_html()
    assert not page.locator("#answer-legend").is_visible()
    page.get_by_label("KL of each token").check()
    assert page.locator("#answer-legend").is_visible()
    first = answer(page, 0, "base")
    assert first.locator(".kl").count() == 15
    expect(first.locator(".readout")).to_contain_text("mean 0.86 nats over 15 tokens; largest at “Mia” (6.40 nats)")
    assert page.locator("#answer-list article").nth(15).locator(".kl").count() == 0  # not shown yet
    page.click("#answer-more")
    assert page.locator("#answer-list article").nth(15).locator(".kl").count() > 0
    page.get_by_label("words that the other lacks").check()
    assert first.locator(".said").inner_html() == words
    assert page.locator(".kl").count() == 0
    assert page.locator(".readout").count() == 0


def test_tells_the_kl_of_a_token_to_pointer_and_keyboard(visit):
    page = visit("rich").page
    page.get_by_label("KL of each token").check()
    first = answer(page, 0, "base")
    readout = first.locator(".readout")
    first.locator(".kl").nth(1).hover()
    assert readout.inner_text() == "“␣packs”: 3.20 nats"
    page.mouse.move(0, 0)
    assert readout.inner_text().startswith("mean")
    said = answer(page, 0, "target").locator(".said")
    said.focus()
    readout = answer(page, 0, "target").locator(".readout")
    assert readout.get_attribute("role") == "status"
    for key, text in [("ArrowRight", "“Step”: 2.13 nats"), ("End", "“␣44.”: 0.00 nats"), ("Home", "“Step”: 2.13 nats")]:
        page.keyboard.press(key)
        assert readout.inner_text() == text
    assert said.locator(".current").count() == 1
    page.keyboard.press("Tab")
    assert readout.get_attribute("role") is None
    assert said.get_attribute("aria-label").startswith("Answer of the target, token by token")


def test_colours_untrusted_answers_only_where_the_tokens_are_theirs(visit):
    page = visit("nasty").page
    said = answer(page, 0, "base").locator(".said")
    expect(said).not_to_be_empty()
    text = said.text_content()  # inner text is empty where a browser has not drawn what is out of sight
    page.get_by_label("KL of each token").check()
    page.click("#answer-more")
    expect(said.locator(".kl").nth(3)).to_be_attached()
    assert said.text_content() == text
    other = page.locator("#answer-list article").last
    other.locator(".answer.base .kl").first.wait_for()
    assert other.locator(".answer.target .kl").count() == 0
    assert other.locator(".answer.target .readout").text_content() == "KL was not measured on this answer."
    assert page.locator("img").count() == 0


def test_report_without_kl_has_no_choice_of_marks(visit):
    page = visit("empty").page
    assert page.locator("[name=answer-marks]").count() == 0


def lightness_of(colour):
    return float(re.match(r"oklab\(([\d.]+)", colour).group(1))


def relative_luminance(colour):
    lightness, a, b = (float(number) for number in re.findall(r"-?[\d.]+", colour)[:3])
    roots = (
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    )
    long, medium, short = (root**3 for root in roots)
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", SCHEMES)
def test_kl_colours_are_even_and_keep_text_readable(visit, scheme):
    page = visit("rich", scheme=scheme).page
    page.get_by_label("KL of each token").check()
    colours = page.evaluate(
        """() => [0, 0.25, 0.5, 0.75, 1].map((v) => {
             const token = document.querySelector('.kl');
             token.style.setProperty('--v', String(v));
             return getComputedStyle(token).backgroundColor;
           })"""
    )
    # Lightness alone tells the steps apart, for eyes that see no hue, and each step is as large as the others.
    steps = [lightness_of(b) - lightness_of(a) for a, b in itertools.pairwise(colours)]
    assert min(map(abs, steps)) > 0.05
    assert max(map(abs, steps)) - min(map(abs, steps)) < 0.002
    ink = {"light": 0.011, "dark": 0.82}[scheme]  # luminance of the page's text
    for colour in colours:
        lighter, darker = sorted([relative_luminance(colour), ink], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour


def test_feature_page_shows_the_causal_tests_of_its_claim_beside_their_controls(visit):
    page = visit("nasty", fragment="#feature-L20-mean").page  # its claim-3 stands first and was tested
    shown = page.locator("[id='feature-L20-mean'] .interventions")
    text = shown.inner_text()
    claim = page.locator("#claim-3 .tests").first.inner_text()
    assert "claim 1 tested by intervention" in text and "not this feature alone" in text
    assert shown.locator("ul").inner_text() == claim
    page.evaluate("location.hash = 'feature-L12-pca-1'")
    page.wait_for_selector("[id='feature-L12-pca-1'] .callout")
    assert page.locator("[id='feature-L12-pca-1'] .interventions").count() == 0  # no claim names it


def test_feature_page_tells_what_the_class_of_a_latent_rests_on(visit):
    page = visit("rich", fragment="#feature-L20-cc-7").page
    measures = page.locator("[id='feature-L20-cc-7'] .measures")
    text = measures.inner_text()
    for part in [
        "Classed as added: the base has little of it, the target has.",
        "0.04 to 0.21",
        "0.94 to 1.31",
        "the target’s is 80% of both together",
        "1.23% of tokens held out: 241 times, in 37 texts",
        "0.42: different directions in the two models",
        "7.7: strength in the target",
    ]:
        assert part in text, part
    assert measures.locator(".interval").count() == 2
    page.evaluate("location.hash = 'feature-L12-pca-1'")
    page.wait_for_selector("[id='feature-L12-pca-1'] .callout")
    assert page.locator("[id='feature-L12-pca-1'] .measures").count() == 0  # a direction has none


def test_latents_of_models_without_a_common_space_are_not_said_to_share_directions(visit):
    page = visit("rich", fragment="#feature-L20-cc-8").page
    callout = page.locator("[id='feature-L20-cc-8']")
    text = callout.inner_text()
    assert "the models have no common space" in text and "along a direction of each model’s own" in text
    for part in [
        "ν",
        "decoder cosine",
        "their common direction",
        "of its layer’s difference",
        "the other model’s decoder",
    ]:
        assert part not in text, part
    assert callout.locator(".interval").count() == 2


TYPING = """async (text) => {
  const field = document.getElementById('feature-text');
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text);
  const start = performance.now();
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start;
}"""


def test_fifty_thousand_features_answer_within_a_tenth_of_a_second(visit):
    page = visit("huge").page
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 1000
    queries = ["n", "numbered", "numbered steps", "equals signs", "arithmetic step", "the", "zzz", "l29-pca-65", ""]
    times = sorted(page.evaluate(TYPING, query) for query in queries * 3)
    assert times[len(times) // 2] < 100, times


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(visit, kind, scheme):
    page = visit(kind, scheme=scheme).page
    unfold_everything(page)
    if kind != "empty":
        page.get_by_label("KL of each token").check()
        page.evaluate("location.hash = 'feature-L20-cc-7'")
        page.wait_for_selector(".measures")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width in [360, 1440]:
        page.set_viewport_size({"width": width, "height": 900})
        found = [
            (violation["id"], [(node["html"][:120], node["failureSummary"][:300]) for node in violation["nodes"][:3]])
            for violation in page.evaluate("axe.run()")["violations"]
        ]
        assert found == []
