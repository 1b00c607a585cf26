"""The written files, read by others' tools: JSON Schema, an XML parser, a CSV reader, a PNG header."""

import csv
import json
import pathlib
import struct
import xml.etree.ElementTree as ElementTree

import jsonschema
import pyarrow.parquet
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


def test_the_parquet_table_has_the_columns_of_the_csv_with_types(write_sample):
    folder = write_sample("rich") / "reports"
    features = json.loads((folder / "report.json").read_text(encoding="utf-8"))["features"]
    table = pyarrow.parquet.read_table(folder / "features.parquet")
    with open(folder / "features.csv", encoding="utf-8", newline="") as file:
        assert table.column_names == next(csv.reader(file))
    types = {"layer": "int64"} | dict.fromkeys(
        ["name_score", "name_low", "name_high", "share_of_difference", "base_use", "target_use"], "double"
    )
    assert {field.name: str(field.type) for field in table.schema} == {
        name: types.get(name, "string") for name in table.column_names
    }
    rows = table.to_pylist()
    assert len(rows) == len(features) > 2
    for name in ["id", "layer", "kind", "name", "name_score", "base_use", "target_use"]:
        assert [row[name] for row in rows] == [feature[name] for feature in features]
    assert None in [row["name"] for row in rows]


def test_the_parquet_table_of_no_features_keeps_its_types(write_sample):
    table = pyarrow.parquet.read_table(write_sample("empty") / "reports/features.parquet")
    assert table.num_rows == 0 and str(table.schema.field("layer").type) == "int64"


def test_text_in_the_parquet_table_is_on_one_line_and_printable(write_sample):
    table = pyarrow.parquet.read_table(write_sample("nasty") / "reports/features.parquet")
    cells = [cell for row in table.to_pylist() for cell in row.values() if isinstance(cell, str)]
    assert cells and not [cell for cell in cells if any(ord(c) < 32 for c in cell)]
