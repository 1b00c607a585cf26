"""The pipeline and its stages, as functions over JSON documents. All of the work is done by the native library."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _native
from .results import ActivationData, FeatureData, PipelineResult, ReportFiles, Visualizations

PromptCategories = Mapping[str, Sequence[str]]
OPTIONS = {option["name"]: option for option in json.loads(_native.options())}


def run_feature_interpretation_pipeline(
    base_model: str = "",
    target_model: str = "",
    output_dir: str | os.PathLike = "feature_interpretation",
    *,
    prompt_categories: PromptCategories | None = None,
    quiet: bool = False,
    **options: Any,
) -> PipelineResult:
    """Compares two models and writes activations, features, visualizations and reports into output_dir.

    Every option of the command line is a keyword: "--feature-threshold" is feature_threshold. feature_interpreter.OPTIONS
    lists them. Progress goes to standard error unless quiet. Ctrl-C stops at the next safe point; resume=True goes on from there.
    """
    options |= {"base_model": base_model, "target_model": target_model, "output_dir": output_dir}
    document = _options(options, prompt_categories, Path(output_dir))
    return PipelineResult(json.loads(_native.compare(document, quiet)))


def plan(base_model: str = "", target_model: str = "", **options: Any) -> dict:
    """What the pipeline would do with these options, with estimated seconds, memory and disk; runs nothing."""
    options |= {"base_model": base_model, "target_model": target_model}
    return json.loads(_native.plan(_options(options)))


def extract_activations_for_comparison(
    base_model: str = "",
    target_model: str = "",
    prompts: PromptCategories | str | os.PathLike | None = None,
    output_dir: str | os.PathLike = "activations",
    *,
    quiet: bool = False,
    **options: Any,
) -> ActivationData:
    """Runs both models: answers to the prompts, and every layer over the same token ids.

    prompts maps a category to its prompts, or names a JSON file of that shape; None means the built-in categories.
    """
    options |= {"base_model": base_model, "target_model": target_model}
    categories = prompts if isinstance(prompts, Mapping) else None
    if prompts is not None and categories is None:
        options["prompts"] = prompts
    document = _options(options, categories, Path(output_dir))
    return ActivationData(json.loads(_native.extract(document, os.fspath(output_dir), quiet)))


def name_features(
    activation_data: Mapping,
    crosscoder_data: Mapping | str | os.PathLike | None = None,
    output_dir: str | os.PathLike = "features",
    threshold: float = OPTIONS["feature_threshold"]["default"],
    *,
    seed: int = 0,
    quiet: bool = False,
) -> FeatureData:
    """From answers and layers to claims and named features. threshold is the smallest effect size (Cliff's delta) reported.

    crosscoder_data is a crosscoder analysis: its file, or what json.load made of it.
    """
    document = _native.name(
        json.dumps(activation_data), _crosscoder(crosscoder_data), os.fspath(output_dir), threshold, seed, quiet
    )
    return FeatureData(json.loads(document))


def create_visualizations(
    feature_data: Mapping, output_dir: str | os.PathLike = "visualizations", *, quiet: bool = False
) -> Visualizations:
    """Draws every figure, as SVG and PNG."""
    return Visualizations(json.loads(_native.visualize(json.dumps(feature_data), os.fspath(output_dir), quiet)))


def generate_report(
    feature_data: Mapping,
    crosscoder_data: Mapping | str | os.PathLike | None = None,
    output_dir: str | os.PathLike = "reports",
    report_format: str = "both",
    *,
    quiet: bool = False,
) -> ReportFiles:
    """Writes report.json and, by report_format ("markdown", "html" or "both"), report.md and report.html."""
    document = _native.report(
        json.dumps(feature_data), _crosscoder(crosscoder_data), os.fspath(output_dir), report_format, quiet
    )
    return ReportFiles(json.loads(document))


def generate(
    model: str,
    prompts: str | Sequence[str],
    target: str = "",
    *,
    adapter: str = "",
    max_new_tokens: int = 64,
    temperature: float = 0.0,
    top_p: float = 1.0,
    quiet: bool = False,
    **options: Any,
) -> dict:
    """Answers prompts with one model, or with two side by side: {"models": ..., "answers": [{"prompt", "base", "target"?}]}."""
    request = _native.AnswerRequest(
        prompts=[prompts] if isinstance(prompts, str) else list(prompts),
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_p=top_p,
    )
    options |= {"base_model": model, "target_model": target, "target_adapter": adapter}
    return json.loads(_native.answer(_options(options), request, quiet))


def doctor(base_model: str = "", target_model: str = "", *, quiet: bool = False, **options: Any) -> dict:
    """How two models are related, without running them."""
    options |= {"base_model": base_model, "target_model": target_model}
    return json.loads(_native.relate(_options(options), quiet))


def main(arguments: Sequence[str]) -> int:
    """The command line tool; arguments[0] is the program's name. Returns its exit code."""
    return _native.command_line(list(arguments))


def _options(options: dict, categories: PromptCategories | None = None, folder: Path = Path()) -> str:
    if categories is not None:
        text = json.dumps({name: list(prompts) for name, prompts in categories.items()})
        options["prompts"] = _native.keep_prompts(text, os.fspath(folder))
    return json.dumps({name: _plain(value) for name, value in options.items() if value is not None})


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _crosscoder(data: Mapping | str | os.PathLike | None) -> str:
    return _native.crosscoder_file(os.fspath(data)) if isinstance(data, str | os.PathLike) else json.dumps(data)
