"""The run's log: `log.csv`, one row per interval, and `log.svg`, its curves."""

from __future__ import annotations

import csv
import math
from pathlib import Path

COLUMNS = (
    "step", "frames", "seconds", "lr", "views", "loss", "camera", "world", "pose", "matching", "depth", "gradient",
    "skipped",
)  # fmt: skip
CURVES = (("loss", "#1f77b4"), ("camera", "#2ca02c"), ("world", "#d62728"), ("pose", "#9467bd"))
WIDTH, HEIGHT, MARGIN = 900, 420, 50


class Log:
    """Appends rows; a resumed run drops the rows after its checkpoint."""

    def __init__(self, folder: Path, step: int) -> None:
        self.folder = folder
        self.rows: list[dict[str, float]] = []
        file = folder / "log.csv"
        if file.is_file():
            with file.open(newline="") as stream:
                reader = csv.DictReader(stream)
                known = [name for name in COLUMNS if name in (reader.fieldnames or ())]
                for row in reader:
                    try:
                        values = dict.fromkeys(COLUMNS, math.nan) | {name: float(row[name]) for name in known}
                    except (KeyError, TypeError, ValueError):
                        break  # a row cut off by a kill
                    if values["step"] <= step:
                        self.rows.append(values)
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    @property
    def seconds(self) -> float:
        """Time spent up to the last row."""
        return self.rows[-1]["seconds"] if self.rows else 0.0

    def add(self, row: dict[str, float]) -> None:
        """One row; absent values are NaN."""
        row = {name: float(row.get(name, math.nan)) for name in COLUMNS}
        self.rows.append(row)
        with (self.folder / "log.csv").open("a", newline="") as stream:
            csv.DictWriter(stream, COLUMNS).writerow(row)

    def plot(self) -> None:
        """Draws the curves, loss on a logarithmic axis."""
        (self.folder / "log.svg").write_text(svg(self.rows))


def svg(rows: list[dict[str, float]]) -> str:
    """All curves against steps."""
    positive = [row[name] for row in rows for name, _ in CURVES if row[name] > 0 and math.isfinite(row[name])]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    if positive:
        low, high = math.log10(min(positive)), math.log10(max(positive))
        high = high if high > low else low + 1
        last = max(row["step"] for row in rows) or 1

        def place(step: float, value: float) -> str:
            x = MARGIN + (WIDTH - 2 * MARGIN) * step / last
            y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (math.log10(value) - low) / (high - low)
            return f"{x:.1f},{y:.1f}"

        for tick in range(5):
            value = 10 ** (low + (high - low) * tick / 4)
            y = place(0, value).split(",")[1]
            parts.append(f'<path d="M{MARGIN},{y}H{WIDTH - MARGIN}" stroke="#ddd"/>')
            parts.append(f'<text x="4" y="{y}" font-size="11">{value:.3g}</text>')
        for index, (name, colour) in enumerate(CURVES):
            points = [place(row["step"], row[name]) for row in rows if row[name] > 0 and math.isfinite(row[name])]
            parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"/>')
            parts.append(f'<text x="{MARGIN + 90 * index}" y="20" font-size="13" fill="{colour}">{name}</text>')
        parts.append(f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 20}" font-size="11">{last:.0f} steps</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
