// Registers the service worker once the page works, and tells when a newer version of the page waits to be used.

const HOUR = 3_600_000;

/** `waiting` is called with the function that switches to the newer version (the page reloads). */
export async function workOffline(waiting: (useNow: () => void) => void): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) {
    return;
  }
  const registration = await navigator.serviceWorker.register(new URL('sw.js', document.baseURI), {
    updateViaCache: 'none',
  });
  const offer = (worker: ServiceWorker): void =>
    waiting(() => {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      worker.postMessage('use-now');
    });
  const watch = (worker: ServiceWorker): void => {
    const offerWhenInstalled = (): void => {
      // Without a version before it, there is nothing to switch from.
      if (worker.state === 'installed' && registration.active) {
        offer(worker);
      }
    };
    worker.addEventListener('statechange', offerWhenInstalled);
    offerWhenInstalled();
  };
  for (const worker of [registration.installing, registration.waiting]) {
    if (worker) {
      watch(worker);
    }
  }
  registration.addEventListener('updatefound', () => {
    if (registration.installing) {
      watch(registration.installing);
    }
  });
  // A page that stays open for days looks for a newer version now and then; offline this fails, which is no matter.
  setInterval(() => void registration.update().catch(() => {}), HOUR);
}
