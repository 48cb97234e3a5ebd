// What blocks the page's thread, by processor time: on a busy machine the clock says more about the other processes than
// about the page. Read from the browser's own trace.

/** Starts tracing; the answer stops it and gives the longest tasks of the page's main thread, in ms of processor time. */
export async function traceTasks(page) {
  const devtools = await page.context().newCDPSession(page);
  const chunks = [];
  devtools.on('Tracing.dataCollected', ({ value }) => chunks.push(...value.filter(isOfUse)));
  const categories = ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'];
  const traceConfig = { recordMode: 'recordContinuously', includedCategories: categories };
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  return async () => {
    const complete = new Promise((resolve) => devtools.once('Tracing.tracingComplete', resolve));
    await devtools.send('Tracing.end');
    await complete;
    return mainThreadTasks(chunks);
  };
}

const isOfUse = ({ name }) => name === 'thread_name' || name.endsWith('RunTask');

function mainThreadTasks(events) {
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = events.filter(
    ({ name, pid, tid, tdur }) => name.endsWith('RunTask') && tdur && mains.has(`${pid}/${tid}`),
  );
  return tasks.map(({ tdur, dur }) => ({ cpu: tdur / 1000, wall: dur / 1000 })).sort((a, b) => b.cpu - a.cpu);
}
