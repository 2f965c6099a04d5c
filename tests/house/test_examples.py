"""Every command and address that the documents show works as it is written, on the demonstration region."""

import json
import re
import shlex
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mobigo.app import make_app
from mobigo.cli import main
from mobigo.cli.demo import monday_of
from mobigo.cli.frame import ExitCode, settings
from mobigo.services.journeys import open_network
from mobigo.services.network.served import ServedNetwork
from mobigo.settings import Settings
from socle.times import PARIS
from tests.worlds.feeds import SOUND, write_zip
from tests.worlds.site import serving
from tests.worlds.town import STREET, osm_text

ROOT = Path(__file__).parents[2]
HERE = "http://127.0.0.1:8000"
"""Where the documents say that the site is."""
WRITTEN_DAY = "2026-11-24"
"""The Tuesday of the examples; they are tried on the Tuesday of the second week from now."""

RIDE = {
    "carpool_id": "C1",
    "driver": "d1",
    "start_at": "2026-03-02T07:00:00Z",
    "end_at": "2026-03-02T07:40:00Z",
    "official_m": 33_000,
    "rides": [
        {
            "ride_id": "R1",
            "passenger": "p1",
            "operator_class": "B",
            "board_at": "2026-03-02T07:00:00Z",
            "alight_at": "2026-03-02T07:40:00Z",
            "distance_m": 33_000,
        }
    ],
}
OPERATORS = (ROOT / "docs" / "standard-covoiturage.md").read_text("utf-8")

pytestmark = pytest.mark.slow


def examples():
    """Every command of a fenced block that shows a shell; those of the README last, they end with another network."""
    for path in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                words = shlex.split(line, comments=True) if line.startswith((".venv/bin/mobigo", "curl")) else []
                if words:
                    yield pytest.param(words, id=f"{path.stem}:{line.partition(' #')[0].strip()}")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The region built by the command that the README gives, served; its address."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOBIGO_DATA_DIR", str(folder / "var"))
        patch.chdir(folder)
        settings.cache_clear()
        assert main(["demo"]) == ExitCode.OK
        write_zip(folder / "ter.zip", SOUND)
        write_zip(folder / "tgv.zip", SOUND)
        streets = osm_text({1: (0, 0), 2: (100, 0)}, [((1, 2), STREET)])  # known by its bytes, not by its name
        (folder / "region.osm.pbf").write_text(streets, "utf-8")
        (folder / "rides.jsonl").write_text(json.dumps(RIDE), "utf-8")
        (folder / "offers.json").write_text(re.search(r"^```json\n(.*?)^```", OPERATORS, re.DOTALL | re.MULTILINE)[1])
        served = Settings(_env_file=None, data_dir=folder / "var", standard_covoiturage_open=True)
        network = ServedNetwork(served.data_dir, lambda release: open_network(release, 0))
        with serving(make_app(network, served)) as address:
            yield address
        settings.cache_clear()


@pytest.mark.parametrize("words", list(examples()))
def test_an_example_works(words, site, capsys):
    monday = monday_of(datetime.now(PARIS).date())
    words = [word.replace(WRITTEN_DAY, (monday + timedelta(days=8)).isoformat()) for word in words]
    if words[0] == "curl":
        with urllib.request.urlopen(words[-1].replace(HERE, site)) as answer:
            assert answer.status == 200
            assert len(answer.read()) > 100
    else:
        assert main(words[1:]) == ExitCode.OK, capsys.readouterr().err
        assert capsys.readouterr().out


def test_there_are_examples_of_each_door():
    assert {words.values[0][0] for words in examples()} == {".venv/bin/mobigo", "curl"}
