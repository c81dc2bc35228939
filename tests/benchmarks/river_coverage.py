"""Do river windows hold what they promise? `python tests/benchmarks/river_coverage.py [--small] [--out FOLDER]`.

Rivers are drawn whose truth is known (`tests/topology/river_truth.py`), run past six stations with errors, and forecast by the footprint
before any detection and after one, two and four. The first row is the river the settings assume; the others show what wrong ones cost.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.topology.river_truth import CORRELATION_KM, LOG_SD, coverage, draw

TRUTHS = ((CORRELATION_KM, LOG_SD), (400.0, LOG_SD), (100.0, LOG_SD), (3000.0, LOG_SD), (CORRELATION_KM, 0.25), (CORRELATION_KM, 0.6))
PASSAGES = (0, 1, 2, 4)
SEED = 1959


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="fewer rivers; its figures are rough")
    parser.add_argument("--out", type=Path, help="also write the table to FOLDER/river_coverage.md")
    chosen = parser.parse_args()
    rivers = 60 if chosen.small else 1500
    lines = [f"# Coverage of river windows, {rivers} rivers each; assumed: correlation {CORRELATION_KM:g} km, log_sd {LOG_SD:g}", ""]
    lines += ["| true correlation km, log_sd | passages | in P10-P90 | in P5-P95 | (P90-P10)/P50 | forecasts |", "|---" * 6 + "|"]
    held = True
    for correlation_km, log_sd in TRUTHS[:1] if chosen.small else TRUTHS:
        seen = draw(rivers, SEED, correlation_km, log_sd)
        for passages in PASSAGES:
            found = coverage(seen, passages)
            lines.append(
                f"| {correlation_km:g}, {log_sd:g} | {passages} | {found.p80:.1%} | {found.p90:.1%} | {found.width:.2f} | {found.cases} |"
            )
            if (correlation_km, log_sd) == TRUTHS[0]:
                held = held and 0.75 <= found.p80 <= 0.85
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "river_coverage.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    return 0 if held or chosen.small else 1


if __name__ == "__main__":
    raise SystemExit(main())
