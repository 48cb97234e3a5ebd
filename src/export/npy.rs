//! NumPy arrays (format 1.0): little-endian `f4`, row order.

/// The file for a map of `width` x `height` values; `values` beyond or short of that are the caller's fault and make
/// readers complain.
#[must_use]
pub fn map(values: impl Iterator<Item = f32>, width: usize, height: usize) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    // Magic, version and length take 10 bytes; the array begins at a multiple of 64, after a newline.
    let padding = 63 - (10 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes()); // two image sides: always short
    bytes.extend(header.as_bytes());
    bytes.extend(values.flat_map(f32::to_le_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_array_begins_at_a_multiple_of_64() {
        for (width, height) in [(1, 1), (160, 112), (123_456, 1_234_567)] {
            let bytes = super::map([1.5].into_iter(), width, height);
            let start = bytes.len() - 4;
            assert_eq!((start % 64, bytes[start - 1]), (0, b'\n'));
            assert_eq!(bytes[start..], 1.5_f32.to_le_bytes());
        }
    }
}
