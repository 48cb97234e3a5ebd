//! Kernel texts: WGSL with a few template lines, so that one file serves every format, fusion and tile size.
//!
//! ```text
//! //#if FLAG      lines kept where FLAG is set        //#else   otherwise        //#end
//! //#for i in N   lines repeated for i = 0..N, "$i" replaced; N a number or the name of one        //#end
//! $NAME           replaced by a number
//! @binding(#)     numbered in order, counting only what is kept
//! ```

/// Two files as one template: what several kernels share stands in the first.
macro_rules! with_head {
    ($head:literal, $body:literal) => {
        concat!(
            include_str!(concat!("../../../shaders/kernels/", $head, ".wgsl")),
            include_str!(concat!("../../../shaders/kernels/", $body, ".wgsl"))
        )
    };
}
pub(crate) use with_head;

/// A template and what it is instantiated with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    /// The file.
    pub(crate) template: &'static str,
    /// Names that are set.
    pub(crate) flags: Vec<&'static str>,
    /// Names that stand for numbers.
    pub(crate) numbers: Vec<(&'static str, u32)>,
}

impl Text {
    /// WGSL.
    pub(crate) fn instance(&self) -> String {
        let lines: Vec<&str> = self.template.lines().collect();
        let mut out = String::with_capacity(self.template.len() * 2);
        self.expand(&lines, &self.numbers, &mut out);
        number_bindings(&out)
    }

    fn expand(&self, lines: &[&str], numbers: &[(&str, u32)], out: &mut String) {
        let mut rest = lines;
        while let Some((line, tail)) = rest.split_first() {
            rest = tail;
            let Some(command) = line.trim_start().strip_prefix("//#") else {
                out.push_str(&substitute(line, numbers));
                out.push('\n');
                continue;
            };
            let (body, otherwise, after) = block(tail);
            rest = after;
            match command.split_whitespace().collect::<Vec<_>>()[..] {
                ["if", flag] => {
                    self.expand(if self.flags.contains(&flag) { body } else { otherwise }, numbers, out);
                }
                ["for", name, "in", count] => {
                    let count = lookup(count, numbers).or_else(|| count.parse().ok()).unwrap_or(0);
                    for i in 0..count {
                        let mut inner = numbers.to_vec();
                        inner.push((name, i));
                        self.expand(body, &inner, out);
                    }
                }
                _ => out.push_str("#error unknown template line\n"),
            }
        }
    }
}

/// The lines up to the matching `//#else` and `//#end`, and what follows.
fn block<'a, 'b>(lines: &'b [&'a str]) -> (&'b [&'a str], &'b [&'a str], &'b [&'a str]) {
    let (mut depth, mut other) = (0, None);
    for (i, line) in lines.iter().enumerate() {
        let Some(command) = line.trim_start().strip_prefix("//#") else { continue };
        if command.starts_with("end") {
            if depth == 0 {
                let (inside, after) = (lines.get(..i).unwrap_or_default(), lines.get(i + 1..).unwrap_or_default());
                let split = other.unwrap_or(i);
                return (inside.get(..split).unwrap_or_default(), inside.get(split + 1..).unwrap_or_default(), after);
            }
            depth -= 1;
        } else if command.starts_with("else") {
            if depth == 0 {
                other = Some(i);
            }
        } else {
            depth += 1;
        }
    }
    (lines, &[], &[])
}

fn lookup(name: &str, numbers: &[(&str, u32)]) -> Option<u32> {
    numbers.iter().rev().find(|(n, _)| *n == name).map(|(_, value)| *value)
}

/// Replaces `$name` by its number, the innermost meaning first. The name is the longest known one, so that a
/// suffix of WGSL may follow it: `$iu`.
fn substitute(line: &str, numbers: &[(&str, u32)]) -> String {
    let mut parts = line.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let known = (1..=length).rev().find_map(|n| Some((lookup(part.get(..n)?, numbers)?, part.get(n..)?)));
        match known {
            Some((value, rest)) => {
                out.push_str(&value.to_string());
                out.push_str(rest);
            }
            // Left in: no WGSL has it, so validation names the line.
            None => {
                out.push('$');
                out.push_str(part);
            }
        }
    }
    out
}

fn number_bindings(text: &str) -> String {
    let mut parts = text.split("@binding(#)");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (i, part) in parts.enumerate() {
        out.push_str(&format!("@binding({i})"));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_repeated_and_numbered() {
        let template = "@binding(#) a\n//#if B\n@binding(#) b\n//#else\nno b\n//#end\n//#for i in N\nx$iu\n//#for j in 2\ny$i_$j\n//#end\n//#end\n@binding(#) c $N";
        let text =
            |flags| Text { template: Box::leak(template.to_owned().into_boxed_str()), flags, numbers: vec![("N", 2)] };
        let with = "@binding(0) a\n@binding(1) b\nx0u\ny0_0\ny0_1\nx1u\ny1_0\ny1_1\n@binding(2) c 2\n";
        assert_eq!(text(vec!["B"]).instance(), with);
        assert!(text(vec![]).instance().starts_with("@binding(0) a\nno b\nx0u\n"));
    }
}
