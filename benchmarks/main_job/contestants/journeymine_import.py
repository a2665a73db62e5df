"""What `import journeymine` costs."""

from __future__ import annotations

import importlib

from _stages import Stages


def main() -> None:
    stages = Stages()
    stages.time("job", lambda: importlib.import_module("journeymine"))
    stages.peak("job")
    stages.print()


if __name__ == "__main__":
    main()
