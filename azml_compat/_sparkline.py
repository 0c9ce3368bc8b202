"""A line chart the size of a word, as SVG that needs neither a library nor a style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

_WIDTH = 160
_HEIGHT = 28
_MARGIN = 3
"""Around the line, so that neither it nor the dot at its end is cut off."""
_COLOR = "#1c7ed6"
"""Stands out from white and from black alike: a notebook's theme is not known here."""


def sparkline(values: Sequence[float], label: str) -> str:
    """Return a chart of values over their index, as SVG; NaN and infinity are gaps in the line.

    Args:
        values: However many; of more than the width can show, the extremes are drawn.
        label: Shown to whoever hovers over the chart, and said to whoever cannot see it.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    # In halves, because the distance of two floats may be beyond a float.
    half_range = high / 2 - low / 2
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(values) - 1)

    def place(index: int) -> str:
        part = (values[index] / 2 - low / 2) / half_range if half_range else 0.5
        return f"{_MARGIN + index * step:.1f} {_HEIGHT - _MARGIN - part * (_HEIGHT - 2 * _MARGIN):.1f}"

    lines = [[place(index) for index in line] for line in _lines(values)]
    path = "".join(f"M{'L'.join(line)}" for line in lines)
    # Where nothing follows, and where a point stands alone.
    dots = [line[-1] for line in lines if len(line) == 1 or line is lines[-1]]
    circles = ('<circle cx="{}" cy="{}" r="2" fill="{}"/>'.format(*dot.split(), _COLOR) for dot in dots)
    # Jupyter's style sheet lets a picture shrink, to nothing where a table is wide.
    size = f'width="{_WIDTH}" height="{_HEIGHT}" style="min-width:{_WIDTH}px"'
    return (
        f'<svg role="img" {size} viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"<title>{escape(label)}</title>"
        f'<path d="{path}" fill="none" stroke="{_COLOR}" stroke-width="1.5" stroke-linejoin="round"/>'
        f"{''.join(circles)}</svg>"
    )


def _lines(values: Sequence[float]) -> Iterator[list[int]]:
    """Yield the indices of what is drawn as one line each, without a gap."""
    line: list[int] = []
    for index in _drawn(values):
        if math.isfinite(values[index]):
            line.append(index)
        elif line:
            yield line
            line = []
    if line:
        yield line


def _drawn(values: Sequence[float]) -> Sequence[int]:
    """Return the indices of the values that a chart can show: of many, the extremes in each column of pixels."""
    count = len(values)
    if count <= 2 * _WIDTH:
        return range(count)
    drawn = {0, count - 1}
    for column in range(_WIDTH):
        indices = range(column * count // _WIDTH, (column + 1) * count // _WIDTH)
        finite = [index for index in indices if math.isfinite(values[index])]
        if finite:
            drawn |= {min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)}
        else:
            drawn.add(indices[0])
    return sorted(drawn)
