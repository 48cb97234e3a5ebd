//! What a pickle mentions, without building anything: the Python objects it names and its model text.
//!
//! Checkpoints are read by a reader that calls nothing; this scan exists to say so loudly when a file asks
//! for code to be run, and to list objects that were left uninterpreted.

use std::collections::{BTreeSet, HashMap};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// `module.name` of every Python object mentioned.
    pub(super) globals: BTreeSet<String>,
    /// The text constant that describes the model, if there is one.
    pub(super) model_text: Option<String>,
}

/// How much harm a Python object would do if it were called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Part of every checkpoint.
    Known,
    /// Not interpreted, worth a line.
    Unknown,
    /// Runs code: the file is refused.
    Unsafe,
}

/// Modules whose functions run programs, load code or touch files.
const UNSAFE_MODULES: &[&str] = &[
    "os",
    "posix",
    "nt",
    "posixpath",
    "ntpath",
    "subprocess",
    "sys",
    "runpy",
    "importlib",
    "imp",
    "shutil",
    "socket",
    "pty",
    "ctypes",
    "code",
    "codeop",
    "commands",
    "popen2",
    "webbrowser",
    "pickle",
    "_pickle",
    "marshal",
    "types",
    "operator",
    "_operator",
    "multiprocessing",
    "threading",
    "signal",
    "tempfile",
    "urllib",
    "http",
    "requests",
    "asyncio",
    "pip",
    "site",
    "timeit",
    "pdb",
    "bdb",
    "profile",
    "cProfile",
    "doctest",
    "trace",
    "io",
    "_io",
    "platform",
    "atexit",
    "torch.hub",
    "torch.serialization",
    "torch.storage._load_from_bytes",
    "torch.jit",
    "numpy.testing",
    "dill",
    "cloudpickle",
    "joblib",
];

/// Harmless built-in types; every other built-in is a function that could be abused.
const BUILT_IN_TYPES: &[&str] = &[
    "int",
    "float",
    "complex",
    "bool",
    "str",
    "bytes",
    "bytearray",
    "list",
    "tuple",
    "dict",
    "set",
    "frozenset",
    "object",
    "slice",
    "range",
    "long",
    "unicode",
];

const KNOWN_MODULES: &[&str] =
    &["torch", "collections", "argparse", "omegaconf", "typing", "numpy", "_codecs", "copyreg", "copy_reg", "pathlib"];

/// Judges a `module.name`.
pub(super) fn trust(global: &str) -> Trust {
    let inside = |modules: &[&str]| {
        modules.iter().any(|m| global.strip_prefix(m).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    if global == "types.SimpleNamespace" {
        return Trust::Known;
    }
    for built_in in ["builtins.", "__builtin__."] {
        if let Some(name) = global.strip_prefix(built_in) {
            return if BUILT_IN_TYPES.contains(&name) { Trust::Known } else { Trust::Unsafe };
        }
    }
    if inside(UNSAFE_MODULES) {
        Trust::Unsafe
    } else if inside(KNOWN_MODULES) {
        Trust::Known
    } else {
        Trust::Unknown
    }
}

/// Bytes being read front to back.
pub(super) struct Cursor<'b>(pub(super) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(super) fn take(&mut self, count: u64) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = tail;
        Some(head)
    }

    /// An unsigned little-endian number of `width` bytes.
    pub(super) fn number(&mut self, width: u64) -> Option<u64> {
        Some(self.take(width)?.iter().rev().fold(0, |n, byte| (n << 8) | u64::from(*byte)))
    }

    pub(super) fn line(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|b| *b == b'\n')?;
        let line = self.take(end as u64)?;
        self.take(1)?;
        Some(line)
    }

    pub(super) fn sized(&mut self, width: u64) -> Option<&'b [u8]> {
        let length = self.number(width)?;
        self.take(length)
    }
}

/// The last two texts pushed, and the texts in the memo: enough to resolve `STACK_GLOBAL`.
#[derive(Default)]
struct Texts {
    module: String,
    name: String,
    memo: HashMap<u64, String>,
    memo_count: u64,
    /// Whether the value on top of the stack is `name`.
    on_top: bool,
}

impl Texts {
    fn push(&mut self, text: String) {
        self.module = std::mem::replace(&mut self.name, text);
        self.on_top = true;
    }

    fn put(&mut self, index: u64) {
        self.memo_count += 1;
        if self.on_top {
            self.memo.insert(index, self.name.clone());
        }
    }

    fn get(&mut self, index: u64) {
        match self.memo.get(&index).cloned() {
            Some(text) => self.push(text),
            None => self.on_top = false,
        }
    }
}

