import type { Command } from 'commander';
import { RetortClient } from '../client/retort-client.ts';
import { RetortError } from '../errors.ts';

/** Where a command finds its server. */
export interface ServerOptions {
  readonly server: string;
  readonly token?: string;
}

export const SERVER = ['--server <url>', 'the Retort server'] as const;

/** Adds the option that says who asks. */
export const addToken = (command: Command): Command =>
  command.option('--token <key>', 'API key of the server; default: RETORT_TOKEN of the environment');

export function clientOf({ server, token = process.env.RETORT_TOKEN }: ServerOptions): RetortClient {
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new RetortError('USAGE', `--server: "${server}" is no http(s) URL`, {
      hint: 'For example --server http://127.0.0.1:8080.',
    });
  }
  return new RetortClient({ url: server, token });
}
