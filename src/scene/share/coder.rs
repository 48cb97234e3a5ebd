//! An adaptive binary range coder (the carry scheme is LZMA's). Each context predicts by two running means, one quick
//! and one slow, to 12 bits. The page's viewer holds the decoder's twin (`www/src/viewer/coder.ts`).

use crate::scene::SceneError;

/// A context: two estimates of P(bit = 0), 16 bits each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context(u16, u16);

impl Default for Context {
    fn default() -> Self {
        Self(1 << 15, 1 << 15)
    }
}

impl Context {
    /// P(bit = 0) in 4096ths, between 4 and 4091.
    fn zero(self) -> u32 {
        (u32::from(self.0) + u32::from(self.1)) >> 5
    }

    fn learn(&mut self, bit: bool) {
        if bit {
            self.0 -= self.0 >> 4;
            self.1 -= self.1 >> 7;
        } else {
            self.0 += (u16::MAX - self.0) >> 4;
            self.1 += (u16::MAX - self.1) >> 7;
        }
    }
}

/// A tree of contexts for values of `bits` bits, most significant bit first.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    contexts: Vec<Context>,
    bits: u32,
}

impl Tree {
    pub(super) fn new(bits: u32) -> Self {
        Self { contexts: vec![Context::default(); 1 << bits], bits }
    }
}

/// Contexts for signed numbers of up to 32 bits: a tree for the number of bits, then the bits below the first plainly.
#[derive(Debug, Clone)]
pub(super) struct Number(Tree, Context);

impl Default for Number {
    fn default() -> Self {
        Self(Tree::new(6), Context::default())
    }
}

const TOP: u32 = 1 << 24;

/// Writes bits.
#[derive(Debug)]
pub(super) struct Encoder {
    low: u64,
    range: u32,
    /// The last byte, which a carry may still change, and how many 0xff follow it.
    cache: Option<u8>,
    pending: usize,
    out: Vec<u8>,
}

impl Encoder {
    /// Appends to `out`.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self { low: 0, range: u32::MAX, cache: None, pending: 0, out }
    }

    pub(super) fn bit(&mut self, context: &mut Context, bit: bool) {
        let bound = (self.range >> 12) * context.zero();
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        context.learn(bit);
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if self.low < 0xff00_0000 || carry > 0 {
            if let Some(cache) = self.cache {
                self.out.push(cache.wrapping_add(carry));
            }
            for _ in 0..self.pending {
                self.out.push(0xff_u8.wrapping_add(carry));
            }
            self.pending = 0;
            self.cache = Some((self.low >> 24) as u8);
        } else {
            self.pending += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    /// A value below `2^tree.bits`.
    pub(super) fn tree(&mut self, tree: &mut Tree, value: u32) {
        let mut node = 1;
        for shift in (0..tree.bits).rev() {
            let bit = value >> shift & 1;
            if let Some(context) = tree.contexts.get_mut(node) {
                self.bit(context, bit == 1);
            }
            node = 2 * node + bit as usize;
        }
    }

    pub(super) fn number(&mut self, contexts: &mut Number, value: i32) {
        let magnitude = value.unsigned_abs();
        let bits = 32 - magnitude.leading_zeros();
        self.tree(&mut contexts.0, bits);
        for shift in (0..bits.saturating_sub(1)).rev() {
            self.bit(&mut Context::default(), magnitude >> shift & 1 == 1);
        }
        if bits > 0 {
            self.bit(&mut contexts.1, value < 0);
        }
    }

    /// The bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        // The decoder takes what is missing at the end for zeros.
        while self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }
}

/// Reads bits.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    code: u32,
    range: u32,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { bytes, at: 0, code: 0, range: u32::MAX };
        for _ in 0..4 {
            decoder.code = decoder.code << 8 | decoder.byte();
        }
        decoder
    }

    fn byte(&mut self) -> u32 {
        self.at += 1;
        u32::from(self.bytes.get(self.at - 1).copied().unwrap_or(0))
    }

    pub(super) fn bit(&mut self, context: &mut Context) -> bool {
        let bound = (self.range >> 12) * context.zero();
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        context.learn(bit);
        while self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | self.byte();
        }
        bit
    }

    pub(super) fn tree(&mut self, tree: &mut Tree) -> u32 {
        let mut node = 1_usize;
        for _ in 0..tree.bits {
            let bit = tree.contexts.get_mut(node).is_some_and(|context| self.bit(context));
            node = 2 * node + usize::from(bit);
        }
        node as u32 & ((1 << tree.bits) - 1)
    }

    pub(super) fn number(&mut self, contexts: &mut Number) -> Result<i32, SceneError> {
        let bits = self.tree(&mut contexts.0);
        if bits > 31 {
            return Err(SceneError::damaged("a number of the link is out of range"));
        }
        let mut magnitude = u32::from(bits > 0);
        for _ in 1..bits {
            magnitude = magnitude << 1 | u32::from(self.bit(&mut Context::default()));
        }
        let negative = bits > 0 && self.bit(&mut contexts.1);
        let value = i32::try_from(magnitude).unwrap_or(i32::MAX);
        Ok(if negative { -value } else { value })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut seed = 1_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed >> 8
        };
        // Skewed bits make long runs of 0xff bytes and carries.
        let bits: Vec<bool> = (0..200_000).map(|i| random() % if i < 100_000 { 50 } else { 2 } == 0).collect();
        let numbers: Vec<i32> = (0..2_000).map(|_| (random() as i32 - (1 << 23)) >> (random() % 24)).collect();
        let mut encoder = Encoder::new(Vec::new());
        let (mut context, mut tree, mut number) = (Context::default(), Tree::new(5), Number::default());
        bits.iter().for_each(|&b| encoder.bit(&mut context, b));
        (0..1000_u32).for_each(|i| encoder.tree(&mut tree, i * i % 32));
        numbers.iter().for_each(|&n| encoder.number(&mut number, n));
        [0, 1, -1, i32::MAX, -i32::MAX].iter().for_each(|&n| encoder.number(&mut number, n));
        let bytes = encoder.finish();

        let mut decoder = Decoder::new(&bytes);
        let (mut context, mut tree, mut number) = (Context::default(), Tree::new(5), Number::default());
        assert!(bits.iter().all(|&b| decoder.bit(&mut context) == b));
        assert!((0..1000_u32).all(|i| decoder.tree(&mut tree) == i * i % 32));
        assert!(numbers.iter().all(|&n| decoder.number(&mut number).unwrap() == n));
        assert_eq!([0; 5].map(|_| decoder.number(&mut number).unwrap()), [0, 1, -1, i32::MAX, -i32::MAX]);
        assert!(bytes.len() < 2_000 + 13_000 + 1_000 + 6_500, "{}", bytes.len());
    }
}
