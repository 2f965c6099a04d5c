"""The page of the API: everything that the document describes, in examples that run."""

import re
import subprocess
import sys
from html import unescape

import pytest

from mobigo.texts import all_texts


@pytest.fixture(scope="module")
def page(client):
    answer = client.get("/api")
    assert answer.status_code == 200
    assert "Content-Security-Policy" in answer.headers
    return answer.text


def test_every_address_and_every_parameter_of_the_document_is_told(client, page):
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                assert f"<code>{parameter['name']}</code>" in page
    for name, schema in document["components"]["schemas"].items():
        assert (f'id="s-{name}"' in page) == ("properties" in schema)


def test_every_link_leads_to_a_place_of_the_page(page):
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= {*ids}


def test_every_code_of_a_problem_has_its_place(client, page):
    told = client.get("/api/v6/plan", params={"fromPlace": "x"}).json()
    assert told["type"].startswith("/api#")
    for code in {told["type"].removeprefix("/api#"), *(key[7:] for key in all_texts() if key.startswith("errors."))}:
        assert f'<dt id="{code}">' in page


def test_the_examples_run(client, page):
    snippets = [unescape(code) for code in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, flags=re.DOTALL)]
    base = str(client.base_url).rstrip("/")
    python = [snippet for snippet in snippets if "urllib" in snippet]
    assert len(python) * 3 == len(snippets)
    for snippet in python:
        done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() not in ("", "[]", "{}")
    for snippet in snippets:
        address = re.search(r"http[^'\"]+", snippet)
        assert address
        assert address[0].startswith(base)
        assert client.get(address[0]).status_code == 200
