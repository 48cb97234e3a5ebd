//! The tensors that a PyTorch pickle describes. Nothing in it is called: of all Python objects only tensors, storages
//! and ordered dictionaries mean something here, everything else becomes a value that nothing reads.
//!
//! Values live in one list and refer to each other by number, so however a pickle nests them, no recursion follows it,
//! and there are never more of them than the pickle has bytes.

use std::collections::HashMap;

use super::pickle_scan::Cursor;

/// Dictionaries inside dictionaries that are looked into.
const MAX_DEPTH: usize = 4;
/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// A tensor inside a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PickledTensor {
    /// Element type as Python names it: `FloatStorage`, `float32`.
    pub(super) element: String,
    /// Name of the storage inside the file.
    pub(super) storage: String,
    /// First element, in elements of the storage.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<u64>,
}

impl PickledTensor {
    /// Whether the elements follow each other row by row.
    pub(super) fn is_row_major(&self) -> bool {
        let mut expected = 1u64;
        self.shape.len() == self.strides.len()
            && self.shape.iter().zip(&self.strides).rev().all(|(dim, stride)| {
                let fits = *dim <= 1 || *stride == expected;
                expected = expected.saturating_mul(*dim as u64);
                fits
            })
    }
}

/// A value, by its number.
type Id = usize;

#[derive(Debug)]
enum Value {
    Int(u64),
    Text(String),
    Global(String),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Storage {
        element: String,
        key: String,
    },
    Tensor(PickledTensor),
    /// Lists, sets, numbers and objects that no tensor needs.
    Other,
}

