"""Headless Chromium, for tests that look at pages. A module that imports this skips where there is no playwright."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
expect = playwright.expect

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, ("/usr/bin/chromium", *_NAMES))), None)
MARKS = [
    pytest.mark.browser,
    pytest.mark.extra,
    pytest.mark.skipif(CHROMIUM is None, reason=f"no Chromium on this machine ({', '.join(_NAMES)})"),
]
PATIENCE_MS = 60_000
"""How long to wait for what ought to be on a page; nearly always it is there within two seconds."""


@contextmanager
def browser_context(**options):
    """Yield a context of a headless browser. Its pages share one cache: MLflow's scripts are megabytes."""
    switches = ("sandbox", "first-run")
    features = ("gpu", "quic", "background-networking", "component-update", "sync")
    arguments = [*(f"--no-{name}" for name in switches), *(f"--disable-{name}" for name in features)]
    expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        yield context
        browser.close()
