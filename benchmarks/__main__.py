"""`make bench`: each figure a JSON object on a line, as a ratio to a baseline of the same run."""

from __future__ import annotations

import json
import sys

from benchmarks import decide, edits, forms, imports, intake, pages, replay, reports, road


def main() -> None:
    wanted = sys.argv[1:]
    for module in (decide, edits, replay, road, intake, imports, forms, pages, reports):
        if wanted and module.__name__.rpartition(".")[2] not in wanted:
            continue
        for figure in module.run():
            print(json.dumps(figure, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
