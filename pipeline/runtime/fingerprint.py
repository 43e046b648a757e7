"""Which files of this project a module leads to: what a stage's code is, and nothing more.

Found by reading import statements, anywhere in a file, without running anything.
"""

import ast
from functools import cache
from pathlib import Path

from pipeline.runtime.files import sha256


def fingerprint(module: str) -> str:
    """The code that a module runs, a line a file: its SHA-256 and its path."""
    return "".join(f"{sha256(file)}  {file.as_posix()}\n" for file in sorted(code(module)))


def code(module: str) -> set[Path]:
    """The module's files with code, and what lies beside them in their packages and is no module: templates,
    which they read.
    """
    modules = closure(module)
    packages = {file.parent for file in modules if len(file.parts) > 2}
    beside = {file for package in packages for file in package.iterdir() if file.is_file()}
    return modules | {file for file in beside if file.suffix != ".py" and not file.name.startswith(".")}


def closure(module: str) -> set[Path]:
    """The module's own file and all project files with code that it imports, directly or through others,
    relative to the working folder.
    """
    start = file_of(module)
    assert start, module
    packages = [".".join(module.split(".")[: i + 1]) for i in range(module.count("."))]
    found: set[Path] = set()
    waiting = {start, *(file for package in packages if (file := file_of(package)))}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {target for name in imported(file) if (target := file_of(name))} - found
    return {file for file in found if not is_inert(file)}


def imported(file: Path) -> set[str]:
    """Dotted names of the project's modules that a file imports, anywhere in it; packages on the way are
    imported too.
    """
    names: set[str] = set()
    for node in ast.walk(parsed(Path.cwd() / file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    prefixes = {".".join(name.split(".")[: i + 1]) for name in names for i in range(name.count(".") + 1)}
    return {name for name in prefixes if file_of(name)}


def file_of(module: str) -> Path | None:
    """The project file of a dotted name, relative to the working folder; None if it is not ours (or names
    something within a module).
    """
    base = Path(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def is_inert(file: Path) -> bool:
    """True of a file without code: docstrings and constants, such as the map in pipeline/__init__.py."""
    return all(
        isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple)
        for node in parsed(Path.cwd() / file).body
    )


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())
