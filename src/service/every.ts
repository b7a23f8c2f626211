/** Runs `body` again and again with a pause in between, never twice at once; an error is told and does not end it. */
export function every(
  milliseconds: number,
  body: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    timer = setTimeout(() => {
      running = body()
        .catch(onError)
        .then(() => {
          if (!stopped) again();
        });
    }, milliseconds);
  };
  again();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
