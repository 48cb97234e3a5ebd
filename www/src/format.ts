// Numbers as people read them. English only, like the page.

const grouped = new Intl.NumberFormat('en');

export function formatCount(count: number): string {
  return grouped.format(count);
}

/** Few digits: 950, 12.3k, 1.2M. */
export function formatShort(count: number): string {
  if (count < 1000) {
    return String(count);
  }
  const [value, unit] = count < 999_950 ? [count / 1000, 'k'] : [count / 1_000_000, 'M'];
  return `${value < 100 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / (1024 * 1024), 'MiB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export function formatMilliseconds(ms: number): string {
  if (ms <= 0) {
    return '–';
  }
  return ms < 10_000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The time left, from the time of one frame. */
export function formatRemaining(frames: number, msPerFrame: number): string {
  const seconds = Math.round((frames * msPerFrame) / 1000);
  if (frames <= 0 || msPerFrame <= 0) {
    return '';
  }
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Metres, or centimetres and millimetres where that reads better. */
export function formatLength(metres: number): string {
  const size = Math.abs(metres);
  if (size >= 1 || size === 0) {
    return `${metres.toFixed(size >= 100 ? 0 : 2)} m`;
  }
  return size >= 0.01 ? `${(metres * 100).toFixed(1)} cm` : `${(metres * 1000).toPrecision(2)} mm`;
}

export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  return whole < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
