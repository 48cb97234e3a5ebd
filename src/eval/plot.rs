//! Small line plots as SVG.

use std::fmt::Write;

/// A line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its points. What is not finite interrupts it.
    pub points: Vec<[f64; 2]>,
}

/// A plot of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Above it.
    pub title: String,
    /// Below the horizontal axis and beside the vertical one.
    pub axes: [String; 2],
    /// Whether a unit is equally long on both axes (maps).
    pub equal: bool,
    /// What it shows.
    pub lines: Vec<Line>,
}

/// Colours that differ for most eyes (Okabe and Ito).
const COLORS: [&str; 6] = ["#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00"];
const SIZE: [f64; 2] = [640.0, 420.0];
const MARGIN: [f64; 4] = [64.0, 16.0, 34.0, 46.0]; // left, right, top, bottom

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A step of 1, 2 or 5 times a power of ten that divides `range` into about five.
fn step(range: f64) -> f64 {
    let raw = range / 5.0;
    let power = 10.0_f64.powf(raw.log10().floor());
    let lead = raw / power;
    power
        * if lead < 1.5 {
            1.0
        } else if lead < 3.5 {
            2.0
        } else if lead < 7.5 {
            5.0
        } else {
            10.0
        }
}

impl Plot {
    /// The extent of all points, never empty.
    fn extent(&self) -> [[f64; 2]; 2] {
        let mut extent = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for point in self.lines.iter().flat_map(|l| &l.points).filter(|p| p.iter().all(|v| v.is_finite())) {
            for (range, v) in extent.iter_mut().zip(point) {
                *range = [range[0].min(*v), range[1].max(*v)];
            }
        }
        for range in &mut extent {
            if range[0] > range[1] {
                *range = [0.0, 1.0];
            }
            let pad = ((range[1] - range[0]) * 0.05).max(1e-6 * range[1].abs()).max(1e-9);
            *range = [range[0] - pad, range[1] + pad];
        }
        extent
    }

    /// The plot as an SVG document.
    #[must_use]
    pub fn svg(&self) -> String {
        let [left, right, top, bottom] = MARGIN;
        let room = [SIZE[0] - left - right, SIZE[1] - top - bottom];
        let mut extent = self.extent();
        if self.equal {
            let unit = (0..2).map(|k| (extent[k][1] - extent[k][0]) / room[k]).fold(0.0, f64::max);
            for (range, room) in extent.iter_mut().zip(room) {
                let (middle, half) = (f64::midpoint(range[0], range[1]), unit * room / 2.0);
                *range = [middle - half, middle + half];
            }
        }
        let place = |point: [f64; 2]| {
            let share = |k: usize| (point[k] - extent[k][0]) / (extent[k][1] - extent[k][0]);
            [left + share(0) * room[0], top + (1.0 - share(1)) * room[1]]
        };
        let mut out = String::new();
        let [width, height] = SIZE;
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
             <text x=\"{left}\" y=\"20\" font-size=\"14\">{}</text>",
            escape(&self.title)
        );
        for (k, range) in extent.iter().enumerate() {
            let step = step(range[1] - range[0]);
            let mut tick = (range[0] / step).ceil() * step;
            while tick <= range[1] {
                let mut at = [extent[0][0], extent[1][0]];
                at[k] = tick;
                let [x, y] = place(at);
                let (line, text) = if k == 0 {
                    (format!("x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{y:.1}\""), [x, y + 16.0])
                } else {
                    (format!("x1=\"{x:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"", x + room[0]), [x - 6.0, y + 4.0])
                };
                let anchor = if k == 0 { "middle" } else { "end" };
                let shown = format!("{:.4}", tick + 0.0);
                let shown = shown.trim_end_matches('0').trim_end_matches('.');
                let _ = writeln!(
                    out,
                    "<line {line} stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{shown}</text>",
                    text[0], text[1]
                );
                tick += step;
            }
        }
        let [x, y] = self.axes.each_ref().map(|name| escape(name));
        let (middle_x, middle_y) = (left + room[0] / 2.0, top + room[1] / 2.0);
        let _ = writeln!(
            out,
            "<text x=\"{middle_x}\" y=\"{}\" text-anchor=\"middle\">{x}</text>\n\
             <text transform=\"translate(14 {middle_y}) rotate(-90)\" text-anchor=\"middle\">{y}</text>",
            SIZE[1] - 8.0
        );
        for (i, line) in self.lines.iter().enumerate() {
            let color = COLORS[i % COLORS.len()];
            for run in line.points.split(|p| p.iter().any(|v| !v.is_finite())).filter(|run| !run.is_empty()) {
                let points: Vec<String> =
                    run.iter().map(|&p| place(p)).map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
                let _ = writeln!(
                    out,
                    "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" points=\"{}\"/>",
                    points.join(" ")
                );
                if let Some([x, y]) = run.first().map(|&p| place(p)) {
                    let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
                }
            }
            let y = top + 14.0 + 16.0 * i as f64;
            let x = SIZE[0] - right - 8.0;
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" fill=\"{color}\">{}</text>",
                escape(&line.name)
            );
        }
        out.push_str("</svg>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_of_nothing_and_of_one_point_are_documents() {
        for points in [vec![], vec![[3.0, 3.0]], vec![[0.0, f64::NAN], [1.0, 2.0], [1.5, 2.5]]] {
            let line = Line { name: "a<b".to_owned(), points };
            let axes = ["x".to_owned(), "y".to_owned()];
            let plot = Plot { title: "t & u".to_owned(), axes, equal: true, lines: vec![line] };
            let svg = plot.svg();
            assert!(
                svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf")
            );
            assert!(svg.contains("a&lt;b") && svg.contains("t &amp; u"));
        }
    }

    #[test]
    fn steps_are_round() {
        assert_eq!([1.0, 5.0, 12.0, 0.3].map(step), [0.2, 1.0, 2.0, 0.05]);
    }
}
