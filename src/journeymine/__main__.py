"""`python -m journeymine` is `journeymine`."""

from __future__ import annotations

from journeymine.cli import main

if __name__ == "__main__":
    main()
