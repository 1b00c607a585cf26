"""What notebooks show of results: HTML in which untrusted text does nothing, and data frames."""

import csv
import html.parser
import json
import subprocess
import sys

import pandas
import pytest
from built import BUILD

sys.path.insert(0, str(BUILD / "python"))
import feature_interpreter as fi

TAGS = {"div", "p", "b", "bdi", "span", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}


class Page(html.parser.HTMLParser):
    """Collects the tags, attributes and text of a fragment, and checks that every element ends where it should."""

    def __init__(self, fragment):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), set(), ""
        self.feed(fragment)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    def load(kind):
        folder = tmp_path_factory.mktemp(kind)
        subprocess.run([BUILD / "tests/report/write_sample", kind, folder], check=True, timeout=120)
        document = json.loads((folder / "reports/report.json").read_text(encoding="utf-8"))
        return fi.FeatureData(document), folder / "reports"

    return load


def pieces(report):
    return [report, report.claims, report.features, *report.claims, *report.features]


@pytest.mark.parametrize("kind", ["rich", "empty", "nasty"])
def test_no_text_of_a_report_becomes_more_than_text(sample, kind):
    report, _ = sample(kind)
    for piece in pieces(report):
        page = Page(piece._repr_html_())
        assert page.tags <= TAGS and page.attributes <= {"style", "scope"}
        assert not [char for char in page.text if (ord(char) < 32 and char not in "\n\t") or char in "\u202e\u202d"]


@pytest.mark.parametrize(
    "bad", ["<script>alert(1)</script>", "\"' onmouseover=x", "</td></pre><img src=x>", "a\x1b[31m\u202eb\ud800"]
)
def test_every_text_field_is_inert(sample, bad):
    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoil(item) for item in value]
        return bad if isinstance(value, str) else value

    report, _ = sample("rich")
    for piece in pieces(fi.FeatureData(spoil(dict(report)))):
        fragment = piece._repr_html_()
        page = Page(fragment)
        assert page.tags <= TAGS and page.attributes <= {"style", "scope"}
        fragment.encode("utf-8")


def test_what_matters_is_shown(sample):
    report, _ = sample("rich")
    claim, feature = report.claims[0], report.features[0]
    text = Page(report._repr_html_()).text
    assert report.summary in text and report["relation_note"] in text and claim["sentence"] in text
    text = Page(claim._repr_html_()).text
    assert claim["examples"][0]["target_output"] in text and "q = 0.003 on 48 prompts" in text
    text = Page(feature._repr_html_()).text
    assert feature["id"] in text and feature["engine"] in text
    assert "".join(token["text"] for token in feature["examples"][0]["tokens"]) in text


def test_long_lists_say_how_much_is_left_out(sample):
    report, _ = sample("large")
    shown = Page(report.features._repr_html_()).text
    assert f"20 of {len(report.features)} features are shown." in shown


@pytest.mark.parametrize("table", ["claims", "features"])
@pytest.mark.parametrize("kind", ["rich", "empty"])
def test_data_frames_have_the_columns_of_the_csv(sample, table, kind):
    report, folder = sample(kind)
    frame = getattr(report, table).to_pandas()
    with open(folder / f"{table}.csv", encoding="utf-8", newline="") as file:
        assert list(frame.columns) == next(csv.reader(file))
    assert len(frame) == len(report[table])


def test_data_frames_and_the_parquet_table_hold_the_same(sample):
    report, folder = sample("rich")
    frame = report.features.to_pandas()
    stored = pandas.read_parquet(folder / "features.parquet")
    for name in ["id", "layer", "kind", "engine", "name_score", "base_use", "target_use"]:
        pandas.testing.assert_series_equal(frame[name], stored[name], check_dtype=False)
    claims = report.claims.to_pandas()
    assert claims["effect_size"].tolist() == [claim["effect"]["effect_size"] for claim in report["claims"]]


def test_without_pandas_the_error_says_what_to_do(sample, monkeypatch):
    report, _ = sample("rich")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"\[to_pandas\] pandas is not installed; run `pip install pandas`"):
        report.claims.to_pandas()


def test_the_package_imports_no_pandas_by_itself():
    script = "import feature_interpreter, sys; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": str(BUILD / "python")}, check=True, timeout=60)


def test_records_are_still_dicts_and_lists(sample):
    report, _ = sample("rich")
    assert report.claims == report["claims"] and json.loads(json.dumps(report.features)) == report["features"]
    assert isinstance(report.claims[0], fi.Claim) and isinstance(report.features[0], fi.Feature)
