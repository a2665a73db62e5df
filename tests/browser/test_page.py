"""The report in a real browser: no sideways scroll, no axe violation, nothing that needs a script.

An optional tier: set JOURNEYMINE_CHROMIUM to the program of a Chromium, and JOURNEYMINE_AXE to the path of
`axe.min.js` of the npm package axe-core. What did not run is named in the summary.
"""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.reporting.render import fragment_fixes, render_html

if TYPE_CHECKING:
    from types import ModuleType

CHROMIUM = shutil.which(os.environ.get("JOURNEYMINE_CHROMIUM", ""))
AXE = os.environ.get("JOURNEYMINE_AXE")
WIDTHS = (390, 720, 900, 1080, 1500)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=60000",
    "--timeout=90000",
]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="JOURNEYMINE_CHROMIUM is not set: the browser tier did not run"
)


def samples(name: str = "sample_report") -> ModuleType:
    path = Path(__file__).parent.parent / "reporting" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def ranked() -> list[tuple[str, str, int]]:
    """Pages of rankings whose details are all open."""
    module = samples("fix_rankings")
    reports = {"money": module.report(money=True), "named": module.hostile()}
    return [
        (f"{kind} {lang} {width}", render_html(report, lang).replace("<details>", "<details open>"), width)
        for (kind, report), lang, width in product(reports.items(), ("en", "fr"), WIDTHS)
    ]


def run(tmp_path: Path, frames: list[tuple[str, str, int]], script: str) -> Any:
    """Open pages in frames of given widths, run a script over them, return what it put into the page."""
    body = "".join(
        f'<iframe name="{html.escape(name)}" width="{width}" height="900" '
        f'srcdoc="{html.escape(page)}"></iframe>'
        for name, page, width in frames
    )
    wrapper = tmp_path / "wrapper.html"
    wrapper.write_text(
        f'<!doctype html><body>{body}<pre id="out"></pre><script>window.onload=async()=>{{const out=[];'
        f"for(const f of document.querySelectorAll('iframe')){{{script}}}"
        "document.getElementById('out').textContent='RESULT'+JSON.stringify(out)+'END'}</script>",
        encoding="utf-8",
    )
    assert CHROMIUM is not None
    dump = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", wrapper.as_uri()],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    ).stdout
    found = re.search(r"RESULT(.*?)END</pre>", dump, re.DOTALL)
    assert found, "the page did not finish"
    return json.loads(html.unescape(found.group(1)))


def pages() -> list[tuple[str, str, int]]:
    module = samples()
    cases = product(("sample", "hostile", "six_cases", "without_goal"), ("en", "fr"), WIDTHS)
    return [
        (f"{kind} {lang} {width}", render_html(getattr(module, kind)(), lang), width)
        for kind, lang, width in cases
    ]


def test_the_page_never_scrolls_sideways(tmp_path: Path) -> None:
    script = "const d=f.contentDocument.documentElement;out.push([f.name,d.scrollWidth-d.clientWidth]);"
    shown = [*pages(), *ranked()]
    result = run(tmp_path, shown, script)
    assert len(result) == len(shown)
    assert [row for row in result if row[1] > 0] == []


def test_two_fragments_on_one_page_share_no_id(tmp_path: Path) -> None:
    module = samples()
    both = fragment_fixes(module.sample(), "en") + fragment_fixes(module.sample(), "fr")
    script = "out.push([...f.contentDocument.querySelectorAll('[id]')].map(e=>e.id));"
    ids = run(tmp_path, [("both", both, 900)], script)[0]
    assert ids
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(not AXE, reason="JOURNEYMINE_AXE is not set: axe did not run")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(tmp_path: Path, theme: str) -> None:
    assert AXE
    axe = Path(AXE).read_text(encoding="utf-8")
    module = samples()
    frames = []
    shown = [
        (f"{kind} {lang} {width}", render_html(getattr(module, kind)(), lang), width)
        for kind, lang, width in product(("sample", "without_goal"), ("en", "fr"), (390, 900, 1500))
    ]
    shown += [
        (name, page, width) for name, page, width in ranked() if width in {390, 1500} and "money" in name
    ]
    for name, made, width in shown:
        # axe must run inside the page, which the content security policy rightly forbids.
        page = re.sub(r"<meta http-equiv=[^>]*>", "", made)
        page = page.replace("<html ", f'<html data-theme="{theme}" ', 1)
        page = page.replace(
            "</head>", "<script>" + axe.replace("</script", "<\\/script") + "</script></head>", 1
        )
        frames.append((name, page, width))
    script = (
        "const r=await f.contentWindow.axe.run({iframes:false,resultTypes:['violations']});"
        "out.push([f.name,r.violations.map(v=>v.id+': '"
        "+v.nodes.slice(0,3).map(n=>n.html.slice(0,160)).join(' | '))]);"
    )
    result = run(tmp_path, frames, script)
    assert len(result) == len(frames)
    assert [row for row in result if row[1]] == []
