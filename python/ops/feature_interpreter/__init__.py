"""The package under the name that alignmt gave it."""

from feature_interpreter import (
    Error,
    create_visualizations,
    extract_activations_for_comparison,
    generate_report,
    name_features,
    run_feature_interpretation_pipeline,
)

__all__ = [
    "Error",
    "create_visualizations",
    "extract_activations_for_comparison",
    "generate_report",
    "name_features",
    "run_feature_interpretation_pipeline",
]