/// Walks a pickle up to its end; `None` when it is cut short or holds an unknown instruction.
pub(super) fn scan(pickle: &[u8]) -> Option<Scan> {
    let mut cursor = Cursor(pickle);
    let mut found = Scan::default();
    let mut texts = Texts::default();
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    loop {
        let op = cursor.number(1)?;
        let op = u8::try_from(op).ok()?;
        let text = match op {
            b'.' => return Some(found),
            // GLOBAL and INST: module and name on two lines.
            b'c' | b'i' => {
                let module = lossy(cursor.line()?);
                let name = lossy(cursor.line()?);
                found.globals.insert(format!("{module}.{name}"));
                None
            }
            // STACK_GLOBAL: module and name from the stack.
            0x93 => {
                found.globals.insert(format!("{}.{}", texts.module, texts.name));
                None
            }
            // Texts: UNICODE, STRING, BINUNICODE, BINSTRING, their short and long forms.
            b'V' | b'S' => Some(cursor.line()?),
            b'X' | b'T' => Some(cursor.sized(4)?),
            b'U' | 0x8c => Some(cursor.sized(1)?),
            0x8d => Some(cursor.sized(8)?),
            // Memo.
            b'q' | b'r' => {
                let index = cursor.number(if op == b'q' { 1 } else { 4 })?;
                texts.put(index);
                continue;
            }
            0x94 => {
                let index = texts.memo_count;
                texts.put(index);
                continue;
            }
            b'h' | b'j' => {
                let index = cursor.number(if op == b'h' { 1 } else { 4 })?;
                texts.get(index);
                continue;
            }
            b'p' | b'g' => {
                let index = lossy(cursor.line()?).trim().parse().ok()?;
                if op == b'p' {
                    texts.put(index)
                } else {
                    texts.get(index)
                }
                continue;
            }
            // Everything else only matters for how many bytes it takes.
            b'I' | b'L' | b'F' | b'P' => {
                cursor.line()?;
                None
            }
            0x80 | b'K' | 0x82 => cursor.take(1).map(|_| None)?,
            b'M' | 0x83 => cursor.take(2).map(|_| None)?,
            b'J' | 0x84 => cursor.take(4).map(|_| None)?,
            b'G' | 0x95 => cursor.take(8).map(|_| None)?,
            0x8a | b'C' => cursor.sized(1).map(|_| None)?,
            0x8b | b'B' => cursor.sized(4).map(|_| None)?,
            0x8e | 0x96 => cursor.sized(8).map(|_| None)?,
            b'('
            | b'0'
            | b'1'
            | b'2'
            | b'N'
            | b'R'
            | b'b'
            | b'd'
            | b'l'
            | b't'
            | b's'
            | b'a'
            | b')'
            | b']'
            | b'}'
            | b'e'
            | b'u'
            | b'Q'
            | b'o'
            | 0x81
            | 0x85..=0x89
            | 0x8f..=0x92
            | 0x97
            | 0x98 => None,
            _ => return None,
        };
        match text {
            Some(bytes) => {
                let text = lossy(bytes);
                if found.model_text.is_none() && text.contains("enc_depth=") {
                    found.model_text = Some(text.clone());
                }
                texts.push(text);
            }
            None => texts.on_top = false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_in_both_spellings() {
        let old = scan(b"cos\nsystem\n(S'x'\ntR.").unwrap();
        assert!(old.globals.contains("os.system"));
        let new = scan(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.").unwrap();
        assert!(new.globals.contains("os.system"));
        let memo = scan(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.").unwrap();
        assert!(memo.globals.contains("os.system"));
    }

    #[test]
    fn functions_are_unsafe_and_types_are_not() {
        assert_eq!(trust("os.system"), Trust::Unsafe);
        assert_eq!(trust("builtins.eval"), Trust::Unsafe);
        assert_eq!(trust("builtins.int"), Trust::Known);
        assert_eq!(trust("torch._utils._rebuild_tensor_v2"), Trust::Known);
        assert_eq!(trust("torch.hub.load"), Trust::Unsafe);
        assert_eq!(trust("omegaconf.dictconfig.DictConfig"), Trust::Known);
        assert_eq!(trust("ostrich.Bird"), Trust::Unknown);
    }

    #[test]
    fn a_pickle_that_is_cut_short_or_lies_about_lengths_is_refused() {
        assert!(scan(b"").is_none());
        assert!(scan(b"X\xff\xff\xff\xff").is_none());
        assert!(scan(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.").is_none());
    }
}