#[derive(Default)]
struct Machine {
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine {
    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn value(&self, id: Id) -> Option<&Value> {
        self.values.get(id)
    }

    /// What was pushed since the last mark.
    fn since_mark(&mut self) -> Option<Vec<Id>> {
        let mark = self.marks.pop()?;
        (mark <= self.stack.len()).then(|| self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Option<()> {
        let items = self.stack.split_off(self.stack.len().checked_sub(count)?);
        self.push(Value::Tuple(items));
        Some(())
    }

    /// Puts pairs into the dictionary on top of the stack.
    fn set(&mut self, items: &[Id]) -> Option<()> {
        let top = *self.stack.last()?;
        if let Some(Value::Dict(pairs)) = self.values.get_mut(top) {
            pairs.extend(items.as_chunks::<2>().0.iter().map(|[key, value]| (*key, *value)));
        }
        Some(())
    }

    fn text(&self, id: Id) -> Option<&str> {
        match self.value(id)? {
            Value::Text(text) | Value::Global(text) => Some(text),
            _ => None,
        }
    }

    fn int(&self, id: Id) -> Option<u64> {
        if let Value::Int(n) = self.value(id)? { Some(*n) } else { None }
    }

    fn ints(&self, id: Id) -> Option<Vec<u64>> {
        let Value::Tuple(items) = self.value(id)? else { return None };
        if items.len() > MAX_RANK {
            return None;
        }
        items.iter().map(|item| self.int(*item)).collect()
    }

    /// `('storage', type, key, location, elements)`.
    fn storage(&self, id: Id) -> Value {
        let parts = || -> Option<Value> {
            let Value::Tuple(items) = self.value(id)? else { return None };
            let [kind, class, key, ..] = items.as_slice() else { return None };
            if self.text(*kind)? != "storage" {
                return None;
            }
            let element = self.text(*class)?.rsplit('.').next()?.to_owned();
            Some(Value::Storage { element, key: self.text(*key)?.to_owned() })
        };
        parts().unwrap_or(Value::Other)
    }

    /// What a call stands for; it is not made.
    fn call(&self, function: Id, arguments: Id) -> Option<Value> {
        let Value::Global(name) = self.value(function)? else { return None };
        let Value::Tuple(items) = self.value(arguments)? else { return None };
        match name.as_str() {
            "collections.OrderedDict" => Some(Value::Dict(Vec::new())),
            "torch._utils._rebuild_parameter" => match self.value(*items.first()?)? {
                Value::Tensor(tensor) => Some(Value::Tensor(tensor.clone())),
                _ => None,
            },
            "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor_v3" => {
                let [storage, offset, shape, strides, rest @ ..] = items.as_slice() else { return None };
                let Value::Storage { element, key } = self.value(*storage)? else { return None };
                // The third form says the type itself: its storages have none.
                let element = match rest {
                    [_, _, dtype, ..] if name.ends_with("_v3") => self.text(*dtype)?.rsplit('.').next()?.to_owned(),
                    _ => element.clone(),
                };
                let shape = self.ints(*shape)?.into_iter().map(|n| usize::try_from(n).ok()).collect::<Option<_>>()?;
                let (storage, strides, offset) = (key.clone(), self.ints(*strides)?, self.int(*offset)?);
                Some(Value::Tensor(PickledTensor { element, storage, offset, shape, strides }))
            }
            _ => None,
        }
    }

    /// One instruction; `Some(true)` at the end, `None` for a damaged pickle.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Option<bool> {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let op = u8::try_from(cursor.number(1)?).ok()?;
        match op {
            b'.' => return Some(true),
            0x80 => drop(cursor.take(1)?),
            0x95 => drop(cursor.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.stack.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.stack.push(*self.stack.last()?),
            // Numbers.
            b'K' => self.push(Value::Int(cursor.number(1)?)),
            b'M' => self.push(Value::Int(cursor.number(2)?)),
            b'J' => {
                let n = cursor.number(4)?;
                self.push(if n < 1 << 31 { Value::Int(n) } else { Value::Other });
            }
            0x8a => {
                let bytes = cursor.sized(1)?;
                let negative = bytes.last().is_some_and(|b| *b >= 0x80);
                let small = bytes.iter().skip(8).all(|b| *b == 0) && !negative;
                let n = bytes.iter().take(8).rev().fold(0, |n, b| n << 8 | u64::from(*b));
                self.push(if small { Value::Int(n) } else { Value::Other });
            }
            b'I' | b'L' => {
                let n = lossy(cursor.line()?).trim_end_matches('L').parse();
                self.push(n.map_or(Value::Other, Value::Int));
            }
            // Texts.
            b'V' => self.push(Value::Text(lossy(cursor.line()?))),
            b'S' => self.push(Value::Text(lossy(cursor.line()?).trim_matches(['\'', '"']).to_owned())),
            b'X' | b'T' => self.push(Value::Text(lossy(cursor.sized(4)?))),
            b'U' | 0x8c => self.push(Value::Text(lossy(cursor.sized(1)?))),
            0x8d => self.push(Value::Text(lossy(cursor.sized(8)?))),
            // Values that no tensor needs.
            b'F' => {
                cursor.line()?;
                self.push(Value::Other);
            }
            b'G' => {
                cursor.take(8)?;
                self.push(Value::Other);
            }
            0x8b | b'B' => {
                cursor.sized(4)?;
                self.push(Value::Other);
            }
            b'C' => {
                cursor.sized(1)?;
                self.push(Value::Other);
            }
            0x8e | 0x96 => {
                cursor.sized(8)?;
                self.push(Value::Other);
            }
            b'N' | 0x88 | 0x89 | b']' | 0x8f => self.push(Value::Other),
            // Collections.
            b'}' => self.push(Value::Dict(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85..=0x87 => self.tuple(usize::from(op - 0x84))?,
            b't' => {
                let items = self.since_mark()?;
                self.push(Value::Tuple(items));
            }
            b'd' => {
                let items = self.since_mark()?;
                self.push(Value::Dict(Vec::new()));
                self.set(&items)?;
            }
            b's' => {
                let items = self.stack.split_off(self.stack.len().checked_sub(2)?);
                self.set(&items)?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.set(&items)?;
            }
            b'a' => drop(self.stack.pop()?),
            b'e' | 0x90 => drop(self.since_mark()?),
            b'l' | 0x91 => {
                self.since_mark()?;
                self.push(Value::Other);
            }
            // Objects: named, never made.
            b'c' => {
                let (module, name) = (lossy(cursor.line()?), lossy(cursor.line()?));
                self.push(Value::Global(format!("{module}.{name}")));
            }
            0x93 => {
                let (name, module) = (self.stack.pop()?, self.stack.pop()?);
                let global = format!("{}.{}", self.text(module)?, self.text(name)?);
                self.push(Value::Global(global));
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.stack.pop()?, self.stack.pop()?);
                let made = self.call(function, arguments).unwrap_or(Value::Other);
                self.push(made);
            }
            0x92 => {
                let rest = self.stack.len().checked_sub(3)?;
                self.stack.truncate(rest);
                self.push(Value::Other);
            }
            b'i' => {
                cursor.line()?;
                cursor.line()?;
                self.since_mark()?;
                self.push(Value::Other);
            }
            b'o' => {
                self.since_mark()?;
                self.push(Value::Other);
            }
            b'b' => drop(self.stack.pop()?),
            b'P' => {
                cursor.line()?;
                self.push(Value::Other);
            }
            b'Q' => {
                let id = self.stack.pop()?;
                let storage = self.storage(id);
                self.push(storage);
            }
            // Memo.
            b'q' | b'r' => {
                let index = cursor.number(if op == b'q' { 1 } else { 4 })?;
                self.memo.insert(index, *self.stack.last()?);
            }
            b'p' => {
                let index = lossy(cursor.line()?).trim().parse().ok()?;
                self.memo.insert(index, *self.stack.last()?);
            }
            0x94 => {
                let index = self.memo.len() as u64;
                self.memo.insert(index, *self.stack.last()?);
            }
            b'h' | b'j' => {
                let index = cursor.number(if op == b'h' { 1 } else { 4 })?;
                self.stack.push(*self.memo.get(&index)?);
            }
            b'g' => {
                let index: u64 = lossy(cursor.line()?).trim().parse().ok()?;
                self.stack.push(*self.memo.get(&index)?);
            }
            _ => return None,
        }
        Some(false)
    }

    fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        if let Value::Dict(pairs) = self.value(id)? { Some(pairs) } else { None }
    }

    /// Tensors of a dictionary and of those inside it, names joined by dots.
    fn tensors(
        &self,
        id: Id,
        prefix: &str,
        depth: usize,
        budget: &mut usize,
        found: &mut Vec<(String, PickledTensor)>,
    ) {
        for (key, value) in self.dict(id).unwrap_or_default() {
            // One dictionary may stand in many places: what is looked at is counted.
            let Some(left) = budget.checked_sub(1) else { return };
            *budget = left;
            let Some(name) = self.text(*key) else { continue };
            match self.value(*value) {
                Some(Value::Tensor(tensor)) => found.push((format!("{prefix}{name}"), tensor.clone())),
                Some(Value::Dict(_)) if depth > 0 => {
                    self.tensors(*value, &format!("{prefix}{name}."), depth - 1, budget, found);
                }
                _ => {}
            }
        }
    }
}

/// The named tensors of a pickle: those under the first of `keys` that has any, otherwise those of its root. `None` for
/// a damaged pickle, or one whose dictionaries have `limit` entries or more.
pub(super) fn tensors(pickle: &[u8], keys: &[&str], limit: usize) -> Option<Vec<(String, PickledTensor)>> {
    let mut machine = Machine::default();
    let mut cursor = Cursor(pickle);
    while !machine.step(&mut cursor)? {}
    let root = *machine.stack.last()?;
    let under = |key: &str| {
        let named = |(name, _): &&(Id, Id)| machine.text(*name) == Some(key);
        machine.dict(root).unwrap_or_default().iter().find(named).map(|(_, value)| *value)
    };
    let places = keys.iter().filter_map(|key| under(key).map(|id| (id, 0)));
    for (place, depth) in places.chain([(root, MAX_DEPTH)]) {
        let (mut found, mut budget) = (Vec::new(), limit);
        machine.tensors(place, "", depth, &mut budget, &mut found);
        if budget == 0 {
            return None;
        }
        if !found.is_empty() {
            return Some(found);
        }
    }
    Some(Vec::new())
}
