// The browser's processes, read from /proc: a graphics device is lost for real by ending the process that has it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A reason to skip, or false. */
export const WITHOUT_PROC = existsSync('/proc/self/stat') ? false : 'there is no /proc to find the GPU process in';

function* processes() {
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // pid (name) state parent ...: the name may hold anything, also spaces and brackets.
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      yield { pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8') };
    } catch {
      // It ended meanwhile.
    }
  }
}

/** The processes that this one started, and those that they started. */
export function descendants() {
  if (WITHOUT_PROC) {
    return [];
  }
  const all = [...processes()];
  const ours = new Set([process.pid]);
  for (let before = 0; before < ours.size; ) {
    before = ours.size;
    for (const { pid, parent } of all) {
      if (ours.has(parent)) {
        ours.add(pid);
      }
    }
  }
  return all.filter(({ pid }) => ours.has(pid));
}

/** Ends the GPU processes of the browsers that this process started; how many there were. */
export function endGpuProcesses() {
  const found = descendants().filter(({ command }) => command.includes('--type=gpu-process'));
  for (const { pid } of found) {
    process.kill(pid, 'SIGKILL');
  }
  return found.length;
}
