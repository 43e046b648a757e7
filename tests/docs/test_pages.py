"""The pages: links lead somewhere, the reference is that of the code, `make docs` serves them."""

import json
import re
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer
from urllib.parse import urljoin

import pytest
from helpers.project import ROOT
from ruamel.yaml import YAML

from stages import docs, reference

PAGES = sorted((ROOT / "docs").rglob("*.md"))
TOPICS = sorted((ROOT / "docs/tutorial").glob("[0-9]*.md"))
LINK = re.compile(r'(?:\]\(|src=")([^)#\s"]+)')
ANCHOR = re.compile(r"\]\(([^)#\s:]+\.md)#([^)]+)\)")


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    targets = LINK.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    for target in (each for each in targets if not re.match(r"[a-z]+:", each)):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_a_link_to_a_section_names_one_that_is_there(page):
    for target, anchor in ANCHOR.findall(page.read_text("utf-8")):
        there = docs.rendered((page.parent / target).read_text("utf-8"))
        assert f'id="{anchor}"' in there, f"{target}#{anchor}"


def test_the_script_for_slurm_is_one_that_bash_can_read():
    (script,) = re.findall(
        r"^```bash\n(#!.*?)^```", (ROOT / "docs/machines.md").read_text("utf-8"), re.M | re.S
    )
    assert "\nsrun torchrun " in script
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_is_a_page_with_a_picture_and_the_commands():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert max(map(len, text.splitlines())) <= 150
    for part in ("docs/claim.png", "make claim", "make repro", "make test", "docs/tutorial/index.md"):
        assert part in text, part


def test_the_contents_list_every_page_once():
    listed = LINK.findall((ROOT / "docs/index.md").read_text("utf-8").partition("\n## ")[2])
    assert sorted(listed) == [
        str(page.relative_to(ROOT / "docs"))
        for page in PAGES
        if page.parent != ROOT / "docs" or page.name != "index.md"
    ]


@pytest.mark.parametrize("page", TOPICS, ids=lambda page: page.stem)
def test_a_topic_has_question_command_picture_exercise_and_answer(page):
    text = page.read_text("utf-8")
    for part in (
        "**Question.**",
        "## The command",
        "## The picture",
        "## What is seen",
        "## Exercise",
        "<details>",
    ):
        assert part in text, part
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", text)
    assert 40 <= len(text.splitlines()) <= 90


def test_every_problem_of_the_problem_set_has_its_page_its_code_and_its_test():
    text = (ROOT / "docs/tutorial/index.md").read_text("utf-8").partition("## The problem set")[2]
    problems = re.findall(r"^\| (\d[a-d]?)\. (.*)", text, re.MULTILINE)
    assert [number for number, _ in problems] == ["1", "2", "3a", "3b", "3c", "3d"]
    for number, row in problems:
        links = " ".join(LINK.findall(row))
        assert re.search(r"\d\d-[\w-]+\.md", links), number
        assert "../../pipeline/" in links, number
        assert "../../tests/" in links or row.endswith("| the same |"), number


def test_the_parameters_page_is_what_the_command_writes(tmp_path):
    reference.main(tmp_path / "parameters.md")
    committed = (ROOT / "docs/reference/parameters.md").read_text("utf-8")
    assert (tmp_path / "parameters.md").read_text("utf-8") == committed
    assert not re.search(r"\|  \|$", committed, re.MULTILINE), "a key without a meaning"


def test_every_metric_stands_in_the_reference():
    text = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    found = {
        name for file in (ROOT / "reports/metrics").glob("*.json") for name in json.loads(file.read_text())
    }
    gains = {f"gain_{num}" for num in (4, 8, 16)}  # of which the page names the first and the last
    assert sorted(name for name in found - gains if f"`{name}`" not in text) == []


def test_every_kind_of_output_stands_in_the_reference():
    text = (ROOT / "docs/reference/outputs.md").read_text("utf-8")
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"].values()
    for stage in (each.get("do", each) for each in stages):
        for out in [*stage["outs"], *stage.get("metrics", [])]:
            path = (next(iter(out)) if isinstance(out, dict) else out).split("${")[0]
            folder = path.rpartition("/")[0] if path.endswith(("-", ".json")) else path.rstrip("/")
            assert folder in text, path


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer((docs.HOST, 0), docs.Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{docs.HOST}:{server.server_port}"
        server.shutdown()


def test_the_first_page_is_the_index_and_a_topic_shows_its_figures_and_its_answer(address):
    with urllib.request.urlopen(address) as answer:
        assert answer.url.endswith("/docs/index.md")
    with urllib.request.urlopen(f"{address}/docs/tutorial/10-diffusion.md") as answer:
        text = answer.read().decode()
    assert (
        '<a href="/docs/tutorial/10-diffusion.md" aria-current="page">10. Diffusion and flows</a></li>'
        in text
    )
    assert '<h2 id="what-is-seen">' in text
    assert "<summary>Answer</summary>" in text
    assert "<table>" in text
    for image in re.findall(r'<img src="([^"]+)"', text):
        with urllib.request.urlopen(urljoin(f"{address}/docs/tutorial/", image)) as answer:
            assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "path",
    ["/docs/none.md", "/.git/config", "/docs/../../etc/passwd", "/%2e%2e/README.md", "/dvc.lock", "/docs"],
)
def test_nothing_else_is_served(address, path):
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(address + path)
    refused.value.close()
