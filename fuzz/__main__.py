"""`python -m fuzz --minutes N [--target NAME]`: try the targets one after the other, and tell what was found.

Inputs that reach something new are kept in fuzz/found/, findings in fuzz/findings/; git ignores both. To repeat a
finding: `python -m fuzz --target NAME --repeat FILE`. One that was mended becomes a test, and its bytes a part of
fuzz/corpus/.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

TARGETS = ("articles", "slugs", "addresses", "markup", "documents", "requests", "port")
_HERE = Path(__file__).parent
_ROOT = _HERE.parent
# An input that takes longer is a finding; so is one that takes more memory.
_SECONDS, _MEGABYTES = 20, 2048
_LONGEST_BYTES = 16_384
_COUNT = re.compile(rb"stat::number_of_executed_units: *(\d+)")


def main() -> int:
    """1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--minutes", type=float, default=5, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, action="append", help="of these alone")
    parser.add_argument("--repeat", metavar="FILE", help="a finding, to be tried once")
    given = parser.parse_args()
    targets = given.target or TARGETS
    if given.repeat:
        return subprocess.run([*_command(targets[0]), given.repeat], cwd=_ROOT, check=False).returncode
    seconds = max(1, round(given.minutes * 60 / len(targets)))
    found = sum([_run(target, seconds) for target in targets])
    print(f"{found} findings")
    return 1 if found else 0


def _run(target: str, seconds: int) -> int:
    """Try one target for so long; how many findings there are more of it."""
    kept, findings = _HERE / "found" / target, _HERE / "findings"
    kept.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    before = set(findings.glob(f"{target}-*"))
    limits = (f"-max_total_time={seconds}", f"-timeout={_SECONDS}", f"-rss_limit_mb={_MEGABYTES}")
    how = (*limits, f"-max_len={_LONGEST_BYTES}", "-print_final_stats=1", f"-artifact_prefix={findings}/{target}-")
    command = [*_command(target), *how, str(kept), str(_HERE / "corpus" / target)]
    log = (findings / target).with_suffix(".log")
    with log.open("wb") as output:
        subprocess.run(command, cwd=_ROOT, stdout=output, stderr=output, check=False)
    count = _COUNT.search(log.read_bytes())
    new = sorted(set(findings.glob(f"{target}-*")) - before)
    print(f"{target:10} {int(count[1]) if count else 0:>12,} executions, {len(new)} findings", flush=True)
    for each in new:
        print(f"  python -m fuzz --target {target} --repeat {each.relative_to(_ROOT)}", flush=True)
    if count is None:
        print(f"  it ended early: {log.relative_to(_ROOT)}")
    return len(new) + (count is None and not new)


def _command(target: str) -> list[str]:
    return [sys.executable, "-m", "fuzz.one", target]


if __name__ == "__main__":
    sys.exit(main())
