import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("check_includes", ROOT / "tools/check_includes.py")
check_includes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_includes)


def test_an_include_against_the_flow_is_found(tmp_path):
    (tmp_path / "fi/core").mkdir(parents=True)
    (tmp_path / "fi/core/a.h").write_text('#include "fi/report/b.h"\n')
    assert check_includes.violations(tmp_path) == ["fi/core/a.h includes fi/report, which comes after fi/core"]


def test_the_project_keeps_the_order():
    assert check_includes.violations(ROOT) == []
