"""Stage `code`: the fingerprint of each stage's code, a file a stage.

A stage depends on its own fingerprint: a change anywhere in the project runs this one, in a second, and of
the others those whose code it touched.
"""

from pathlib import Path

from pipeline import imports
from pipeline.files import new_folder
from stages import run


def main(out: Path) -> None:
    """Write to folder OUT, for each stage, the hashes of all files of this project that it imports."""
    modules = sorted(path.stem for path in Path("stages").glob("*.py") if path.stem != "__init__")
    with new_folder(out) as folder:
        for name in modules:
            (folder / f"{name}.txt").write_text(imports.fingerprint(f"stages.{name}"))


if __name__ == "__main__":
    run(main)
