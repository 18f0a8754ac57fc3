"""Logos: letters of a motif's bases, each position as high as its information."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.explain.record import Filter, Filters
from bench.report.plots import STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours of A C G T: told apart with every common colour blindness.
COLORS = ("#009E73", "#0072B2", "#E69F00", "#D55E00")
#: Filters of a picture, and in a row of it.
SHOWN, ACROSS = 12, 3


def filters_figure(filters: Filters, title: str) -> Figure:
    """Logos of the filters of the most influence."""
    import matplotlib as mpl

    shown = filters.strongest[:SHOWN]
    rows = -(-len(shown) // ACROSS)
    with mpl.rc_context(STYLE):
        figure = new_figure(11.0, 0.6 + 1.5 * rows)
        figure.suptitle(title, fontsize=10)
        panels = np.atleast_1d(figure.subplots(rows, ACROSS, squeeze=False)).ravel()
        for axes, each in zip(panels, shown, strict=False):
            draw_logo(axes, each.shares)
            axes.set_title(_said(each), loc="left", fontsize=7.5)
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
    return figure


def _said(each: Filter) -> str:
    motif = "no match" if each.match is None else each.match.motif.partition(" ")[2] or each.match.motif
    what = "counts GC" if each.counter else motif
    return f"{each.network + 1}.{each.number + 1}: {what} · influence {100 * each.influence:.1f} %"


def draw_logo(axes: Axes, shares: Sequence[Sequence[float]]) -> None:
    """Draw one motif, the letter of the largest share on top, up to 2 bits."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    bold = FontProperties(family="DejaVu Sans", weight="bold")
    letters = [TextPath((0, 0), letter, size=1, prop=bold) for letter in "ACGT"]
    for at, position in enumerate(np.asarray(shares, float)):
        p = np.maximum(position, 1e-9)
        bits = max(2 + float((p * np.log2(p)).sum()), 0.0)
        low = 0.0
        for base in np.argsort(p, kind="stable"):
            height = bits * float(p[base])
            if height < 0.05:
                continue
            box = letters[base].get_extents()
            fit = Affine2D().translate(-box.x0, -box.y0).scale(0.92 / box.width, height / box.height)
            path = letters[base].transformed(fit.translate(at + 0.04, low))
            axes.add_patch(PathPatch(path, facecolor=COLORS[base], linewidth=0))
            low += height
    axes.set_xlim(0, max(len(shares), 1))
    axes.set_ylim(0, 2)
    axes.set_yticks([0, 1, 2])
    axes.tick_params(labelsize=7)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(True)
