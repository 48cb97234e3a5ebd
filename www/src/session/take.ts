// Taking something away: the engine makes the file; after a crash, what its worker kept of the cloud.
import { Point3rError, toPoint3rError } from '../errors';
import { FILES, isSmall, TAKE_FORMATS, type TakeFormat, type TakeOptions } from '../take';
import type { Core } from './core';

const FORMATS_ACTION = `Choose one of ${TAKE_FORMATS.join(', ')}.`;

export async function takeAway(core: Core, format: TakeFormat, options: TakeOptions): Promise<File> {
  if (!TAKE_FORMATS.includes(format)) {
    throw core.report(
      new Point3rError('bad-request', `There is no format “${String(format).slice(0, 40)}”.`, FORMATS_ACTION),
    );
  }
  const { source } = core.store.get();
  core.store.set({ taking: { format, share: 0 } });
  try {
    return await core.engine.take(format, { title: source, ...options });
  } catch (thrown) {
    const error = toPoint3rError(thrown, 'bad-request');
    if (error.code === 'crashed' && isSmall(format)) {
      const { name, type } = FILES[format];
      return new File([await core.engine.export(format)], name, { type });
    }
    throw reported(core, error);
  } finally {
    core.store.set({ taking: null });
  }
}

/** Who cancels knows it. */
function reported(core: Core, error: Point3rError): Point3rError {
  return error.code === 'cancelled' ? error : core.report(error);
}

/** The worker tells of the file it is making. */
export function showTaking({ store }: Core, share: number): void {
  const { taking } = store.get();
  if (taking) {
    store.set({ taking: { ...taking, share } });
  }
}
