// Which moments of a video become frames.

/** Times from `start` (inclusive) to `end` (exclusive) at `rate` per second, at most `limit` of them. */
export function pickTimes(start: number, end: number, rate: number, limit: number): number[] {
  if (!(rate > 0) || !(limit >= 1) || !(end > start)) {
    return end >= start && limit >= 1 ? [start] : [];
  }
  const count = Math.min(Math.floor(limit), Math.max(1, Math.ceil((end - start) * rate - 1e-6)));
  return Array.from({ length: count }, (_, i) => start + i / rate);
}

/** Images in the order a person expects: `2.jpg` before `10.jpg`. */
export function byNaturalName<T extends { name: string }>(files: readonly T[]): T[] {
  const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  return [...files].sort((a, b) => collator.compare(a.name, b.name));
}
