"""Which files of this project a module imports, directly or through others."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


def file_of(module: str) -> Path | None:
    """The project file of a dotted name, relative to the root; None if it is not ours (or names something
    within a module).
    """
    base = Path(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def imports(file: Path) -> set[str]:
    """Dotted names of the project's modules that a file imports, anywhere in it; packages on the way are
    imported too.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    prefixes = {".".join(name.split(".")[: i + 1]) for name in names for i in range(name.count(".") + 1)}
    return {name for name in prefixes if file_of(name)}


def is_inert(file: Path) -> bool:
    """True of a file without code: docstrings and constants, such as the map in pipeline/__init__.py."""
    body = ast.parse((ROOT / file).read_text()).body
    return all(
        isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple)
        for node in body
    )


def closure(module: str) -> set[Path]:
    """The module's own file and all project files with code that it leads to, relative to the root."""
    start = file_of(module)
    assert start, module
    packages = [".".join(module.split(".")[: i + 1]) for i in range(module.count("."))]
    found: set[Path] = set()
    waiting = {start, *(file for package in packages if (file := file_of(package)))}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {target for name in imports(file) if (target := file_of(name))} - found
    return {file for file in found if not is_inert(file)}
