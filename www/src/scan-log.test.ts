import { beforeEach, expect, test } from 'vitest';
import type { Saving } from './protocol';
import { ScanLog } from './scan-log';
import { MemoryFolder } from './testing/log-folder';

/** Records of the test: 24 bytes of head, of which the first says the payload's length. */
const records = {
  recordBytes: (head: Uint8Array) => {
    if (head[1] !== 77) {
      throw new Error('no record begins here');
    }
    return 24 + (head[0] ?? 0);
  },
  // A payload of 5 bytes begins a scan.
  framesAfter: (start: Uint8Array, before: number) => (start[0] === 5 ? before : before + 1),
  beginInfo: () => ({ name: 'Scan', model: 'm', began: 0 }),
};
const record = (payload: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(24 + payload).fill(payload);
  bytes.set([payload, 77]);
  return bytes;
};

let folder: MemoryFolder;
let told: Saving[];

const newLog = () => new ScanLog(folder, (saving) => told.push(saving));

beforeEach(() => {
  folder = new MemoryFolder();
  told = [];
});

async function written(name: string, frames: number): Promise<ScanLog> {
  const log = newLog();
  await log.begin(name, record(5));
  for (let i = 0; i < frames; i++) {
    log.append(record(10));
  }
  return log;
}

async function readAll(log: ScanLog, name: string) {
  const lengths: number[] = [];
  const damaged = await log.read(name, records, async ({ length }) => void lengths.push(length));
  return { lengths, damaged };
}

test('what was appended is read back in order, and can be continued', async () => {
  (await written('a', 2)).close();
  const log = newLog();
  expect(await readAll(log, 'a')).toEqual({ lengths: [29, 34, 34], damaged: false });
  log.append(record(1));
  log.close();
  expect((await readAll(newLog(), 'a')).lengths).toEqual([29, 34, 34, 25]);
});

test('a file that ends in the middle of a record is read up to there, and cut there', async () => {
  (await written('a', 3)).close();
  folder.files.set('a', (folder.files.get('a') ?? new Uint8Array()).slice(0, -7));
  const log = newLog();
  expect(await readAll(log, 'a')).toEqual({ lengths: [29, 34, 34], damaged: true });
  log.append(record(2));
  log.close();
  expect(await readAll(newLog(), 'a')).toEqual({ lengths: [29, 34, 34, 26], damaged: false });
});

test('a record that the engine refuses ends the file, unless it is the first', async () => {
  (await written('a', 3)).close();
  let seen = 0;
  const refusing = async (): Promise<void> => {
    seen += 1;
    if (seen === 3) {
      throw new Error('checksum');
    }
  };
  expect(await newLog().read('a', records, refusing)).toBe(true);
  expect(folder.files.get('a')?.length).toBe(29 + 34);
  folder.locked.clear();
  await expect(newLog().read('a', records, () => Promise.reject(new Error('version')))).rejects.toThrow('version');
  expect(folder.locked.size).toBe(0);
});

test('a full disk ends the saving after the last whole record, and is told once', async () => {
  const log = newLog();
  folder.room = 29 + 34 + 10;
  await log.begin('a', record(5));
  log.append(record(10));
  log.append(record(10));
  log.append(record(10));
  expect(told).toEqual(['on', 'full']);
  expect((await readAll(newLog(), 'a')).lengths).toEqual([29, 34]);
});

test('without a private file system nothing is saved, and nothing fails', async () => {
  const refuse = () => Promise.reject(new DOMException('private mode', 'SecurityError'));
  const log = new ScanLog({ open: refuse, list: refuse, remove: refuse }, (saving) => told.push(saving));
  await log.begin('a', record(5));
  log.append(record(1));
  await log.discardCurrent();
  expect(told).toEqual(['unavailable']);
  expect(await log.saved(records)).toBeNull();
});

test('the newest scan with frames is offered, unless another tab has it open', async () => {
  (await written('old', 4)).close();
  const inOtherTab = await written('new', 2);
  expect(await newLog().saved(records)).toMatchObject({ id: 'old', name: 'Scan', frames: 4, bytes: 29 + 4 * 34 });
  inOtherTab.close();
  expect(await newLog().saved(records)).toMatchObject({ id: 'new', frames: 2 });
  (await written('empty', 0)).close();
  expect(await newLog().saved(records)).toMatchObject({ id: 'new' });
  expect(folder.locked.size).toBe(0);
});

test('a new scan keeps the one before it and lets go of older ones', async () => {
  for (const name of ['a', 'b', 'c']) {
    (await written(name, 1)).close();
  }
  expect([...folder.files.keys()]).toEqual(['b', 'c']);
  const log = await written('d', 1);
  await log.discardCurrent();
  expect([...folder.files.keys()]).toEqual(['c']);
  expect(told.at(-1)).toBe('off');
});

test('another worker goes on where the last one ended', async () => {
  const first = await written('a', 2);
  first.close();
  const second = newLog();
  await second.resume('a', records);
  second.append(record(3));
  second.close();
  expect((await readAll(newLog(), 'a')).lengths).toEqual([29, 34, 34, 27]);
});
