// Pictures made in the page: a pattern that moves, small enough for the smallest network.

/** Opens so many of them. */
export function openPattern(page, frames) {
  return page.evaluate(async (frames) => {
    const pictures = [];
    for (let i = 0; i < frames; i += 1) {
      const canvas = new OffscreenCanvas(128, 96);
      const context = canvas.getContext('2d');
      for (let y = 0; y < 96; y += 8) {
        for (let x = 0; x < 128; x += 8) {
          context.fillStyle = `rgb(${(x * 2 + i * 20) % 256} ${(y * 3 + i * 9) % 256} ${(x * y + i * 31) % 256})`;
          context.fillRect(x, y, 8, 8);
        }
      }
      pictures.push(new File([await canvas.convertToBlob()], `${i}.png`, { type: 'image/png' }));
    }
    await window.point3r.open(pictures);
  }, frames);
}
