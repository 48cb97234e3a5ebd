// What links may ask for, and what they may not.
import { describe, expect, it } from 'vitest';
import { Point3rError } from '../errors';
import { addressLink, embedCode, inlineLink, MAX_INLINE, readLink, viewText } from './link';

const PAGE = 'https://scan.example/app/';
const read = (rest: string) => readLink(new URL(PAGE + rest));

function codeOf(rest: string): string {
  try {
    read(rest);
    return 'accepted';
  } catch (thrown) {
    return thrown instanceof Point3rError ? thrown.code : String(thrown);
  }
}

describe('links', () => {
  it('ask for nothing by themselves', () => {
    expect(read('')).toEqual({
      inline: null,
      scene: null,
      video: null,
      model: null,
      view: null,
      embed: false,
      origins: [],
    });
    expect(read('?device=cpu#top').inline).toBeNull();
  });

  it('carry a scene, and come back', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
    const link = inlineLink(new URL(`${PAGE}?video=x#old`), bytes);
    expect(link.startsWith(`${PAGE}#s=`)).toBe(true);
    expect(readLink(new URL(link)).inline).toEqual(bytes);
    expect(embedCode(new URL(PAGE), bytes)).toContain(`src="${PAGE}?embed=1#s=`);
  });

  it('name files of this site and https addresses, with a view', () => {
    const view = { eye: [0.5, -1.25, 3], target: [0, 0, 1e-3] } as const;
    const link = addressLink(new URL(PAGE), new URL('https://other.example/a b.glb?x=1&y=2'), {
      eye: [...view.eye],
      target: [...view.target],
    });
    const found = readLink(new URL(link));
    expect(found.scene?.href).toBe('https://other.example/a%20b.glb?x=1&y=2');
    expect(found.view).toEqual(view);
    expect(read('?scene=demos/room.glb').scene?.href).toBe(`${PAGE}demos/room.glb`);
    expect(read('?video=/v.mp4').video?.href).toBe('https://scan.example/v.mp4');
    expect(viewText({ eye: [1 / 3, 0, 0], target: [0, 0, 1] })).toBe('0.333333,0,0,0,0,1');
  });

  it.each([
    'javascript:alert(1)',
    'data:application/octet-stream;base64,AAAA',
    'blob:https://scan.example/1-2-3',
    'file:///etc/passwd',
    'http://other.example/a.glb',
    'ftp://other.example/a.glb',
    '//user:secret@other.example/a.glb',
    'https://user@other.example/',
    'https://',
    'about:blank',
    'filesystem:https://scan.example/temporary/a.glb',
    `https://other.example/${'a'.repeat(3000)}`,
  ])('refuse %s', (address) => {
    for (const name of ['scene', 'video', 'model']) {
      expect(codeOf(`?${name}=${encodeURIComponent(address)}`)).toBe('link-refused');
    }
  });

  it('refuse scenes that were cut, or are too long', () => {
    expect(codeOf('#s=')).toBe('scene-damaged');
    expect(codeOf('#s=a')).toBe('scene-damaged');
    expect(codeOf('#s=AAAA%20BBBB')).toBe('scene-damaged');
    expect(codeOf(`#s=${'A'.repeat(MAX_INLINE)}`)).toBe('scene-too-large');
  });

  it('ignore views that are none', () => {
    for (const view of ['', '1,2,3', 'a,b,c,d,e,f', '0,0,0,0,0,0', '1,2,3,4,5,Infinity', '1,2,3,4,5,1e30', ',,,,,']) {
      expect(read(`?view=${encodeURIComponent(view)}`).view).toBeNull();
    }
  });

  it('list the pages that may steer an embedded one', () => {
    const { embed, origins } = read('?embed=1&origin=https://a.example/x&origin=http://localhost:8000');
    expect([embed, ...origins]).toEqual([true, 'https://a.example', 'http://localhost:8000']);
    expect(codeOf('?embed=1&origin=javascript:alert(1)')).toBe('link-refused');
    expect(codeOf('?embed=1&origin=*')).toBe('link-refused');
  });
});
