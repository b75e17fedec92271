//! Elements, their styles, and the file round them.
use std::fmt::{Display, Write};

/// Where a text stands about its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A picture that is being drawn.
pub struct Svg {
    width: f64,
    body: String,
}

/// Both palettes were checked for readers who do not tell red from green: what differs, differs in
/// lightness, too.
const STYLE: &str = "
text { font: 12px system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #1f2328; }
.ground { fill: #ffffff; }
.title { font-size: 17px; font-weight: 600; }
.heading { font-size: 13px; font-weight: 600; }
.faint { fill: #59636e; font-size: 11px; }
.small { font-size: 10px; fill: #59636e; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.axis { stroke: #59636e; stroke-width: 1; }
.even { stroke: #1f2328; stroke-width: 1.5; }
.goal { stroke: #1f2328; stroke-width: 2; stroke-dasharray: 3 2; }
.range { stroke: #1f2328; stroke-width: 1; opacity: 0.55; }
.reached { fill: #0969da; } .ahead { fill: #79b8ff; } .behind { fill: #d4711c; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.c0 { stroke: #0969da; } .c1 { stroke: #d4711c; } .c2 { stroke: #1a7f37; }
.c3 { stroke: #8250df; } .c4 { stroke: #6e7781; } .c5 { stroke: #bf3989; }
.d0 { fill: #0969da; } .d1 { fill: #d4711c; } .d2 { fill: #1a7f37; }
.d3 { fill: #8250df; } .d4 { fill: #6e7781; } .d5 { fill: #bf3989; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.ground { fill: #0d1117; }
.faint, .small { fill: #9198a1; }
.grid { stroke: #3d444d; } .axis { stroke: #9198a1; }
.even, .goal, .range { stroke: #f0f6fc; }
.reached { fill: #4493f8; } .ahead { fill: #1f4f8f; } .behind { fill: #db8a3c; }
.c0 { stroke: #4493f8; } .c1 { stroke: #db8a3c; } .c2 { stroke: #3fb950; }
.c3 { stroke: #ab7df8; } .c4 { stroke: #9198a1; } .c5 { stroke: #f778ba; }
.d0 { fill: #4493f8; } .d1 { fill: #db8a3c; } .d2 { fill: #3fb950; }
.d3 { fill: #ab7df8; } .d4 { fill: #9198a1; } .d5 { fill: #f778ba; }
}
";

/// How many colours curves have.
pub const COLOURS: usize = 6;

impl Svg {
    /// An empty one, so wide.
    pub fn new(width: f64) -> Self {
        Self { width, body: String::new() }
    }

    /// A line of text.
    pub fn text(&mut self, x: f64, y: f64, class: &str, anchor: Anchor, text: impl Display) {
        let (x, y, anchor, text) = (at(x), at(y), anchor.name(), escape(text));
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" class=\"{class}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// A line of text that is read upwards; its middle is there.
    pub fn upright(&mut self, x: f64, y: f64, class: &str, text: impl Display) {
        let (x, y, text) = (at(x), at(y), escape(text));
        self.add(format_args!(
            "<text transform=\"translate({x} {y}) rotate(-90)\" class=\"{class}\" \
             text-anchor=\"middle\">{text}</text>"
        ));
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = ((at(from.0), at(from.1)), (at(to.0), at(to.1)));
        self.add(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>"
        ));
    }

    /// A rectangle, with what a pointer over it is told.
    pub fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), class: &str, told: &str) {
        let (x, y, width, height) = (at(corner.0), at(corner.1), at(size.0), at(size.1));
        let told = escape(told);
        self.add(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"1.5\" \
             class=\"{class}\"><title>{told}</title></rect>"
        ));
    }

    /// A point, with what a pointer over it is told.
    pub fn dot(&mut self, (x, y): (f64, f64), class: &str, told: &str) {
        let (x, y, told) = (at(x), at(y), escape(told));
        self.add(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" class=\"{class}\"><title>{told}</title></circle>"
        ));
    }

    /// A line through points.
    pub fn through(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> = points.iter().map(|&(x, y)| format!("{},{}", at(x), at(y))).collect();
        let points = points.join(" ");
        self.add(format_args!("<polyline points=\"{points}\" class=\"{class}\"/>"));
    }

    /// The file, so high, with what a reader who cannot see it is told.
    pub fn finish(self, height: f64, title: &str) -> String {
        let Self { width, body } = self;
        let (width, height, title) = (at(width), at(height), escape(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" class=\"ground\"/>\n{body}</svg>\n"
        )
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }
}

/// A coordinate in tenths of a pixel.
fn at(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    format!("{:.1}", value).trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escape(text: impl Display) -> String {
    let mut escaped = String::new();
    for letter in text.to_string().chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
pub mod tests {
    use super::{Anchor, Svg, at};

    /// Whether tags nest, attributes are quoted, and no bare `<` or `&` stands in a text: as much of
    /// XML as these files use.
    pub fn is_well_formed(text: &str) -> bool {
        let (mut open, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find('<') {
            let (words, tag) = rest.split_at(at);
            let entity = |part: &str| {
                let name = part.split(';').next().unwrap_or("");
                part.contains(';') && ["amp", "lt", "gt", "quot"].contains(&name)
            };
            if !words.split('&').skip(1).all(entity) {
                return false;
            }
            let Some(end) = tag.find('>') else { return false };
            let inner = &tag[1..end];
            rest = &tag[end + 1..];
            if inner.matches('"').count() % 2 != 0 || inner.contains('<') {
                return false;
            }
            let name = inner.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or("");
            match (inner.starts_with('/'), inner.ends_with('/')) {
                (true, _) if open.pop() != Some(name) => return false,
                (false, false) => open.push(name),
                _ => {}
            }
        }
        open.is_empty() && rest.trim().is_empty()
    }

    #[test]
    fn a_file_is_well_formed_whatever_it_is_told() {
        let mut svg = Svg::new(100.0);
        let name = "a <b> & \"c\" \u{1}";
        svg.text(1.0, f64::NAN, "title", Anchor::Start, name);
        svg.upright(1.0, 2.0, "faint", name);
        svg.rectangle((0.0, 0.0), (f64::INFINITY, 2.0), "reached", name);
        svg.through(&[(1.0, 2.0), (3.25, 4.0)], "curve c0");
        svg.dot((1.0, 1.0), "d0", name);
        svg.line((0.0, 0.0), (1.0, 1.0), "grid");
        let file = svg.finish(50.0, name);
        assert!(is_well_formed(&file), "{file}");
        assert!(file.contains("a &lt;b&gt; &amp; &quot;c&quot;") && !file.contains('\u{1}'));
        assert!(!file.contains("NaN") && !file.contains("inf"));
        assert!(file.contains("points=\"1,2 3.2,4\"") || file.contains("points=\"1,2 3.3,4\""));
    }

    #[test]
    fn what_is_not_well_formed_is_told_from_what_is() {
        assert!(is_well_formed("<a><b x=\"1\"/>&amp;</a>\n"));
        for broken in ["<a>", "<a></b>", "<a>&</a>", "<a x=\"1></a>", "</a>", "<a/>x"] {
            assert!(!is_well_formed(broken), "{broken}");
        }
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([at(1.0), at(0.25), at(-2.13), at(f64::NAN)], ["1", "0.2", "-2.1", "0"]);
    }
}
