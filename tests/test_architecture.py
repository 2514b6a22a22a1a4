"""The rules of the house, as far as a test can hold them: imports, handlers that only translate, short files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "layers" / "core" / "python"
CODE = ("cdk", "functions", "layers", "local", "models", "benchmarks", "console")
PIPELINES = tuple(sorted(path.name for path in (ROOT / "functions").iterdir() if (path / "__init__.py").exists()))
OWN = {"cuatro", "cdk", "functions", "models", "local", "tests", "benchmarks"}
AWS = {"boto3", "botocore", "onnxruntime"}
TRAINING = {"xgboost", "pandas", "sklearn", "torch", "onnx", "onnxmltools", "pyarrow"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "shared", "lib", "tools"}


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if not {"__pycache__", "node_modules", ".build"} & set(path.parts)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports anywhere in it, also under TYPE_CHECKING; `from a import b` gives a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {imported.split(".")[0] for imported in imports(path)}


def test_there_is_something_to_check() -> None:
    assert "fraud" in PIPELINES
    assert len(modules(*CODE)) > 40


def test_imports_are_absolute() -> None:
    for path in modules(*CODE, "tests"):
        list(imports(path))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_functions_import_cuatro_and_their_own_pipeline_only(pipeline: str) -> None:
    for path in modules(f"functions/{pipeline}"):
        for imported in imports(path):
            if imported.split(".")[0] in OWN - {"cuatro"}:
                assert imported.startswith(f"functions.{pipeline}."), f"{name(path)} imports {imported}"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_models_import_only_what_serving_shares_with_them(pipeline: str) -> None:
    """The functions' pure modules: what makes features, explains, decides, what the lake keeps; and the container."""
    pure = ("features", "history", "explain", "reasons", "decide", "lake", "language")
    shared = tuple(f"functions.{pipeline}.{module}" for module in pure)
    for path in modules(f"models/{pipeline}"):
        for imported in imports(path):
            if imported.split(".")[0] in OWN - {"cuatro"}:
                allowed = imported.startswith((f"models.{pipeline}", "models.container", *shared))
                assert allowed, f"{name(path)} imports {imported}"


def test_cdk_imports_nothing_of_ours_but_the_events() -> None:
    for path in modules("cdk"):
        for imported in imports(path):
            if imported.split(".")[0] in OWN - {"cdk"}:
                assert imported.startswith("cuatro.events"), f"{name(path)} imports {imported}"


def test_the_core_layer_imports_nothing_of_ours_but_itself() -> None:
    for path in modules("layers"):
        assert not roots(path) & (OWN - {"cuatro"}), name(path)


def test_only_adapters_reach_aws_and_the_model_runtime() -> None:
    for path in modules("functions", "layers"):
        if (CORE / "cuatro" / "adapters") not in path.parents:
            assert not roots(path) & AWS, name(path)


def test_serving_needs_no_training_package() -> None:
    for path in modules("functions", "layers"):
        assert not roots(path) & TRAINING, name(path)


def test_constructs_and_stacks_read_no_environment_account_or_git() -> None:
    for path in modules("cdk"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"environ", "getenv", "from_lookup", "value_from_lookup"}, name(path)
        if path.parent.name in {"constructs", "stacks"}:
            assert not roots(path) & {"os", "subprocess", "git", "requests", "urllib"}, name(path)


def functions_of(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))


def test_a_handler_only_translates() -> None:
    """At most 40 lines a function, from its name to its end: decode, call the domain, call an adapter."""
    found = [path for path in modules("functions") if path.name == "handler.py"]
    assert found
    for path in found:
        for function in functions_of(path):
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= 40, f"{name(path)}: {function.name} has {length} lines"


def test_no_file_is_long() -> None:
    for path in [*modules(*CODE, "tests"), ROOT / "app.py"]:
        length = len(path.read_text(encoding="utf-8").splitlines())
        assert length <= 250, f"{name(path)} has {length} lines"


def test_names_say_what_is_inside() -> None:
    for path in modules(*CODE, "tests"):
        words = {path.stem, path.parent.name} | set(path.stem.split("_"))
        assert not words & VAGUE, name(path)


def test_every_module_begins_with_what_it_does() -> None:
    for path in modules(*CODE, "tests"):
        body = tree(path).body
        assert not body or ast.get_docstring(tree(path)), f"{name(path)} has no docstring"


def test_functions_do_not_know_where_they_run() -> None:
    for path in modules("functions", "layers"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"localhost|127\.0\.0\.1|ministack|is_local|if local\b", text, re.IGNORECASE), name(path)
