import { pino } from 'pino';

/** What can carry a secret, by name, wherever it stands in a log line. */
const SECRET = ['authorization', 'cookie', 'secret', 'token', 'password', 'key', 'url'];

export type Log = pino.Logger;

/**
 * Structured logs, one JSON object a line. Bodies, tensors and paths are never passed to it; what could carry a
 * secret all the same is redacted here, once.
 */
export const createLog = (level: string, name: string): Log =>
  pino({
    name,
    level,
    redact: {
      paths: SECRET.flatMap((word) => [word, `*.${word}`, `*.*.${word}`, `req.headers.${word}`]),
      censor: '[redacted]',
    },
    serializers: { err: errorFacts },
  });

/** What is told of an error: errors of libraries carry commands, requests and whatever else they had in hand. */
function errorFacts(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack } = error;
  const { code } = error as { readonly code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }),
  };
}
