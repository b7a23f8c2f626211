import type { ServerResponse } from 'node:http';

/**
 * Calls the listener once, when the response is sent or its client has gone; at once where that was before. A response
 * that still waits behind an earlier one of its connection hears nothing of the end: so its connection is asked too.
 */
export function whenClosed(response: ServerResponse, listener: () => void): void {
  const { socket } = response.req;
  const closed = (): void => {
    response.off('close', closed);
    socket.off('close', closed);
    listener();
  };
  if (response.destroyed || socket.destroyed) {
    listener();
  } else {
    response.once('close', closed);
    socket.once('close', closed);
  }
}
