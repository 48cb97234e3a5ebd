// The codes are read back by an independent decoder.
import jsQR from 'jsqr';
import { describe, expect, it } from 'vitest';
import { MAX_QR_BYTES, qrCode } from './qr';

function read(text: string): string | undefined {
  const code = qrCode(text);
  if (!code) {
    return undefined;
  }
  const scale = 4;
  const side = (code.size + 8) * scale;
  const pixels = new Uint8ClampedArray(4 * side * side).fill(255);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [mx, my] = [Math.floor(x / scale) - 4, Math.floor(y / scale) - 4];
      const inside = mx >= 0 && my >= 0 && mx < code.size && my < code.size;
      if (inside && code.modules[my * code.size + mx]) {
        pixels.fill(0, 4 * (y * side + x), 4 * (y * side + x) + 3);
      }
    }
  }
  return jsQR(pixels, side, side)?.data;
}

describe('QR codes', () => {
  it.each([1, 17, 18, 60, 106, 230, 231, 500, 1000, 1500, 2200, MAX_QR_BYTES])('hold a link of %i bytes', (length) => {
    const text = `https://example.org/#s=${'AbC-_09xYz'.repeat(300)}`.slice(0, length);
    expect(read(text)).toBe(text);
  });

  it('hold text beyond ASCII', () => {
    expect(read('Zimmer für 3 € ☕')).toBe('Zimmer für 3 € ☕');
  });

  it('refuse what is too long', () => {
    expect(qrCode('x'.repeat(MAX_QR_BYTES + 1))).toBeNull();
  });
});
