import { expect, test } from 'vitest';
import { type Demo, demoEntries } from './demos';

const ROOM: Demo = {
  id: 'room',
  scene: 'room.glb',
  frames: ['room/00.jpg'],
  thumbnail: 'room/00.jpg',
  bytes: 1000,
  points: 10,
};

test('the index gives the demos that the page has a title for, and leaves out what is none', () => {
  const demos = [ROOM, { ...ROOM, id: 'cellar' }, { ...ROOM, frames: [1] }, { ...ROOM, bytes: null }, 'room', null];
  expect(demoEntries({ demos })).toEqual([ROOM]);
});

test('what is no index gives none', () => {
  for (const index of [null, [], { demos: 'room' }, 3]) {
    expect(demoEntries(index)).toEqual([]);
  }
});
