"""Which of this project's code a stage runs, and a hash of it that changes when what it does may change.

Found by reading import statements, anywhere in a file, without running anything; modules that are loaded by
name are given beside the one that loads them. Comments, docstrings and layout do not count.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipeline.runtime.files import sha256


def fingerprint(*modules: str) -> str:
    """The code that these modules run, a line a file: its hash and its path."""
    return "".join(f"{code_hash(file)}  {file.as_posix()}\n" for file in sorted(code(modules)))


def code(modules: Iterable[str]) -> set[Path]:
    """The modules' files, those they import, and what lies beside these in their packages and is no module:
    templates, which they read.
    """
    files = closure(modules)
    packages = {file.parent for file in files if len(file.parts) > 2}
    beside = {file for package in packages for file in package.iterdir() if file.is_file()}
    return files | {file for file in beside if file.suffix != ".py" and not file.name.startswith(".")}


def closure(modules: Iterable[str]) -> set[Path]:
    """The modules' own files and all project files that they import, directly or through others, relative to
    the working folder.
    """
    packages = {".".join(name.split(".")[: i + 1]) for name in modules for i in range(name.count(".") + 1)}
    found: set[Path] = set()
    waiting = {file for name in packages if (file := file_of(name))}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {target for name in imported(file) if (target := file_of(name))} - found
    return found


def imported(file: Path) -> frozenset[str]:
    """Dotted names of the project's modules that a file imports, anywhere in it; packages on the way are
    imported too.
    """
    return imports_of(file.absolute())


@cache
def imports_of(file: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    prefixes = {".".join(name.split(".")[: i + 1]) for name in names for i in range(name.count(".") + 1)}
    return frozenset(name for name in prefixes if file_of(name))


def file_of(module: str) -> Path | None:
    """The project file of a dotted name, relative to the working folder; None if it is not ours (or names
    something within a module).
    """
    base = Path(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def code_hash(file: Path) -> str:
    """The SHA-256 of what a module does; of any other file, that of its bytes."""
    return hash_of_module(file.absolute()) if file.suffix == ".py" else sha256(file)


@cache
def hash_of_module(file: Path) -> str:
    """The SHA-256 of a module's syntax tree without its docstrings."""
    tree = parsed(file)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not is_docstring(each)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a string that stands by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())
