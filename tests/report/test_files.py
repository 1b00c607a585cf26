"""The written files, read by others' tools: JSON Schema, an XML parser, a CSV reader, a PNG header."""

import csv
import json
import pathlib
import struct
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest

SCHEMA = json.loads((pathlib.Path(__file__).parents[1] / "data/report.schema.json").read_text(encoding="utf-8"))
KINDS = ["rich", "empty", "nasty"]


@pytest.mark.parametrize("kind", [*KINDS, "large"])
def test_report_json_follows_the_published_schema(write_sample, kind):
    document = json.loads((write_sample(kind) / "reports/report.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_well_formed_and_inert(write_sample, kind):
    figures = sorted((write_sample(kind) / "visualizations").glob("*.svg"))
    assert {"layer_map.svg", "feature_distribution.svg", "capability_change.svg"} <= {path.name for path in figures}
    for path in figures:
        root = ElementTree.parse(path).getroot()
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "rect", "path", "polyline", "polygon", "circle", "text", "title"}, path
        names = {name for element in root.iter() for name in element.attrib}
        assert not {name for name in names if name.startswith("on") or "href" in name}, path


@pytest.mark.parametrize("kind", KINDS)
def test_every_svg_has_its_png_at_twice_the_size(write_sample, kind):
    for path in (write_sample(kind) / "visualizations").glob("*.svg"):
        width, height = struct.unpack(">II", path.with_suffix(".png").read_bytes()[16:24])
        _, _, wide, high = ElementTree.parse(path).getroot().attrib["viewBox"].split()
        assert (width, height) == (2 * float(wide), 2 * float(high))


def test_tables_have_equal_rows_and_no_formula(write_sample):
    for name in ["features.csv", "claims.csv"]:
        with open(write_sample("nasty") / "reports" / name, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) > 2
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
