// Everything `bench.html` says beside its own text.
export const BENCH = {
  running: 'Running. Leave this tab in front.',
  done: 'Done.',
  failed: 'not run',
  milliseconds: (value: number): string => `${value.toFixed(1)} ms`,
  ratio: (value: number): string => value.toFixed(2),
  difference: (value: number): string => value.toExponential(1),
  differs: (value: number): string => `${value.toExponential(1)}: differs`,
};
