"""Results are dicts (the JSON that the library writes) with a few named properties and a short repr."""

import json
from pathlib import Path

from . import notebook
from .records import Claims, Features


class ActivationData(dict):
    """What both models did: the manifest of an activations folder. Goes to name_features."""

    @property
    def folder(self) -> Path:
        return Path(self["folder"])

    def __repr__(self) -> str:
        return f"<ActivationData: {self['num_prompts']} prompts in {self['folder']}>"


class FeatureData(dict):
    """The report as data. Goes to create_visualizations and generate_report."""

    @property
    def verdict(self) -> str:
        return self["verdict"]

    @property
    def summary(self) -> str:
        return self["summary"]

    @property
    def claims(self) -> Claims:
        return Claims(self["claims"])

    @property
    def features(self) -> Features:
        return Features(self["features"])

    @property
    def layers(self) -> list[dict]:
        return self["layers"]

    def __repr__(self) -> str:
        return f"<FeatureData: {self.verdict}, {len(self['claims'])} claims, {len(self['features'])} features>"

    def _repr_html_(self) -> str:
        return notebook.report(self)


class Visualizations(dict):
    """The figures that were drawn."""

    @property
    def figures(self) -> list[Path]:
        return [Path(path) for path in self["figures"]]

    def __repr__(self) -> str:
        return f"<Visualizations: {len(self['figures'])} figures>"


class ReportFiles(dict):
    """Paths of the written reports; None where a format was not asked for."""

    @property
    def json(self) -> Path | None:
        return _path(self["json"])

    @property
    def markdown(self) -> Path | None:
        return _path(self["markdown"])

    @property
    def html(self) -> Path | None:
        return _path(self["html"])

    def __repr__(self) -> str:
        return f"<ReportFiles: {', '.join(path for path in self.values() if path)}>"


class PipelineResult(dict):
    """What a whole comparison found and where its reports are."""

    @property
    def verdict(self) -> str:
        return self["verdict"]

    @property
    def summary(self) -> str:
        return self["summary"]

    @property
    def num_claims(self) -> int:
        return self["num_claims"]

    @property
    def report_json(self) -> Path | None:
        return _path(self["report_json"])

    @property
    def report_markdown(self) -> Path | None:
        return _path(self["report_markdown"])

    @property
    def report_html(self) -> Path | None:
        return _path(self["report_html"])

    @property
    def report(self) -> FeatureData | None:
        """The report as data; None where none was written."""
        return FeatureData(json.loads(self.report_json.read_text(encoding="utf-8"))) if self.report_json else None

    def __repr__(self) -> str:
        return f"<PipelineResult: {self.verdict}, {self.num_claims} claims>"

    def _repr_html_(self) -> str:
        report = self.report
        return notebook.report(report) if report is not None else f"<p>{notebook.text(self.summary)}</p>"


def _path(text: str) -> Path | None:
    return Path(text) if text else None
