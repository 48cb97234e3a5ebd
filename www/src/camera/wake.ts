// Keeps the screen on while a scan runs. The browser lets go of the lock when the page is hidden; it is then asked anew.

export class WakeLock {
  private wanted = false;
  private lock: WakeLockSentinel | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => this.update());
  }

  set(wanted: boolean): void {
    this.wanted = wanted;
    this.update();
  }

  private update(): void {
    if (!this.wanted || document.hidden) {
      this.lock?.release().catch(() => {});
      this.lock = null;
    } else if (!this.lock && 'wakeLock' in navigator) {
      // Refused when the battery is low: the scan goes on without.
      this.request().catch(() => {});
    }
  }

  private async request(): Promise<void> {
    const lock = await navigator.wakeLock.request('screen');
    if (!this.wanted || this.lock) {
      await lock.release();
      return;
    }
    this.lock = lock;
    lock.addEventListener('release', () => {
      this.lock = null;
    });
  }
}
