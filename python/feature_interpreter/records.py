"""Claims and features: dicts and lists that notebooks show, and that pandas takes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from . import notebook


class Claim(dict):
    """A difference between the models, with its evidence."""

    def _repr_html_(self) -> str:
        return notebook.claim(self)


class Feature(dict):
    """A direction or latent, with what fires it and what it promotes."""

    def _repr_html_(self) -> str:
        return notebook.feature(self)


class _Records(list):
    """A list of documents of one kind. A slice of it is a plain list."""

    kind: ClassVar[type]
    columns: ClassVar[tuple[str, ...]]

    def __init__(self, documents: Any = ()):
        super().__init__(self.kind(document) for document in documents)

    def to_pandas(self):
        """A pandas.DataFrame with the columns of the CSV file of the same name; lists stay lists."""
        rows = [self._row(record) for record in self]
        return _pandas().DataFrame(rows, columns=list(self.columns))

    @staticmethod
    def _row(record: Mapping) -> Mapping:
        return record


class Claims(_Records):
    """The claims of a report, the strongest first."""

    kind = Claim
    columns = tuple(
        "id kind verdict sentence capability trigger behaviour layers metric base target ci_low ci_high p_value q_value "
        "effect_size num_prompts features".split()
    )

    @staticmethod
    def _row(record: Mapping) -> Mapping:
        return record["effect"] | record

    def _repr_html_(self) -> str:
        return notebook.claims(self)


class Features(_Records):
    """The features of a report."""

    kind = Feature
    columns = tuple(
        "id layer kind engine name fires_on promotes name_score name_low name_high share_of_difference base_use target_use promoted_tokens "
        "suppressed_tokens".split()
    )

    def _repr_html_(self) -> str:
        return notebook.features(self)


def _pandas():
    try:
        import pandas
    except ImportError as missing:
        raise ImportError(
            "[to_pandas] pandas is not installed; run `pip install pandas`, or read features.csv and claims.csv"
        ) from missing
    return pandas
