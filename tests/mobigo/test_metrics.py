import subprocess
import sys

SEVERAL = """
import os, sys
from pathlib import Path
from mobigo import metrics
metrics.share_among_processes(Path(sys.argv[1]))  # the server does so before its processes begin
killed = os.fork()
if not killed:
    os.execv(sys.executable, [sys.executable, "-c", "import os; from mobigo import metrics;"
        "metrics.under_way.inc(); metrics.tries.labels('ring', 'done').inc(); os.kill(os.getpid(), 9)"])
os.waitpid(killed, 0)
sys.stdout.write(metrics.render({"mobigo_jobs": ("Jobs in each state.", {"dead": 3})}).decode())
"""


def test_who_was_killed_answers_nothing_any_more_and_what_it_did_stays_counted(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, str(tmp_path / "metrics")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert 'mobigo_job_tries_total{kind="ring",outcome="done"} 1.0' in lines
    assert 'mobigo_jobs{state="dead"} 3.0' in lines
    assert not [line for line in lines if line.startswith("mobigo_requests_under_way ") and not line.endswith(" 0.0")]
