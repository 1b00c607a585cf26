"""Says which features and capabilities differ between two language models, in which layers, and how sure that is."""

from ._native import version as __version__
from .errors import Error
from .pipeline import (
    OPTIONS,
    create_visualizations,
    doctor,
    extract_activations_for_comparison,
    generate,
    generate_report,
    main,
    name_features,
    plan,
    run_feature_interpretation_pipeline,
)
from .records import Claim, Claims, Feature, Features
from .results import ActivationData, FeatureData, PipelineResult, ReportFiles, Visualizations

__all__ = [
    "OPTIONS",
    "ActivationData",
    "Claim",
    "Claims",
    "Error",
    "Feature",
    "FeatureData",
    "Features",
    "PipelineResult",
    "ReportFiles",
    "Visualizations",
    "__version__",
    "create_visualizations",
    "doctor",
    "extract_activations_for_comparison",
    "generate",
    "generate_report",
    "main",
    "name_features",
    "plan",
    "run_feature_interpretation_pipeline",
]
