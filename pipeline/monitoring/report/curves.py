"""Curves and bars as inline SVG: no script, no font, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from pipeline.days import Day

PALETTE = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#0891b2", "#65a30d", "#dc2626")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 190, 52, 28, 12


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, three to six of them."""
    if high <= low:
        return [low]
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= 0.75 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.4g}"


def lines(
    series: Mapping[str, Sequence[tuple[Day, float]]], *, skipped: Sequence[Day] = (), today: Day | None = None
) -> Markup:
    """One line an experiment over days; skipped days are grey bands, ``today`` a vertical line."""
    points = [point for values in series.values() for point in values]
    if not points:
        return Markup("<p class='none'>nothing tested yet</p>")
    first, last = min(day for day, _ in points), max(day for day, _ in points)
    low, high = min(value for _, value in points), max(value for _, value in points)
    margin = (high - low) * 0.08 or max(abs(high) * 0.01, 1e-6)
    low, high = low - margin, high + margin
    span = max(last - first, 1)

    def x(day: Day) -> float:
        return LEFT + (WIDTH - LEFT - 12) * (day - first) / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = [f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' preserveAspectRatio='xMidYMid meet'>"]
    step = (WIDTH - LEFT - 12) / span
    for day in skipped:
        if first <= day <= last:
            parts.append(
                f"<rect class='gap' x='{x(day) - step / 2:.1f}' y='{TOP}' width='{max(step, 2):.1f}' "
                f"height='{HEIGHT - TOP - BOTTOM}'><title>{day}: skipped</title></rect>"
            )
    for tick in _ticks(low, high):
        level = f"{y(tick):.1f}"
        parts.append(
            f"<line class='grid' x1='{LEFT}' x2='{WIDTH - 12}' y1='{level}' y2='{level}'/>"
            f"<text class='tick' x='{LEFT - 6}' y='{y(tick) + 4:.1f}' text-anchor='end'>{_number(tick)}</text>"
        )
    ends = [(first, "start"), (last, "end")]
    for day, anchor in ends if last > first else ends[:1]:
        parts.append(f"<text class='tick' x='{x(day):.1f}' y='{HEIGHT - 8}' text-anchor='{anchor}'>{day}</text>")
    if today is not None and first <= today <= last:
        parts.append(f"<line class='today' x1='{x(today):.1f}' x2='{x(today):.1f}' y1='{TOP}' y2='{HEIGHT - BOTTOM}'/>")
    for number, (name, values) in enumerate(series.items()):
        if not values:
            continue
        colour = PALETTE[number % len(PALETTE)]
        path = " ".join(f"{x(day):.1f},{y(value):.1f}" for day, value in values)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.8'/>")
        if len(values) <= 120:
            parts += [
                f"<circle cx='{x(day):.1f}' cy='{y(value):.1f}' r='2.6' fill='{colour}'>"
                f"<title>{escape(name)} {day}: {_number(value)}</title></circle>"
                for day, value in values
            ]
    parts.append("</svg>")
    legend = "".join(
        f"<span><i style='background:{PALETTE[number % len(PALETTE)]}'></i>{escape(name)}</span>"
        for number, name in enumerate(series)
    )
    return Markup("".join(parts) + f"<p class='legend'>{legend}</p>")


def trace(values: Sequence[float], label: str) -> Markup:
    """One curve over steps, such as the loss of a day's batches."""
    if len(values) < 2:
        return Markup("<p class='none'>too few steps for a curve</p>")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    path = " ".join(
        f"{LEFT + (WIDTH - LEFT - 12) * n / (len(values) - 1):.1f},"
        f"{TOP + (HEIGHT - TOP - BOTTOM) * (high - v) / span:.1f}"
        for n, v in enumerate(values)
    )
    ticks = "".join(
        f"<text class='tick' x='{LEFT - 6}' y='{TOP + (HEIGHT - TOP - BOTTOM) * (high - t) / span + 4:.1f}' "
        f"text-anchor='end'>{_number(t)}</text>"
        for t in _ticks(low, high)
    )
    return Markup(
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'><title>{escape(label)}</title>{ticks}"
        f"<polyline points='{path}' fill='none' stroke='{PALETTE[0]}' stroke-width='1.4'/>"
        f"<text class='tick' x='{WIDTH - 12}' y='{HEIGHT - 8}' text-anchor='end'>{len(values)} batches</text></svg>"
    )


def calibration(bins: Sequence[Sequence[float]]) -> Markup:
    """Share of positives over mean prediction, a point a bin with its 95 % interval; on the diagonal is right.

    Args:
        bins: mean prediction, share of positives and rows of each.
    """
    if not bins:
        return Markup("<p class='none'>nothing was tested</p>")
    spans = [_wilson(share, rows) for _, share, rows in bins]
    top = max(max(predicted, high) for (predicted, _, _), (_, high) in zip(bins, spans, strict=True)) * 1.05 or 1.0
    side = HEIGHT - TOP - BOTTOM

    def x(value: float) -> float:
        return LEFT + side * value / top

    def y(value: float) -> float:
        return TOP + side * (1 - value / top)

    parts = [
        f"<svg viewBox='0 0 {LEFT + side + 12} {HEIGHT}' role='img'>"
        "<title>share of positives over mean prediction</title>"
        f"<line class='today' x1='{x(0):.1f}' y1='{y(0):.1f}' x2='{x(top):.1f}' y2='{y(top):.1f}'/>"
    ]
    for tick in _ticks(0, top)[1:]:
        parts.append(
            f"<line class='grid' x1='{LEFT}' x2='{LEFT + side}' y1='{y(tick):.1f}' y2='{y(tick):.1f}'/>"
            f"<text class='tick' x='{LEFT - 6}' y='{y(tick) + 4:.1f}' text-anchor='end'>{tick:.2g}</text>"
        )
    for value, anchor in ((0.0, "start"), (top, "end")):
        parts.append(
            f"<text class='tick' x='{x(value):.1f}' y='{HEIGHT - 8}' text-anchor='{anchor}'>{value:.2g}</text>"
        )
    for (predicted, share, rows), (low, high) in zip(bins, spans, strict=True):
        parts.append(
            f"<line x1='{x(predicted):.1f}' x2='{x(predicted):.1f}' y1='{y(low):.1f}' y2='{y(high):.1f}' "
            f"stroke='{PALETTE[0]}' stroke-opacity='.5'/>"
            f"<circle cx='{x(predicted):.1f}' cy='{y(share):.1f}' r='3' fill='{PALETTE[0]}'>"
            f"<title>{rows:,.0f} rows: predicted {_number(predicted)}, positive {_number(share)}</title></circle>"
        )
    return Markup("".join(parts) + "</svg>")


def _wilson(share: float, rows: float) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in so many rows (Wilson)."""
    z = 1.96
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def bars(counts: Mapping[str, int]) -> Markup:
    """Horizontal bars with their numbers."""
    most = max(counts.values(), default=0)
    if not most:
        return Markup("<p class='none'>none</p>")
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='bar'><i style='width:{100 * count / most:.1f}%'></i></td>"
        f"<td>{count:,}</td></tr>"
        for name, count in counts.items()
    )
    return Markup(f"<table class='bars'>{rows}</table>")
