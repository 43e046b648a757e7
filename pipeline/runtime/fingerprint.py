"""Which of this project's code a stage runs, and a hash of it that changes when what it does may change.

Found by reading import statements, anywhere in a file, without running anything; modules that are loaded by
name are given beside the one that loads them. Comments, docstrings and layout do not count.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pipeline.runtime.files import sha256


def fingerprint(*modules: str) -> str:
    """The code that these modules run, a line a file: its hash and its path."""
    return "".join(f"{code_hash(file)}  {file.as_posix()}\n" for file in sorted(code(modules)))


def code(modules: Iterable[str]) -> set[Path]:
    """The files of modules, of those they import, and the templates beside these in their packages."""
    files = closure(modules)
    packages = {file.parent for file in files if len(file.parts) > 2}
    beside = {file for package in packages for file in package.iterdir() if file.is_file()}
    return files | {file for file in beside if file.suffix != ".py" and not file.name.startswith(".")}


def closure(modules: Iterable[str]) -> set[Path]:
    """Files of modules and of all that they import, also through others, relative to the working folder."""
    found: set[Path] = set()
    waiting = {file for name in prefixes(modules) if (file := file_of(name))}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {target for name in imported(file) if (target := file_of(name))} - found
    return found


def imported(file: Path) -> frozenset[str]:
    """The project's modules that a file imports, anywhere in it, and the packages that they lie in."""
    return analysed(file.absolute()).imports


def code_hash(file: Path) -> str:
    """The SHA-256 of what a module does; of any other file, that of its bytes."""
    return analysed(file.absolute()).code_hash if file.suffix == ".py" else sha256(file)


def imported_code() -> str:
    """The hash of all files of this project that this process has imported, which unfinished work is of."""
    digest = hashlib.sha256()
    for name, module in sorted(sys.modules.copy().items()):  # the tracker imports beside us
        if name.split(".")[0] in ("pipeline", "stages") and module.__file__:
            digest.update(name.encode() + b"\0" + Path(module.__file__).read_bytes() + b"\0")
    return digest.hexdigest()


class Module(NamedTuple):
    imports: frozenset[str]  # dotted names of the project's modules
    code_hash: str  # the SHA-256 of the syntax tree without its docstrings


@cache
def analysed(file: Path) -> Module:
    """What a module imports, and its hash."""
    tree, names = ast.parse(file.read_text("utf-8")), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not is_docstring(each)]
    imports = frozenset(name for name in prefixes(names) if file_of(name))
    return Module(imports, hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def prefixes(names: Iterable[str]) -> set[str]:
    """Dotted names, and the packages on the way to them."""
    return {".".join(name.split(".")[: i + 1]) for name in names for i in range(name.count(".") + 1)}


def file_of(module: str) -> Path | None:
    """The project file of a dotted name, relative to the working folder; None if it is no module of ours."""
    base = Path(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a string that stands by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
