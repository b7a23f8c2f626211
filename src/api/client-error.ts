import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import { problemOf } from './send-problem.ts';

interface Answer {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Answers what was no HTTP request, or none in time: there is no request object for it, only a socket. */
export function clientError(log: FastifyBaseLogger) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    // Bytes in the middle of another answer would garble it. The property is Node's own; its default handler reads it too.
    const inFlight = (socket as { _httpMessage?: ServerResponse })._httpMessage;
    if (error.code === 'ECONNRESET' || !socket.writable || inFlight?.headersSent) {
      socket.destroy();
      return;
    }
    const { status, code, detail } = answerTo(error.code);
    const requestId = randomUUID();
    log.info({ code, reason: error.code, requestId }, detail);
    const fault = { code, message: detail, hint: null, problems: [], facts: {} };
    const body = JSON.stringify(problemOf(fault, status, '', requestId));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  };
}

function answerTo(code: string | undefined): Answer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'REQUEST_INVALID', detail: 'the headers of the request are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        code: 'UPLOAD_TOO_SLOW',
        detail: 'the headers of the request did not come in time',
      };
    default:
      return { status: 400, code: 'REQUEST_INVALID', detail: 'this is not an HTTP request' };
  }
}
