/** Waits for the stop signal, or for an error that ends the service; both let what runs be closed in order. */
export function untilStopped(signal: AbortSignal): {
  readonly promise: Promise<void>;
  readonly failed: (error: unknown) => void;
} {
  let failed: (error: unknown) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    failed = reject;
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Whoever closes meanwhile has not come to wait for it yet.
  promise.catch(() => {});
  return { promise, failed };
}
