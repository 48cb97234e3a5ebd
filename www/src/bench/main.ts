// `bench.html`: starts the worker, shows a row per case and leaves everything in `window.result` for programs.
import type { Backend, BenchNews, BenchOrder, Case, Precision, Row } from './protocol';
import { BENCH } from './strings';
import './bench.css';

export interface BenchResult {
  rows: Row[];
  failed: (Case & { message: string })[];
  userAgent: string;
}

declare global {
  interface Window {
    /** All rows, once they are there. */
    result?: BenchResult;
  }
}

/** `?backend=wasm&precision=f32,int8&tokens=197&rounds=9`, all that is left out at its default. */
function order(query: URLSearchParams): BenchOrder {
  const list = <T extends string>(name: string, known: readonly T[]): T[] => {
    const asked = query.get(name)?.split(',');
    return known.filter((one) => !asked || asked.includes(one));
  };
  const backends = list<Backend>('backend', ['wasm', 'webgpu']);
  const precisions = list<Precision>('precision', ['f32', 'int8', 'int4']);
  const number = (text: string): number => Math.min(Math.max(Math.trunc(Number(text)) || 1, 1), 4096);
  const tokens = (query.get('tokens') ?? '197,768').split(',').map(number);
  const cases = backends.flatMap((backend) =>
    tokens.flatMap((tokens) => precisions.map((precision): Case => ({ backend, precision, tokens }))),
  );
  return { cases, rounds: Math.min(number(query.get('rounds') ?? '9'), 100) };
}

function find<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) {
    throw new Error(`the page has no ${selector}`);
  }
  return found;
}

function showRow({ backend, precision, tokens }: Case, cells: string[]): void {
  const line = find<HTMLTableSectionElement>('tbody').insertRow();
  for (const text of [backend, precision, String(tokens), ...cells]) {
    line.insertCell().textContent = text;
  }
}

function run(query: URLSearchParams): void {
  const button = find<HTMLButtonElement>('button');
  const status = find('[role=status]');
  button.disabled = true;
  status.textContent = BENCH.running;
  const result: BenchResult = { rows: [], failed: [], userAgent: navigator.userAgent };
  const worker = new Worker(new URL('./bench-worker.ts', import.meta.url), { type: 'module', name: 'bench' });
  const end = (): void => {
    worker.terminate();
    status.textContent = BENCH.done;
    find('pre').textContent = JSON.stringify(result, null, 1);
    button.disabled = false;
    window.result = result;
  };
  worker.addEventListener('message', ({ data }: MessageEvent<BenchNews>) => {
    if (data.kind === 'row') {
      const { row } = data;
      result.rows.push(row);
      showRow(row, [
        BENCH.milliseconds(row.oursMedian),
        BENCH.milliseconds(row.theirsMedian),
        BENCH.ratio(row.ratio),
        (row.agrees ? BENCH.difference : BENCH.differs)(Math.max(row.difference, row.theirDifference)),
      ]);
    } else if (data.kind === 'failed') {
      result.failed.push({ ...data.failed, message: data.message });
      showRow(data.failed, [BENCH.failed, '', '', data.message]);
    } else {
      end();
    }
  });
  worker.addEventListener('error', (event) => {
    status.textContent = event.message;
    end();
  });
  worker.postMessage({ ...order(query), base: document.baseURI });
}

const query = new URLSearchParams(location.search);
find('button').addEventListener('click', () => run(query));
if (query.has('run')) {
  run(query);
}
